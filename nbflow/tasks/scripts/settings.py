"""The parts of a script task's properties that have a shape of their own: limits, Docker, namespace files."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from nbflow.model.base import Duration
from nbflow.model.containers import ContainerOptions
from nbflow.model.sizes import Size as Size
from nbflow.model.sizes import read_size as read_size
from nbflow.plugins import Model, Text


class RunnerKind(StrEnum):
    """Where a script runs; the older form of `taskRunner`."""

    PROCESS = "PROCESS"
    DOCKER = "DOCKER"


class RunConfig(Model):
    """Limits of a script's process."""

    memory: Size | None = Field(default=None, gt=0, description="Memory it may use, such as 512Mi.")
    cpu_time: Duration | None = Field(default=None, description="Time it may compute, summed over its processors.")


class DockerOptions(ContainerOptions):
    """The older form of the properties of a Docker task runner."""

    image: Text | None = Field(default=None, description="Image of the container.")
    docker_host: Text | None = Field(default=None, description="Older form of `host`.")
    docker_config: Text | None = Field(default=None, description="Older form of `config`.")

    def for_runner(self) -> dict[str, object]:
        """The same as properties of a Docker task runner."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        older = {new: given.pop(old) for old, new in _NEWER.items() if old in given}
        return {**older, **given}


_NEWER = {"docker_host": "host", "docker_config": "config"}


class IfExists(StrEnum):
    """What happens to a namespace file whose place in the working directory is taken."""

    OVERWRITE = "OVERWRITE"
    FAIL = "FAIL"
    WARN = "WARN"
    IGNORE = "IGNORE"


class NamespaceFiles(Model):
    """Which files of the namespace, and of those around it, a task finds in its working directory."""

    enabled: bool = Field(default=True, description="Whether it gets any.")
    include: list[Text] = Field(default_factory=list, description="Globs of files it gets; all unless said.")
    exclude: list[Text] = Field(default_factory=list, description="Globs of files it does not get.")
    namespaces: list[Text] = Field(
        default_factory=list,
        description="Namespaces the files come from; of the same path, the last one's. Unless said, the flow's own "
        "and those around it.",
    )
    if_exists: IfExists = Field(default=IfExists.OVERWRITE, description="What to do when a file is there already.")
    folder_per_namespace: bool = Field(default=False, description="Whether each namespace has a folder of its own.")
