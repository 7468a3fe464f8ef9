"""The task runner that runs commands as processes of this machine.

start (own session) ─► read both streams ─► ended ─► what it left in its group is killed
                          └── cancelled ─► SIGTERM to all descendants ─► SIGKILL to those still there
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
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
        process = await _start(command, mark)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.TaskGroup() as group:
                readers = [
                    group.create_task(_read(process.stdout, False, on_line)),
                    group.create_task(_read(process.stderr, True, on_line)),
                ]
                try:
                    status = await process.wait()
                    await asyncio.wait(readers, timeout=_LAST_OUTPUT_SECONDS)
                except asyncio.CancelledError:
                    await _end(process, mark, self.grace_seconds)  # what it says meanwhile is still read
                    await asyncio.wait(readers, timeout=_LAST_OUTPUT_SECONDS)
                    raise
                _end_leftovers(process.pid)
                await asyncio.wait(readers, timeout=_LAST_OUTPUT_SECONDS)
                for reader in readers:  # held open by a process that left the group on purpose
                    reader.cancel()
            return status
        finally:
            if process.returncode is None:
                _kill(process, mark)
            _close(process)


async def _start(command: Command, mark: str) -> asyncio.subprocess.Process:
    arguments = [*_limits(command), *command.arguments]
    try:
        return await asyncio.create_subprocess_exec(
            *arguments,
            cwd=command.working_dir,
            env={**command.env, MARK: mark},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_CHUNK_BYTES,
            start_new_session=True,
        )
    except OSError as cause:
        raise TaskFailedError(
            f"`{arguments[0]}` cannot be started: {cause.strerror or cause}",
            hint="is it installed, and on the PATH of the task?",
        ) from cause


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


async def _read(stream: asyncio.StreamReader, is_error: bool, on_line: OnLine) -> None:
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


async def _end(process: asyncio.subprocess.Process, mark: str, grace: float) -> None:
    if os.name == "posix":
        await end_all(process.pid, mark, grace)
    else:
        _kill(process, mark)


def _kill(process: asyncio.subprocess.Process, mark: str) -> None:
    if os.name == "posix":
        kill_all(process.pid, mark)
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _close(process: asyncio.subprocess.Process) -> None:
    """Close the pipes now: a process that keeps its end open must not keep this one's."""
    transport: asyncio.SubprocessTransport = process._transport  # type: ignore[attr-defined]  # asyncio names no other way
    transport.close()


def describe_status(status: int) -> str:
    """An exit status in words: `exit status 3`, or the signal that ended the process."""
    if status >= 0:
        return f"exit status {status}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-status).name}"
    return f"signal {-status}"
