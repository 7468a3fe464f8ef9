"""The task runner that runs commands as processes of this machine.

start (own session) ─► read both streams ─► ended ─► what it left in its group is killed
                          └── cancelled ─► SIGTERM to all descendants ─► SIGKILL to those still there
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from typing import ClassVar

from nbflow.errors import TaskFailedError
from nbflow.plugins import Command, TaskRunner, runner_type
from nbflow.plugins.runner import OnLine
from nbflow.runners.ending import MARK, end_all, end_group, kill_all
from nbflow.runners.lines import LineSplitter
from nbflow.types import new_id

_CHUNK_BYTES = 64 * 1024
_LAST_OUTPUT_SECONDS = 1.0
"""How long to read on after a command has ended while a process it left behind keeps its output open."""


@runner_type(
    "io.kestra.plugin.core.runner.Process",
    aliases=["process"],
    old_names=["io.kestra.plugin.scripts.runner.process.Process", "io.kestra.core.models.tasks.runners.types.Process"],
)
class Process(TaskRunner):
    """Run commands as processes of this machine; no container is needed."""

    grace_seconds: ClassVar[float] = 2.0

    async def execute(self, command: Command, on_line: OnLine) -> int:
        """Run a command to its end; its exit status, negative for the signal that ended it.

        Raises: TaskFailedError when it cannot be started.
        """
        mark = new_id()
        process = await _started(command, mark)
        try:
            async with asyncio.TaskGroup() as group:
                readers = [
                    group.create_task(_read(process.stdout, False, on_line)),
                    group.create_task(_read(process.stderr, True, on_line)),
                ]
                try:
                    await process.exited.wait()
                    await asyncio.wait(readers, timeout=_LAST_OUTPUT_SECONDS)
                except asyncio.CancelledError:
                    await _end(process, mark, self.grace_seconds)  # what it says meanwhile is still read
                    await asyncio.wait(readers, timeout=_LAST_OUTPUT_SECONDS)
                    raise
                _end_leftovers(process.pid)
                await asyncio.wait(readers, timeout=_LAST_OUTPUT_SECONDS)
                for reader in readers:  # held open by a process that left the group on purpose
                    reader.cancel()
        except ExceptionGroup as several:  # what listens to the lines has failed; the first failure says why
            raise several.exceptions[0] from several
        finally:
            if process.status is None:
                _kill(process, mark)
            process.transport.close()  # a process that keeps its end of a pipe open must not keep this one's
        assert process.status is not None
        return process.status


class _Running(asyncio.subprocess.SubprocessStreamProtocol):
    """A process under way. asyncio's own `wait` returns once nobody holds the pipes any more; this tells before."""

    transport: asyncio.SubprocessTransport

    def __init__(self) -> None:
        super().__init__(limit=_CHUNK_BYTES, loop=asyncio.get_running_loop())
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        self.exited.set()
        super().process_exited()

    @property
    def pid(self) -> int:
        return self.transport.get_pid()

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self.transport.get_returncode()


async def _started(command: Command, mark: str) -> _Running:
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


async def _start(command: Command, mark: str) -> _Running:
    arguments = [*_limits(command), *command.arguments]
    try:
        transport, process = await asyncio.get_running_loop().subprocess_exec(
            _Running,
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
        limits.append(f"ulimit -v {max(command.memory // 1024, 1)}")
    if command.cpu_seconds is not None:
        limits.append(f"ulimit -t {max(round(command.cpu_seconds), 1)}")
    if not limits or os.name != "posix":
        return ()
    return ("/bin/sh", "-c", " && ".join([*limits, 'exec "$@"']), "sh")


async def _read(stream: asyncio.StreamReader | None, is_error: bool, on_line: OnLine) -> None:
    assert stream is not None
    splitter = LineSplitter()
    try:
        while data := await stream.read(_CHUNK_BYTES):
            for line in splitter.feed(data):
                await on_line(line, is_error)
    finally:
        for line in splitter.end():
            await on_line(line, is_error)


def _end_leftovers(pid: int) -> None:
    if os.name == "posix":
        end_group(pid)


async def _end(process: _Running, mark: str, grace: float) -> None:
    if os.name == "posix":
        await end_all(process.pid, mark, grace)
    else:
        _kill(process, mark)


def _kill(process: _Running, mark: str) -> None:
    if os.name == "posix":
        kill_all(process.pid, mark)
    with contextlib.suppress(ProcessLookupError):
        process.transport.kill()
