"""Task types that pull, push and name images."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.docker.asking import NEEDS, DockerTask, Engine, Say, without_scheme


@task_type(
    "io.kestra.plugin.docker.cli.Pull",
    aliases=["docker_pull"],
    old_names=["io.kestra.plugin.docker.Pull"],
    examples=[
        Example(
            """
            id: pull
            type: io.kestra.plugin.docker.cli.Pull
            image: ghcr.io/company/etl:1
            credentials:
              username: "{{ secret('GITHUB_USER') }}"
              password: "{{ secret('GITHUB_TOKEN') }}"
            """,
            title="Pull an image from a private registry.",
            needs=NEEDS,
        )
    ],
)
class Pull(DockerTask):
    """Pull an image."""

    image: Dynamic[Text] = Field(description="Name of the image; the registry of the credentials is added to it.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        image = self.runner().with_registry(self.image)
        await self.ask(ctx, lambda engine, say: engine.pull(image, say))
        return self.Output()


@task_type(
    "io.kestra.plugin.docker.cli.Push",
    aliases=["docker_push"],
    old_names=["io.kestra.plugin.docker.Push"],
    examples=[
        Example(
            """
            id: push
            type: io.kestra.plugin.docker.cli.Push
            tags: [ghcr.io/company/etl:1]
            credentials:
              username: "{{ secret('GITHUB_USER') }}"
              password: "{{ secret('GITHUB_TOKEN') }}"
            """,
            title="Push an image that was built before.",
            needs=NEEDS,
        )
    ],
)
class Push(DockerTask):
    """Push images to the registries that their names say."""

    tags: Dynamic[list[Text]] = Field(description="Names of the images.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        tags = [without_scheme(tag) for tag in self.tags]

        def push(engine: Engine, say: Say) -> None:
            for tag in tags:
                engine.push(tag, say)

        await self.ask(ctx, push)
        return self.Output()


@task_type(
    "io.kestra.plugin.docker.cli.Tag",
    aliases=["docker_tag"],
    old_names=["io.kestra.plugin.docker.Tag"],
    examples=[
        Example(
            """
            id: tag
            type: io.kestra.plugin.docker.cli.Tag
            sourceImage: localhost/etl:latest
            targetImage: ghcr.io/company/etl:1
            """,
            title="Name an image for its registry.",
            needs=NEEDS,
        )
    ],
)
class Tag(DockerTask):
    """Give an image a further name."""

    source_image: Dynamic[Text] = Field(description="Name or id of the image.")
    target_image: Dynamic[Text] = Field(description="Its further name; with `:latest` unless it has a tag.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await self.ask(ctx, lambda engine, say: engine.tag(self.source_image, self.target_image))
        return self.Output()
