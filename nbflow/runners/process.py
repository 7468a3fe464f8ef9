"""The task runner that runs commands as processes of this machine.

start (own session), or one that waits ─► read both streams ─► ended ─► what it left in its group is killed
                          └── cancelled ─► SIGTERM to all descendants ─► SIGKILL to those still there
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from nbflow.errors import TaskFailedError
from nbflow.model.base import Duration
from nbflow.model.sizes import Size
from nbflow.plugins import Command, Example, TaskRunner, runner_type
from nbflow.plugins.runner import OnLine, TakesLines
from nbflow.runners.ending import MARK, end_all, end_group, kill_all
from nbflow.runners.lines import LineSplitter
from nbflow.runners.pythons import WaitingPython, pool_of_loop
from nbflow.runners.running import CHUNK_BYTES, Running
from nbflow.types import new_id

_LAST_OUTPUT_SECONDS = 1.0
"""How long to read on after a command has ended while a process it left behind keeps its output open."""
_MOST_READS = 60
"""How many such spans to read on while lines keep coming."""


def _memory_of(value: object) -> object:
    """`memory: 1GB`, or as the Docker task runner has it, `memory: {memory: 1GB}`."""
    return value["memory"] if isinstance(value, dict) and set(value) == {"memory"} else value


_EXAMPLE = """\
type: io.kestra.plugin.scripts.python.Script
taskRunner:
  type: io.kestra.plugin.core.runner.Process
  memory: 512Mi
  cpuTime: PT1M
script: print(sum(range(1000)))
"""


@runner_type(
    "io.kestra.plugin.core.runner.Process",
    aliases=["process"],
    old_names=["io.kestra.plugin.scripts.runner.process.Process", "io.kestra.core.models.tasks.runners.types.Process"],
    examples=[Example(_EXAMPLE, "Limit what a script may use.")],
)
class Process(TaskRunner):
    """Run commands as processes of this machine; no container is needed."""

    grace_seconds: ClassVar[float] = 2.0

    memory: Annotated[Size, Field(gt=0), BeforeValidator(_memory_of)] | None = Field(
        default=None, description="Memory that each of its processes may use, such as 512Mi."
    )
    cpu_time: Duration | None = Field(
        default=None, gt=timedelta(), description="Time that each of its processes may compute, such as PT10S."
    )

    async def execute(self, command: Command, on_line: OnLine) -> int:
        """Run a command to its end; its exit status, negative for the signal that ended it.

        Raises: TaskFailedError when it cannot be started.
        """
        process, mark = await _under_way(self._limited(command))
        readers = [_Reader(process.stdout, False, on_line), _Reader(process.stderr, True, on_line)]
        try:
            async with asyncio.TaskGroup() as group:
                reading = {group.create_task(reader.run()): reader for reader in readers}
                try:
                    await process.exited.wait()
                    await _read_out(reading)
                except asyncio.CancelledError:
                    await _end(process, mark, self.grace_seconds)  # what it says meanwhile is still read
                    await asyncio.wait(reading, timeout=_LAST_OUTPUT_SECONDS)
                    raise
                _end_leftovers(process.pid)
                await _read_out(reading)
                for reader in reading:  # held open by a process that left the group on purpose
                    reader.cancel()
        except ExceptionGroup as several:  # what listens to the lines has failed; the first failure says why
            raise several.exceptions[0] from several
        finally:
            if process.status is None:
                _kill(process, mark)
            process.close()  # a process that keeps its end of a pipe open must not keep this one's
        assert process.status is not None
        return process.status

    def _limited(self, command: Command) -> Command:
        """The command with the limits of this runner, where it has none of its own."""
        seconds = self.cpu_time.total_seconds() if self.cpu_time else None
        return replace(command, memory=command.memory or self.memory, cpu_seconds=command.cpu_seconds or seconds)


async def _under_way(command: Command) -> tuple[Running | WaitingPython, str]:
    """The process of a command, and the mark of its descendants; a Python may have been started in advance."""
    waiting = pool_of_loop().take(command) if command.ahead is not None else None
    if waiting is not None:
        try:
            await waiting.become(command)
        except BaseException:
            kill_all(waiting.pid, waiting.mark)
            waiting.close()
            raise
        return waiting, waiting.mark
    mark = new_id()
    return await _started(command, mark), mark


async def _started(command: Command, mark: str) -> Running:
    """The process of a command. Cancelled meanwhile, it is ended: asyncio itself would wait for all its descendants."""
    starting = asyncio.ensure_future(_start(command, mark))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(TaskFailedError):
            process = await starting
            _kill(process, mark)
            process.transport.close()
        raise


async def _start(command: Command, mark: str) -> Running:
    arguments = [*_limits(command), *command.arguments]
    try:
        transport, process = await asyncio.get_running_loop().subprocess_exec(
            Running,
            *arguments,
            cwd=command.working_dir,
            env={**command.env, MARK: mark},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as cause:
        raise TaskFailedError(
            f"`{arguments[0]}` cannot be started: {cause.strerror or cause}",
            hint="is it installed, and on the PATH of the task?",
        ) from cause
    process.transport = transport
    return process


def _limits(command: Command) -> Sequence[str]:
    """A shell that sets the limits and then becomes the command: a limit set after the start would come too late."""
    limits = []
    if command.memory is not None:
        # What it may write to. `-v` counts what it has but reserved, too: Node, Go and Java could not even start.
        limits.append(f"ulimit -d {max(command.memory // 1024, 1)}")
    if command.cpu_seconds is not None:
        seconds = max(round(command.cpu_seconds), 1)
        limits.append(f"ulimit -S -t {seconds} && ulimit -H -t {seconds + 1}")  # SIGXCPU says why, before SIGKILL
    if not limits or os.name != "posix":
        return ()
    return ("/bin/sh", "-c", " && ".join([*limits, 'exec "$@"']), "sh")


class _Reader:
    """Reads a stream to its end, line by line."""

    def __init__(self, stream: asyncio.StreamReader | None, is_error: bool, on_line: OnLine) -> None:
        assert stream is not None
        self._stream = stream
        self._is_error = is_error
        self._on_line = on_line
        self.is_waiting = False
        """Whether all that has come was handed on."""

    async def run(self) -> None:
        splitter = LineSplitter()
        try:
            while data := await self._next():
                await self._hand_on(splitter.feed(data))
        finally:
            await self._hand_on(splitter.end())

    async def _next(self) -> bytes:
        self.is_waiting = True
        try:
            return await self._stream.read(CHUNK_BYTES)
        finally:
            self.is_waiting = False

    async def _hand_on(self, lines: list[str]) -> None:
        if isinstance(self._on_line, TakesLines):
            if lines:
                await self._on_line.many(lines, self._is_error)
            return
        for line in lines:
            await self._on_line(line, self._is_error)


async def _read_out(reading: Mapping[asyncio.Task[None], _Reader]) -> None:
    """Read on until both streams end, or nothing comes any more: a process left behind may keep them open."""
    for _ in range(_MOST_READS):
        _, going_on = await asyncio.wait(reading, timeout=_LAST_OUTPUT_SECONDS)
        if all(reading[task].is_waiting for task in going_on):
            return


def _end_leftovers(pid: int) -> None:
    if os.name == "posix":
        end_group(pid)


async def _end(process: Running | WaitingPython, mark: str, grace: float) -> None:
    if os.name == "posix":
        await end_all(process.pid, mark, grace)
    else:
        _kill(process, mark)


def _kill(process: Running | WaitingPython, mark: str) -> None:
    if os.name == "posix":
        kill_all(process.pid, mark)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
