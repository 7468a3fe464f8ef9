"""The task type that runs a container."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.model.containers import ContainerOptions
from nbflow.plugins import Command, Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.docker.asking import NEEDS, DockerTask, put_files
from nbflow.tasks.scripts.listening import Listener
from nbflow.tasks.scripts.script import ScriptOutput
from nbflow.tasks.scripts.settings import NamespaceFiles
from nbflow.tasks.working_files import store_output_files
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.docker.cli.Run",
    aliases=["docker_run"],
    old_names=["io.kestra.plugin.docker.Run"],
    examples=[
        Example(
            """
            id: greet
            type: io.kestra.plugin.docker.cli.Run
            containerImage: alpine:3
            commands: [sh, -c, "echo hello > greeting.txt"]
            outputFiles: [greeting.txt]
            """,
            title="Run a command in a container, and keep a file of it.",
            needs=NEEDS,
        )
    ],
)
class Run(DockerTask, ContainerOptions):
    """Run a container to its end."""

    Output: ClassVar[type[ScriptOutput]] = ScriptOutput

    container_image: Dynamic[Text] = Field(description="Image of the container.")
    commands: Dynamic[list[Text]] = Field(
        default_factory=list, description="The command and its arguments; unless given, the image's own."
    )
    env: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Variables of the environment.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    output_files: Dynamic[list[Text]] = Field(
        default_factory=list, description="Files to store afterwards: names or globs, such as `*.csv`."
    )
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to find.")
    wait: Dynamic[bool] = Field(default=True, description="Whether to wait for the end of the container.")
    warning_on_std_err: Dynamic[bool] | None = Field(default=None, description="Accepted; it has no effect any more.")

    @field_validator("namespace_files", mode="before")
    @classmethod
    def _read_switch(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool) else value

    async def run(self, ctx: RunContext) -> ScriptOutput:
        directory = ctx.working_dir
        names = {"workingDir": str(directory)}
        runner = self.runner()
        image = runner.with_registry(self.container_image)
        ready = await runner.in_container(ctx, image, names)
        await asyncio.to_thread(put_files, ctx, self.namespace_files, self.input_files)
        listener = Listener(ctx)
        status = await ready.execute(Command(self.commands, directory, {**self.env}, image), listener)
        files = await asyncio.to_thread(store_output_files, ctx, self.output_files) if status == 0 else {}
        output = ScriptOutput(
            vars=listener.vars,
            output_files=files,
            exit_code=status,
            std_out_line_count=listener.out_lines,
            std_err_line_count=listener.error_lines,
            warning_on_std_err=False,
        )
        if status:
            said = f": {listener.last_error}" if listener.last_error else ""
            raise TaskFailedError(
                f"the container ended with exit status {status}{said}", outputs=dict(output.to_json())
            )
        return output
