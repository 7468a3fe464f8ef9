"""The task runner that runs commands in containers of a Docker engine, or as processes where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field, PrivateAttr

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.model.base import Duration, Text
from nbflow.model.containers import ContainerOptions, FileHandling
from nbflow.model.dynamic import Dynamic, render_model
from nbflow.plugins import Command, Example, RunContext, TaskRunner, runner_type
from nbflow.plugins.runner import OnLine
from nbflow.runners.docker.container import Container
from nbflow.runners.docker.engine import Engine, NoEngineError, connect
from nbflow.runners.docker.files import path_inside
from nbflow.runners.docker.instead import Instead
from nbflow.runners.docker.leftovers import DIRECTORY, labels_of, remove_leftovers, resumable_container
from nbflow.runners.docker.login import in_registry

_NANO = 1_000_000_000

_EXAMPLE = """\
type: io.kestra.plugin.scripts.shell.Commands
containerImage: alpine:3
taskRunner:
  type: io.kestra.plugin.scripts.runner.docker.Docker
  pullPolicy: IF_NOT_PRESENT
  cpu:
    cpus: 1
  memory:
    memory: 512MB
commands:
  - echo "hello from $(hostname)"
"""


@runner_type(
    "io.kestra.plugin.scripts.runner.docker.Docker",
    aliases=["docker"],
    old_names=["io.kestra.plugin.scripts.runner.docker.DockerTaskRunner"],
    examples=[Example(_EXAMPLE, "Run commands in a container, with limits.", needs="a Docker engine")],
)
class Docker(TaskRunner, ContainerOptions):
    """Run commands in a container of a Docker engine.

    Where none is reachable, they run as processes of this machine with a warning, unless `docker: require` is set.
    """

    runs_here: ClassVar[bool] = False

    image: Dynamic[Text] | None = Field(default=None, description="Image; the task's `containerImage` unless said.")
    file_handling_strategy: Dynamic[FileHandling] = Field(
        default=FileHandling.VOLUME,
        description="How files get in and out: VOLUME copies them, MOUNT mounts the working directory, for which the "
        "engine must be on this machine.",
    )
    resume: Dynamic[bool] = Field(
        default=True, description="Whether a container that outlived nbflow's process is taken up again."
    )
    delete: Dynamic[bool] = Field(default=True, description="Whether the container is removed afterwards.")
    wait: Dynamic[bool] = Field(default=True, description="Whether to wait for the end of the container.")
    kill_grace_period: Dynamic[Duration] = Field(
        default=timedelta(), description="How long it may take to end by itself when it is killed."
    )
    env: Dynamic[dict[str, Text]] | None = Field(default=None, description="Further variables of the environment.")
    labels: Dynamic[dict[str, Text]] | None = Field(default=None, description="Further labels of the container.")

    _ctx: RunContext | None = PrivateAttr(default=None)
    _engine: Engine | None = PrivateAttr(default=None)

    async def prepared(self, ctx: RunContext, image: str | None, names: Mapping[str, object]) -> TaskRunner:
        """This runner with its properties rendered and its engine found, or a process where the policy allows it.

        Raises: NoEngineError; MissingExtraError.
        """
        wanted = self._rendered(ctx, names)
        image = str(wanted.image or image or "") or None
        policy = ctx.settings.docker.policy
        if policy == "never":
            ctx.log.debug("containers are switched off: the script runs as a process of this machine")
            return Instead().of(ctx, image)
        try:
            return await self.in_container(ctx, image, names)
        except (NoEngineError, MissingExtraError) as missing:
            if policy == "require":
                raise
            ctx.log.warning(
                "%s: the script runs as a process of this machine, without the image %s; Python packages it needs "
                "come from its `dependencies`",
                missing.message,
                image,
            )
            return Instead().of(ctx, image)

    async def in_container(self, ctx: RunContext, image: str | None, names: Mapping[str, object]) -> TaskRunner:
        """The same, with no process instead. Raises: NoEngineError; MissingExtraError."""
        wanted = self._rendered(ctx, names)
        if wanted is self:
            wanted = self.model_copy()
        image = str(wanted.image or image or "")
        if not image:
            raise TaskFailedError("there is no image to make a container of", hint="set `containerImage`")
        if wanted.volumes and not ctx.settings.docker.volumes:
            raise TaskFailedError("`volumes` are switched off", hint="`docker.volumes: true` in the settings")
        wanted.image = image
        wanted._ctx = ctx
        wanted._engine = await asyncio.to_thread(wanted._connected)
        return wanted

    async def engine(self, ctx: RunContext) -> Engine:
        """The engine that this runner's properties name. Raises: NoEngineError; MissingExtraError."""
        return await asyncio.to_thread(connect, self._rendered(ctx, {}), ctx.settings.docker)

    def with_registry(self, image: str) -> str:
        """An image's name with the registry of the credentials before it."""
        return in_registry(image, self.credentials)

    async def execute(self, command: Command, on_line: OnLine) -> int:
        """Run a command in a container of its own; its exit status. Raises: TaskFailedError."""
        ctx, engine = self._ctx, self._engine
        if ctx is None or engine is None:
            raise TypeError("a container needs a task run: ask `prepared` first")
        found = None
        may_be_left = self.resume and self.delete and self.wait and ctx.attempt > 0
        if may_be_left and self.file_handling_strategy is FileHandling.VOLUME:
            left = await asyncio.to_thread(resumable_container, engine, ctx)
            if left is not None:
                ctx.log.info("going on with the container %s, which outlived the last attempt", left["Id"][:12])
                found = {"id": left["Id"], "directory": left["Labels"][DIRECTORY]}
        container = Container(
            engine,
            str(self.image),
            self._arguments(command, ctx),
            command.working_dir,
            say=lambda text: ctx.log.info("%s", text),
            pull_policy=self.pull_policy,
            files=self.file_handling_strategy,
            delete=self.delete,
            wait=self.wait,
            grace_seconds=self.kill_grace_period.total_seconds(),
            found=found,
        )
        return await container.run(on_line)

    def _rendered(self, ctx: RunContext, names: Mapping[str, object]) -> Docker:
        return render_model(self, lambda value, keeps_types: ctx.render_value(value, names))

    def _connected(self) -> Engine:
        ctx = self._ctx
        assert ctx is not None
        engine = connect(self, ctx.settings.docker)
        remove_leftovers(engine, ctx)
        return engine

    def _arguments(self, command: Command, ctx: RunContext) -> dict[str, Any]:  # Any: what the docker package takes
        """What the engine is to make; what is None is left to the engine."""
        from docker.types import Ulimit
        from docker.utils.ports import build_port_bindings

        directory = path_inside(command.working_dir)
        is_ours = self.delete and self.wait
        binds = list(self.volumes or [])
        if self.file_handling_strategy is FileHandling.MOUNT:
            binds.append(f"{command.working_dir}:{directory}:rw")
        seconds = command.cpu_seconds
        memory = self.memory
        arguments = {
            "command": list(command.arguments) or None,
            "entrypoint": self.entry_point,
            "environment": {**command.env, **(self.env or {})},
            "user": self.user,
            "working_dir": directory,
            "labels": {
                **(self.labels or {}),
                **labels_of(ctx, directory, is_ours=is_ours, resumable=self.resume),
            },
            "network_mode": self.network_mode,
            "extra_hosts": self.extra_hosts,
            "ports": build_port_bindings(self.port_bindings) if self.port_bindings else None,
            "volumes": binds or None,
            "nano_cpus": round(self.cpu.cpus * _NANO) if self.cpu and self.cpu.cpus else None,
            "mem_limit": (memory.memory if memory else None) or command.memory,
            "memswap_limit": memory.memory_swap if memory else None,
            "mem_swappiness": memory.memory_swappiness if memory else None,
            "mem_reservation": memory.memory_reservation if memory else None,
            "kernel_memory": memory.kernel_memory if memory else None,
            "oom_kill_disable": memory.oom_kill_disable if memory else None,
            "shm_size": self.shm_size,
            "privileged": self.privileged,
            "device_requests": self._devices(),
            "ulimits": [Ulimit(name="cpu", soft=round(seconds), hard=round(seconds) + 1)] if seconds else None,
        }
        return {name: value for name, value in arguments.items() if value is not None}

    def _devices(self) -> Sequence[object] | None:
        from docker.types import DeviceRequest

        return [
            DeviceRequest(
                driver=request.driver or "",
                count=request.count or (0 if request.device_ids else -1),
                device_ids=request.device_ids or [],
                capabilities=request.capabilities or [],
                options=request.options or {},
            )
            for request in self.device_requests or []
        ] or None
