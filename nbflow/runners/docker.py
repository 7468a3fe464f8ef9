"""The Docker task runner of Kestra's flows, standing in for containers with processes of this machine."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nbflow.plugins import Model, Text, runner_type
from nbflow.runners.process import Process
from nbflow.types import JsonValue


class Credentials(Model):
    """Where images are pulled from, and as whom."""

    registry: Text | None = Field(default=None, description="Address of the registry.")
    username: Text | None = Field(default=None, description="User name.")
    password: Text | None = Field(default=None, description="Password.")
    registry_token: Text | None = Field(default=None, description="Token of the registry.")
    identity_token: Text | None = Field(default=None, description="Identity token.")
    auth: Text | None = Field(default=None, description="User name and password in base64.")


@runner_type(
    "io.kestra.plugin.scripts.runner.docker.Docker",
    aliases=["docker"],
    old_names=["io.kestra.plugin.scripts.runner.docker.DockerTaskRunner"],
)
class Docker(Process):
    """Run commands in a container. This version of nbflow has no containers: it runs them as processes, and says so."""

    notice: ClassVar[str] = (
        "containers are not supported yet: the script runs as a process of this machine, with what is installed here"
    )

    image: Text | None = Field(default=None, description="Image of the container.")
    pull_policy: Text | None = Field(default=None, description="When to pull: ALWAYS, IF_NOT_PRESENT or NEVER.")
    host: Text | None = Field(default=None, description="Address of the Docker engine.")
    config: JsonValue = Field(default=None, description="Docker's client configuration.")
    credentials: Credentials | None = Field(default=None, description="How to log in where images come from.")
    user: Text | None = Field(default=None, description="User inside the container.")
    entry_point: list[Text] | None = Field(default=None, description="Entry point of the container.")
    extra_hosts: list[Text] | None = Field(default=None, description="Further hosts, as `name:address`.")
    network_mode: Text | None = Field(default=None, description="Network of the container.")
    port_bindings: list[Text] | None = Field(default=None, description="Ports to open, as `host:container`.")
    volumes: list[Text] | None = Field(default=None, description="Volumes to mount.")
    file_handling_strategy: Text | None = Field(default=None, description="How files get in: VOLUME or MOUNT.")
    device_requests: list[JsonValue] | None = Field(default=None, description="Devices, such as GPUs.")
    cpu: dict[str, JsonValue] | None = Field(default=None, description="Limits of processors, such as `cpus: 2`.")
    memory: dict[str, JsonValue] | None = Field(default=None, description="Limits of memory, such as `memory: 1GB`.")
    shm_size: Text | None = Field(default=None, description="Size of /dev/shm.")
    privileged: bool | None = Field(default=None, description="Whether the container has all rights.")
    resume: bool | None = Field(default=None, description="Whether a container that still runs is taken up again.")
    delete: bool | None = Field(default=None, description="Whether the container is removed afterwards.")
    wait: bool | None = Field(default=None, description="Whether to wait for the end of the container.")
    kill_grace_period: Text | None = Field(default=None, description="How long it may take to end when killed.")
    env: dict[str, Text] | None = Field(default=None, description="Environment of the container.")
    labels: dict[str, Text] | None = Field(default=None, description="Labels of the container.")
