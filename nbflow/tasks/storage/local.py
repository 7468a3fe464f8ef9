"""The task type that puts files into a shared directory and stores files from there."""

from __future__ import annotations

import asyncio

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.working_files import put_input_files, store_output_files
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.storage.LocalFiles",
    aliases=["local_files"],
    old_names=["io.kestra.core.tasks.storages.LocalFiles"],
    examples=[
        Example(
            """
            id: together
            type: io.kestra.plugin.core.flow.WorkingDirectory
            tasks:
              - id: put
                type: io.kestra.plugin.core.storage.LocalFiles
                inputs:
                  names.txt: "Ada"
              - id: show
                type: shell
                commands: [cat names.txt]
              - id: take
                type: io.kestra.plugin.core.storage.LocalFiles
                outputs: ["*.txt"]
            """,
            title="Put files into a working directory, and take some out.",
        )
    ],
)
class LocalFiles(RunnableTask):
    """Put files into the directory of a WorkingDirectory, and store files from there.

    `inputFiles` and `outputFiles` of the WorkingDirectory and of scripts do the same; this is for older flows.
    """

    class Output(RunnableTask.Output):
        uris: dict[str, str] = Field(description="Name → URI of the stored files.")

    inputs: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to write: name → content or URI of a stored file."
    )
    outputs: Dynamic[list[Text]] = Field(
        default_factory=list, description="Files to store: names or globs, such as `*.csv`."
    )

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(uris=await asyncio.to_thread(self._move, ctx))

    def _move(self, ctx: RunContext) -> dict[str, str]:
        if self.inputs:
            put_input_files(ctx, self.inputs, {"workingDir": str(ctx.working_dir)})
        return store_output_files(ctx, self.outputs)
