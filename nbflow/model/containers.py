"""The properties of a container, wherever a flow has one: a task runner, a script's `docker`, a Docker task."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from nbflow.model.base import Model, Text
from nbflow.model.dynamic import Dynamic
from nbflow.model.sizes import Size
from nbflow.types import JsonValue


class PullPolicy(StrEnum):
    """When an image is pulled."""

    ALWAYS = "ALWAYS"
    IF_NOT_PRESENT = "IF_NOT_PRESENT"
    NEVER = "NEVER"


class FileHandling(StrEnum):
    """How files get into a container and out: copied, or by a mount of the working directory."""

    VOLUME = "VOLUME"
    MOUNT = "MOUNT"


class Credentials(Model):
    """Where images come from, and as whom."""

    registry: Dynamic[Text] | None = Field(
        default=None, description="Address of the registry; unless said, the one that the image names."
    )
    username: Dynamic[Text] | None = Field(default=None, description="User name.")
    password: Dynamic[Text] | None = Field(default=None, description="Password.")
    registry_token: Dynamic[Text] | None = Field(default=None, description="Token that the registry takes as it is.")
    identity_token: Dynamic[Text] | None = Field(default=None, description="Token that gets one of the registry.")
    auth: Dynamic[Text] | None = Field(default=None, description="User name and password as `user:password` in base64.")


class Cpu(Model):
    """How much of the processors a container may use."""

    cpus: Dynamic[float] | None = Field(default=None, description="Processors, such as 1.5.")


class Memory(Model):
    """How much memory a container may use."""

    memory: Dynamic[Size] | None = Field(default=None, description="The most it may use, such as 512MB.")
    memory_swap: Dynamic[Size] | None = Field(default=None, description="Memory and swap together.")
    memory_swappiness: Dynamic[int] | None = Field(default=None, description="How readily it is swapped: 0 to 100.")
    memory_reservation: Dynamic[Size] | None = Field(
        default=None, description="What it is held to when memory is short."
    )
    kernel_memory: Dynamic[Size] | None = Field(
        default=None, description="Memory of the kernel's; newer engines have none."
    )
    oom_kill_disable: Dynamic[bool] | None = Field(
        default=None, description="Whether a process that wants too much is left to wait instead of killed."
    )


class DeviceRequest(Model):
    """Devices that a container wants, such as GPUs."""

    driver: Dynamic[Text] | None = Field(default=None, description="Driver, such as `nvidia`.")
    count: Dynamic[int] | None = Field(default=None, description="How many; -1 for all.")
    device_ids: Dynamic[list[Text]] | None = Field(default=None, description="Which ones.")
    capabilities: Dynamic[list[list[Text]]] | None = Field(
        default=None, description="What they can: alternatives, each a list such as `[gpu]`."
    )
    options: Dynamic[dict[str, Text]] | None = Field(default=None, description="Options of the driver.")


class EngineOptions(Model):
    """Which Docker engine, and how it gets at images."""

    host: Dynamic[Text] | None = Field(
        default=None,
        description="Address of the Docker engine, such as `tcp://host:2375`; unless said, that of the settings or of "
        "`DOCKER_HOST`.",
    )
    config: Dynamic[JsonValue] = Field(
        default=None, description="Docker's client configuration with its `auths`: a map, or the text of config.json."
    )
    credentials: Dynamic[Credentials] | None = Field(default=None, description="How to log in where images come from.")


class ContainerOptions(EngineOptions):
    """How a container is made."""

    user: Dynamic[Text] | None = Field(default=None, description="User, or its number, inside the container.")
    entry_point: Dynamic[list[Text]] | None = Field(
        default=None, description="Entry point in place of the image's; `['']` for none."
    )
    extra_hosts: Dynamic[list[Text]] | None = Field(default=None, description="Further hosts, as `name:address`.")
    network_mode: Dynamic[Text] | None = Field(default=None, description="Network: `bridge`, `host`, `none` or a name.")
    port_bindings: Dynamic[list[Text]] | None = Field(
        default=None, description="Ports to open, as `8080:80`, `127.0.0.1:8080:80` or `8080:80/udp`."
    )
    volumes: Dynamic[list[Text]] | None = Field(
        default=None, description="Directories and volumes to mount, as `/of/the/engine:/in/the/container:ro`."
    )
    pull_policy: Dynamic[PullPolicy] = Field(
        default=PullPolicy.IF_NOT_PRESENT, description="When to pull the image: ALWAYS, IF_NOT_PRESENT or NEVER."
    )
    device_requests: Dynamic[list[DeviceRequest]] | None = Field(default=None, description="Devices, such as GPUs.")
    cpu: Dynamic[Cpu] | None = Field(default=None, description="Limits of processors, such as `cpus: 2`.")
    memory: Dynamic[Memory] | None = Field(default=None, description="Limits of memory, such as `memory: 1GB`.")
    shm_size: Dynamic[Size] | None = Field(default=None, description="Size of /dev/shm, such as `256MB`.")
    privileged: Dynamic[bool] | None = Field(default=None, description="Whether the container has all rights.")
