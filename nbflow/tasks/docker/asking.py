"""How tasks reach a Docker engine: through the Docker task runner, which the registry finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar, cast

from nbflow.model.containers import ContainerOptions, EngineOptions
from nbflow.plugins import RunContext, RunnableTask, TaskRunner, registry
from nbflow.tasks import stopping
from nbflow.tasks.scripts.script import DOCKER
from nbflow.tasks.scripts.settings import NamespaceFiles
from nbflow.tasks.working_files import put_input_files, put_namespace_files
from nbflow.types import JsonValue

T = TypeVar("T")
Say = Callable[[str], None]

NEEDS = "a Docker engine"


class Engine(Protocol):
    """What tasks ask of the engine that the Docker task runner connects to. All methods block.

    `check` is called now and then while an image comes or goes; what it raises ends that.
    """

    check: Callable[[], None]

    def pull(self, image: str, say: Say) -> None: ...
    def push(self, image: str, say: Say) -> None: ...
    def tag(self, source: str, target: str) -> None: ...
    def build(
        self,
        directory: Path,
        dockerfile: str,
        tags: Sequence[str],
        say: Say,
        *,
        pull: bool = True,
        platform: str | None = None,
        args: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        target: str | None = None,
    ) -> str: ...
    def remove_container(self, container: str, *, force: bool, volumes: bool) -> None: ...
    def remove_image(self, image: str, *, force: bool) -> None: ...
    def stop_container(self, container: str, *, kill: bool) -> None: ...
    def close(self) -> None: ...


class ContainerRunner(Protocol):
    """What tasks ask of the Docker task runner itself."""

    async def in_container(self, ctx: RunContext, image: str | None, names: Mapping[str, object]) -> TaskRunner: ...
    async def engine(self, ctx: RunContext) -> Engine: ...
    def with_registry(self, image: str) -> str: ...


class DockerTask(RunnableTask, EngineOptions):
    """Asks a Docker engine for something."""

    def runner(self) -> ContainerRunner:
        """The Docker task runner with those of this task's properties that are its own."""
        runner = registry().find(TaskRunner, DOCKER)
        options = ContainerOptions.model_fields.keys() | {"wait"}
        given = {name: getattr(self, name) for name in self.model_fields_set & options}
        return cast("ContainerRunner", runner.model_validate(given))

    async def ask(self, ctx: RunContext, question: Callable[[Engine, Say], T]) -> T:
        """Ask the engine in a thread, and give up soon after the task was killed. Raises: TaskFailedError."""
        engine = await self.runner().engine(ctx)

        def work(stop: stopping.Stop) -> T:
            engine.check = stop.check

            def say(text: str) -> None:
                stop.check()
                ctx.log.info("%s", text)

            try:
                return question(engine, say)
            finally:
                engine.close()

        return await stopping.in_thread(work)


def put_files(
    ctx: RunContext, of_namespace: NamespaceFiles | None, input_files: dict[str, JsonValue] | str | None
) -> None:
    """Put files of the namespace, then those of the task, into the working directory."""
    if of_namespace is not None and of_namespace.enabled:
        put_namespace_files(ctx, of_namespace)
    if input_files:
        put_input_files(ctx, input_files, {})


def without_scheme(tag: str) -> str:
    """An image's name as engines take it: without `https://`."""
    return tag.partition("://")[2] or tag
