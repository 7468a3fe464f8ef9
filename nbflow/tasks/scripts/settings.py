"""The parts of a script task's properties that have a shape of their own: limits, Docker, namespace files."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from nbflow.model.base import Duration
from nbflow.plugins import Model, Text
from nbflow.types import JsonValue

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])i?b?|b)?\s*$", re.IGNORECASE)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4}


def read_size(value: object) -> object:
    """Turn `512Mi`, `1GB` or `1g` into bytes; others pass for pydantic to refuse."""
    if not isinstance(value, str):
        return value
    match = _SIZE.match(value)
    if match is None:
        raise ValueError(f"must be a size such as 512Mi or 2GB, got {value!r}")
    number, unit = match.groups()
    # Kestra and Docker count `1KB` as 1024 bytes, and `1k`, `1Ki` as well.
    return int(float(number) * 1024 ** _POWERS.get((unit or "").lower(), 0))


Size = Annotated[int, BeforeValidator(read_size)]
"""A number of bytes, written as `512Mi`, `2GB` or a plain number; units are powers of 1024."""


class RunnerKind(StrEnum):
    """Where a script runs; the older form of `taskRunner`."""

    PROCESS = "PROCESS"
    DOCKER = "DOCKER"


class RunConfig(Model):
    """Limits of a script's process."""

    memory: Size | None = Field(default=None, gt=0, description="Memory it may use, such as 512Mi.")
    cpu_time: Duration | None = Field(default=None, description="Time it may compute, summed over its processors.")


class DockerOptions(Model):
    """The older form of the properties of a Docker task runner."""

    image: Text | None = Field(default=None, description="Image of the container.")
    pull_policy: Text | None = Field(default=None, description="When to pull the image.")
    host: Text | None = Field(default=None, description="Address of the Docker engine.")
    docker_host: Text | None = Field(default=None, description="Older form of `host`.")
    docker_config: Text | None = Field(default=None, description="Older form of `config`.")
    config: JsonValue = Field(default=None, description="Docker's client configuration.")
    credentials: dict[str, Text] | None = Field(default=None, description="How to log in where images come from.")
    user: Text | None = Field(default=None, description="User inside the container.")
    entry_point: list[Text] | None = Field(default=None, description="Entry point of the container.")
    extra_hosts: list[Text] | None = Field(default=None, description="Further hosts, as `name:address`.")
    network_mode: Text | None = Field(default=None, description="Network of the container.")
    volumes: list[Text] | None = Field(default=None, description="Volumes to mount.")
    device_requests: list[JsonValue] | None = Field(default=None, description="Devices, such as GPUs.")
    cpu: dict[str, JsonValue] | None = Field(default=None, description="Limits of processors.")
    memory: dict[str, JsonValue] | None = Field(default=None, description="Limits of memory.")
    shm_size: Text | None = Field(default=None, description="Size of /dev/shm.")


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
