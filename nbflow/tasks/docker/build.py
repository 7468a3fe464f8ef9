"""The task type that builds an image."""

from __future__ import annotations

import asyncio

from pydantic import Field, field_validator

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.docker.asking import NEEDS, DockerTask, Engine, Say, put_files, without_scheme
from nbflow.tasks.scripts.settings import NamespaceFiles
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.docker.cli.Build",
    aliases=["docker_build"],
    old_names=["io.kestra.plugin.docker.Build"],
    examples=[
        Example(
            """
            id: build
            type: io.kestra.plugin.docker.cli.Build
            dockerfile: |
              FROM python:3.13-slim
              RUN pip install --no-cache-dir kestra duckdb
            tags: [localhost/etl:latest]
            """,
            title="Build an image.",
            needs=NEEDS,
        )
    ],
)
class Build(DockerTask):
    """Build an image, and push it if wished."""

    class Output(RunnableTask.Output):
        """What was built."""

        image_id: str = Field(description="Id of the image.")

    dockerfile: Dynamic[Text] | None = Field(
        default=None,
        description="The Dockerfile: its text, its name in the working directory, or the URI of a stored file; "
        "`Dockerfile` in there unless said.",
    )
    tags: Dynamic[list[Text]] = Field(description="Names of the image, as `registry/name:tag`.")
    push: Dynamic[bool] = Field(default=False, description="Whether to push it under all its names.")
    pull: Dynamic[bool] = Field(default=True, description="Whether to pull a newer image to build on, if there is one.")
    platforms: Dynamic[list[Text]] = Field(default_factory=list, description="Platform, such as linux/amd64.")
    build_args: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Values of the Dockerfile's `ARG`s.")
    labels: Dynamic[dict[str, Text]] = Field(default_factory=dict, description="Labels of the image.")
    target: Dynamic[Text] | None = Field(default=None, description="Stage of the Dockerfile to stop at.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    namespace_files: NamespaceFiles | None = Field(default=None, description="Files of the namespace to find.")

    @field_validator("namespace_files", mode="before")
    @classmethod
    def _read_switch(cls, value: object) -> object:
        return {"enabled": value} if isinstance(value, bool) else value

    async def run(self, ctx: RunContext) -> Output:
        tags = [without_scheme(tag) for tag in self.tags]
        if not tags:
            raise TaskFailedError("`tags` is empty: the image needs a name")
        if len(self.platforms) > 1:
            ctx.log.warning("an engine builds for one platform at a time: only %s is built", self.platforms[0])
        await asyncio.to_thread(put_files, ctx, self.namespace_files, self.input_files)
        name = await asyncio.to_thread(self._put_dockerfile, ctx)

        def build(engine: Engine, say: Say) -> str:
            image_id = engine.build(
                ctx.working_dir,
                name,
                tags,
                say,
                pull=self.pull,
                platform=self.platforms[0] if self.platforms else None,
                args=self.build_args,
                labels=self.labels,
                target=self.target,
            )
            for tag in tags if self.push else []:
                engine.push(tag, say)
            return image_id

        return self.Output(image_id=await self.ask(ctx, build))

    def _put_dockerfile(self, ctx: RunContext) -> str:
        """The name of the Dockerfile in the working directory."""
        given = self.dockerfile
        if given is None:
            return "Dockerfile"
        if is_stored(given.strip()):
            text = ctx.file(given.strip()).read_text(encoding="utf-8")
        elif "\n" not in given and ctx.path(given).is_file():
            return given
        else:
            text = given
        file = ctx.path(f".nbflow-dockerfile-{ctx.task_run_id}")
        file.write_text(text, encoding="utf-8")
        return file.name
