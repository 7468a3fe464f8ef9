"""Ends a process with all its descendants, those included that left its group or lost their parents.

A descendant is known by its parents, by its process group, or by a mark in the environment it inherited: a process
that was made a daemon has neither parent nor group any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

MARK = "NBFLOW_PROCESS_MARK"
"""The environment variable that tells the descendants of one command from all other processes."""

GRACE_SECONDS = 2.0
"""How long processes may take to end by themselves after SIGTERM."""

_LOOK_SECONDS = 0.02
_PROC = Path("/proc")


async def end_all(pid: int, mark: str, grace: float = GRACE_SECONDS) -> None:
    """Ask a command's processes to end, and kill those that do not within `grace` seconds."""
    _signal(pid, mark, signal.SIGTERM)
    looks = max(round(grace / _LOOK_SECONDS), 1)
    try:
        for _ in range(looks):
            if not await asyncio.to_thread(descendants, pid, mark):
                return
            await asyncio.sleep(_LOOK_SECONDS)
    finally:  # even when nobody wants to wait any longer
        kill_all(pid, mark)


def kill_all(pid: int, mark: str) -> None:
    """Kill a command's processes at once; those they start meanwhile too."""
    looks_without = 0
    for _ in range(20):
        # A process that is forked while we read the list is not in it: only the second look in vain counts.
        looks_without = 0 if _signal(pid, mark, signal.SIGKILL) else looks_without + 1
        if looks_without == 2:
            return


def end_group(pid: int) -> None:
    """Kill what a command that has ended left in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _signal(pid: int, mark: str, number: signal.Signals) -> bool:
    """Send a signal to all processes of a command; whether there were any."""
    found = descendants(pid, mark)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    for descendant in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(descendant, number)
    return bool(found)


def descendants(pid: int, mark: str) -> set[int]:
    """The living processes of a command, itself included; empty where there is no /proc."""
    wanted = f"{MARK}={mark}".encode()
    children: dict[int, list[int]] = {}
    found: set[int] = set()
    for process, parent, group, state in _processes():
        if state in "ZX":  # ended; nobody has asked for its status yet
            continue
        children.setdefault(parent, []).append(process)
        if process == pid or group == pid or wanted in _environment(process):
            found.add(process)
    pending = list(found | {pid})
    while pending:
        for child in children.get(pending.pop(), ()):
            if child not in found:
                found.add(child)
                pending.append(child)
    return found - {os.getpid()}


def _processes() -> Iterator[tuple[int, int, int, str]]:
    """Process, parent, group and state of every process. Source: proc_pid_stat(5)."""
    if not _PROC.is_dir():
        return
    for name in os.listdir(_PROC):
        if name.isdigit():
            with contextlib.suppress(OSError):
                # The second field is the name in brackets, which may hold blanks and brackets itself.
                fields = (_PROC / name / "stat").read_text(errors="replace").rpartition(")")[2].split()
                yield int(name), int(fields[1]), int(fields[2]), fields[0]


def _environment(process: int) -> list[bytes]:
    with contextlib.suppress(OSError):
        return (_PROC / str(process) / "environ").read_bytes().split(b"\0")
    return []
