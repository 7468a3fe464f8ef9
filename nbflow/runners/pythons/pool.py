"""Pythons started in advance, one pool for each event loop.

take ─► one that waits ─► it becomes the command ─► looked after as any process
  └─► soon, one after another ─► as many are started again as were wanted of late; those nobody wants are ended
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from nbflow.plugins import Command
from nbflow.runners.pythons.process import WaitingPython

_PER_RUN = ("WORKING_DIR", "OUTPUT_DIR")
"""Variables of the environment that no module reads when it is imported, and that differ from run to run."""

_LEAST, _MOST = 3, 6
"""How many wait at most: one for each core, but within these; each holds some 100 MB with pandas."""

_IDLE_SECONDS = 180.0
_LATELY_SECONDS = 60.0
_REFILL_SECONDS = 0.05
"""How long a refill waits: it takes a core, which the command that has just got its Python may need to start."""

_START_SECONDS = 60.0

_Key = tuple[str, tuple[tuple[str, str], ...]]
"""The interpreter and its environment."""


@dataclass(slots=True)
class _Shelf:
    """The Pythons of one key."""

    waiting: list[WaitingPython] = field(default_factory=list)
    modules: dict[str, None] = field(default_factory=dict)
    """Modules that its commands want, in the order they were first named."""
    taken: deque[float] = field(default_factory=deque)
    follow: int = 0
    """How many commands were said to follow the last one."""
    is_broken: bool = False
    used_at: float = 0.0


class PythonPool:
    """Pythons of one event loop. Nothing needs to be closed: the pool ends with its loop."""

    def __init__(self, size: int | None = None, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self.size = size or min(max(os.cpu_count() or 1, _LEAST), _MOST)
        self._idle_seconds = idle_seconds
        self._shelves: dict[_Key, _Shelf] = {}
        self._loop = asyncio.get_running_loop()
        self._lacks = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._own(self._fill())
        self._own(self._keep())

    def take(self, command: Command) -> WaitingPython | None:
        """A Python to become a command, where one waits that is alike; more are started for those that follow."""
        ahead = command.ahead
        if ahead is None or not _can_wait(command):
            return None
        shelf = self._shelves.setdefault(_key(command), _Shelf())
        shelf.modules.update(dict.fromkeys(ahead.modules))
        shelf.used_at = self._loop.time()
        shelf.taken.append(shelf.used_at)
        shelf.follow = ahead.follow
        self._lacks.set()
        for one in [one for one in shelf.waiting if not one.is_alive]:
            shelf.waiting.remove(one)
            one.close()
        if not shelf.waiting:
            return None
        wanted = set(ahead.modules)
        best = max(shelf.waiting, key=lambda one: (one.is_ready.is_set(), len(wanted & one.modules)))
        shelf.waiting.remove(best)
        return best

    def ready(self) -> int:
        """How many wait with all their modules imported."""
        return sum(one.is_ready.is_set() for shelf in self._shelves.values() for one in shelf.waiting)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(shelf.waiting) for shelf in self._shelves.values())

    async def close(self) -> None:
        """End all that wait."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fill(self) -> None:
        """Start what is lacking, one at a time: the commands that run need the other cores."""
        while True:
            await self._lacks.wait()
            self._lacks.clear()
            await asyncio.sleep(_REFILL_SECONDS)
            while (lacking := self._lacking()) is not None:
                await self._start(*lacking)

    def _lacking(self) -> tuple[_Key, _Shelf] | None:
        """The shelf that needs one most; what has become of no use is ended on the way."""
        lately = self._loop.time() - _LATELY_SECONDS
        newest_first = sorted(self._shelves.items(), key=lambda item: -item[1].used_at)
        for key, shelf in newest_first:
            while shelf.taken and shelf.taken[0] < lately:
                shelf.taken.popleft()
            for old in [one for one in shelf.waiting if not shelf.modules.keys() <= one.modules]:
                shelf.waiting.remove(old)
                old.end()
            wanted = min(max(shelf.follow, len(shelf.taken)), self.size)
            if shelf.is_broken or len(shelf.waiting) >= wanted:
                continue
            if self.count >= self.size:
                last = next((other for _, other in reversed(newest_first) if other.waiting), shelf)
                if last is shelf:
                    continue
                last.waiting.pop().end()
            return key, shelf
        return None

    async def _start(self, key: _Key, shelf: _Shelf) -> None:
        python, env = key
        try:
            one = WaitingPython(python, dict(env), tuple(shelf.modules))
        except OSError:  # the command itself will say why
            shelf.is_broken = True
            return
        shelf.waiting.append(one)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                await one.is_ready.wait()

    async def _keep(self) -> None:
        """End what nobody has wanted for a while; and everything, at once, when the loop ends."""
        try:
            while True:
                await asyncio.sleep(self._idle_seconds / 4)
                old = self._loop.time() - self._idle_seconds
                for key, shelf in list(self._shelves.items()):
                    if shelf.used_at < old:
                        del self._shelves[key]
                        for one in shelf.waiting:
                            one.end()
        finally:
            for shelf in self._shelves.values():
                for one in shelf.waiting:
                    one.end_now()
            self._shelves.clear()

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _can_wait(command: Command) -> bool:
    """Whether a Python can be started before this command is there: limits count from the start."""
    if os.name != "posix" or command.memory is not None or command.cpu_seconds is not None:
        return False
    path = command.env.get("PYTHONPATH", "")
    return len(command.arguments) > 1 and all(os.path.isabs(part) for part in path.split(os.pathsep) if path)


def _key(command: Command) -> _Key:
    env = tuple(sorted((name, value) for name, value in command.env.items() if name not in _PER_RUN))
    return command.arguments[0], env


_POOLS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, PythonPool] = weakref.WeakKeyDictionary()


def pool_of_loop() -> PythonPool:
    """The pool of the running event loop."""
    loop = asyncio.get_running_loop()
    pool = _POOLS.get(loop)
    if pool is None:
        pool = _POOLS[loop] = PythonPool()
    return pool
