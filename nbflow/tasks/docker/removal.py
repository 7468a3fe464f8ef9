"""Task types that stop containers, and remove containers and images."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.docker.asking import NEEDS, DockerTask, Engine, Say


@task_type(
    "io.kestra.plugin.docker.cli.Rm",
    aliases=["docker_rm"],
    old_names=["io.kestra.plugin.docker.Rm"],
    examples=[
        Example(
            """
            id: remove
            type: io.kestra.plugin.docker.cli.Rm
            containerIds: [my-database]
            force: true
            """,
            title="Remove a container, also when it runs.",
            needs=NEEDS,
        )
    ],
)
class Rm(DockerTask):
    """Remove containers and images."""

    container_ids: Dynamic[list[Text]] = Field(default_factory=list, description="Names or ids of containers.")
    image_ids: Dynamic[list[Text]] = Field(default_factory=list, description="Names or ids of images.")
    remove_volumes: Dynamic[bool] = Field(default=False, description="Whether the containers' own volumes go, too.")
    force: Dynamic[bool] = Field(default=False, description="Whether what is in use is removed as well.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        def remove(engine: Engine, say: Say) -> None:
            for container in self.container_ids:
                engine.remove_container(container, force=self.force, volumes=self.remove_volumes)
            for image in self.image_ids:
                engine.remove_image(image, force=self.force)

        await self.ask(ctx, remove)
        return self.Output()


@task_type(
    "io.kestra.plugin.docker.cli.Stop",
    aliases=["docker_stop"],
    old_names=["io.kestra.plugin.docker.Stop"],
    examples=[
        Example(
            """
            id: stop
            type: io.kestra.plugin.docker.cli.Stop
            containerId: my-database
            """,
            title="Stop a container, and remove it.",
            needs=NEEDS,
        )
    ],
)
class Stop(DockerTask):
    """Stop a container."""

    container_id: Dynamic[Text] = Field(description="Its name or id.")
    kill: Dynamic[bool] = Field(default=False, description="Whether it is ended at once.")
    delete: Dynamic[bool] = Field(default=True, description="Whether it is removed afterwards.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        def end(engine: Engine, say: Say) -> None:
            engine.stop_container(self.container_id, kill=self.kill)
            if self.delete:
                engine.remove_container(self.container_id, force=self.kill, volumes=False)

        await self.ask(ctx, end)
        return self.Output()
