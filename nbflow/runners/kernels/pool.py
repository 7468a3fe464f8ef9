"""Kernels started in advance, each lent once and ended by a signal; one pool for each event loop.

lend ─► a ready one, or one that is starting, or a new one ─► used ─► ended
  └─► later ─► as many are started again as were wanted at once; those nobody wants for a while are ended
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from nbflow.plugins.kernels import KernelKey, KernelStartError
from nbflow.runners.kernels.kernel import Kernel, new_context
from nbflow.runners.kernels.specs import KernelSpec, find_spec

_TRIES = 3
_IDLE_SECONDS = 300.0
_REFILL_SECONDS = 0.15
"""How long a refill waits: it takes a core, which the notebook that has just got its kernel may need."""


@dataclass(slots=True)
class _Shelf:
    """The kernels of one key: ready, starting, and those who wait for one."""

    ready: deque[Kernel] = field(default_factory=deque)
    starting: int = 0
    waiting: deque[asyncio.Future[Kernel]] = field(default_factory=deque)
    lent: int = 0
    wanted: int = 1
    """How many are kept ready: as many as were lent at once."""
    used_at: float = 0.0


class KernelPool:
    """Kernels of one event loop; implements `nbflow.plugins.kernels.Kernels`.

    `size` is how many are kept ready at most, and how many start at once. `is_eager` says whether it starts any in
    advance. Nothing needs to be closed: the pool ends with its loop.
    """

    def __init__(self, size: int | None = None, *, is_eager: bool = True, idle_seconds: float = _IDLE_SECONDS) -> None:
        self.size = max(size or os.cpu_count() or 1, 1)
        self._is_eager = is_eager
        self._idle_seconds = idle_seconds
        self._gate = asyncio.Semaphore(self.size)
        self._shelves: dict[KernelKey, _Shelf] = {}
        self._specs: dict[tuple[str, str], KernelSpec] = {}
        self._context: Any = None  # Any: a zmq.asyncio.Context
        self._alive: set[Kernel] = set()
        self._ending: set[Kernel] = set()
        self._parked: dict[str, tuple[Kernel, asyncio.Task[Any] | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        self._own(self._keep())

    @asynccontextmanager
    async def lend(self, key: KernelKey) -> AsyncIterator[Kernel]:
        shelf = self._shelves.setdefault(key, _Shelf())
        kernel = await self._take(key, shelf)
        shelf.lent += 1
        shelf.wanted = min(max(shelf.wanted, shelf.lent), self.size)
        shelf.used_at = self._loop.time()
        if self._is_eager and not key.directory:
            self._loop.call_later(_REFILL_SECONDS, self._refill, key, shelf)
        try:
            yield kernel
        finally:
            shelf.lent -= 1
            shelf.used_at = self._loop.time()
            self._hand_back(kernel)

    @asynccontextmanager
    async def attach(self, connection_file: Path, pid: int) -> AsyncIterator[Kernel]:
        await asyncio.sleep(0)  # one that was parked just now gets there
        kernel, _ = self._parked.pop(str(connection_file), (None, None))
        if kernel is None:
            if self._context is None:
                self._context = new_context()
            kernel = await Kernel.attach(connection_file, pid, self._context)
            self._alive.add(kernel)
        try:
            yield kernel
        finally:
            self._hand_back(kernel)

    def language_of(self, name: str) -> str | None:
        try:
            return self._spec(KernelKey(name)).language
        except KernelStartError:
            return None

    async def warm_up(self, key: KernelKey, count: int = 1) -> None:
        shelf = self._shelves.setdefault(key, _Shelf())
        shelf.wanted = max(shelf.wanted, count)
        shelf.used_at = self._loop.time()
        missing = count - len(shelf.ready) - shelf.starting
        for _ in range(missing):
            self._begin(key, shelf)
        while len(shelf.ready) < count:
            kernel = await self._wait(key, shelf)
            shelf.ready.appendleft(kernel)
            await asyncio.sleep(0)

    @property
    def count(self) -> int:
        """How many kernels are alive, those that are starting not counted."""
        return len(self._alive) + len(self._ending)

    def ready(self, key: KernelKey) -> int:
        """How many of a key are ready."""
        return len(self._shelves[key].ready) if key in self._shelves else 0

    async def _take(self, key: KernelKey, shelf: _Shelf) -> Kernel:
        while shelf.ready:
            kernel = shelf.ready.popleft()
            if kernel.is_alive:
                kernel.was_warm = True
                return kernel
            self._end(kernel)
        return await self._wait(key, shelf)

    async def _wait(self, key: KernelKey, shelf: _Shelf) -> Kernel:
        """The next kernel of a key that has started."""
        waiter: asyncio.Future[Kernel] = self._loop.create_future()
        shelf.waiting.append(waiter)
        if shelf.starting < len(shelf.waiting):
            self._begin(key, shelf)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in shelf.waiting:
                shelf.waiting.remove(waiter)
            elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._put(shelf, waiter.result())
            raise

    def _begin(self, key: KernelKey, shelf: _Shelf) -> None:
        shelf.starting += 1
        self._own(self._start(key, shelf))

    async def _start(self, key: KernelKey, shelf: _Shelf) -> None:
        try:
            kernel = await self._started(key)
        except KernelStartError as error:
            shelf.starting -= 1
            shelf.wanted = 0
            while shelf.waiting and shelf.starting < len(shelf.waiting):
                waiter = shelf.waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(error)
            return
        except BaseException:
            shelf.starting -= 1
            raise
        shelf.starting -= 1
        self._put(shelf, kernel)

    async def _started(self, key: KernelKey) -> Kernel:
        """A new kernel. One that fails to start is tried again: that must not count as a failure of a task."""
        async with self._gate:
            spec = self._specs.get((key.name, key.python))
            if spec is None:
                spec = await asyncio.to_thread(self._spec, key)
            if self._context is None:
                self._context = new_context()
            for left in reversed(range(_TRIES)):
                try:
                    kernel = await Kernel.start(spec, key, self._context)
                except KernelStartError:
                    if not left:
                        raise
                else:
                    self._alive.add(kernel)
                    return kernel
        raise AssertionError

    def _spec(self, key: KernelKey) -> KernelSpec:
        known = self._specs.get((key.name, key.python))
        if known is None:
            known = self._specs[(key.name, key.python)] = find_spec(key)
        return known

    def _put(self, shelf: _Shelf, kernel: Kernel) -> None:
        while shelf.waiting:
            waiter = shelf.waiting.popleft()
            if not waiter.done():
                waiter.set_result(kernel)
                return
        shelf.ready.append(kernel)

    def _hand_back(self, kernel: Kernel) -> None:
        if kernel.parked_for is not None and kernel.is_alive:
            self._own(self._keep_parked(kernel, kernel.parked_for))
        else:
            self._end(kernel)

    async def _keep_parked(self, kernel: Kernel, limit: timedelta) -> None:
        """Let a kernel live until its time is up, unless it ends before or somebody takes it."""
        path, mine = str(kernel.connection_file), asyncio.current_task()
        kernel.parked_for = None
        self._parked[path] = kernel, mine
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit.total_seconds()):
                await kernel.wait()
        if self._parked.get(path) == (kernel, mine):
            del self._parked[path]
            self._end(kernel)

    def _end(self, kernel: Kernel) -> None:
        """Begin to end a kernel, unless that has begun."""
        if kernel in self._alive:
            self._alive.discard(kernel)
            self._ending.add(kernel)  # a task that is cancelled before its first step never runs
            self._own(self._ended(kernel))

    async def _ended(self, kernel: Kernel) -> None:
        await kernel.end()
        self._ending.discard(kernel)

    def _refill(self, key: KernelKey, shelf: _Shelf) -> None:
        if self._is_closed or self._shelves.get(key) is not shelf:
            return
        room = self.size - sum(len(other.ready) + other.starting for other in self._shelves.values())
        missing = shelf.wanted - len(shelf.ready) - (shelf.starting - len(shelf.waiting))
        for other in sorted(self._shelves.values(), key=lambda other: other.used_at):
            while missing > room and other is not shelf and other.ready:  # what was not wanted for longest goes
                self._end(other.ready.popleft())
                room += 1
        for _ in range(min(missing, room)):
            self._begin(key, shelf)

    async def _keep(self) -> None:
        """End what nobody has wanted for a while; and everything, at once, when the loop ends."""
        try:
            while True:
                await asyncio.sleep(self._idle_seconds / 4)
                old = self._loop.time() - self._idle_seconds
                for key, shelf in list(self._shelves.items()):
                    if shelf.used_at < old and not (shelf.lent or shelf.waiting or shelf.starting):
                        del self._shelves[key]
                        for kernel in shelf.ready:
                            self._end(kernel)
        finally:
            self._is_closed = True
            others = [task for task in self._tasks if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            for kernel in [*self._alive, *self._ending]:
                kernel.end_now()
            self._alive.clear()
            self._ending.clear()
            if self._context is not None:
                self._context.destroy(linger=0)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all kernels now, those that are lent included."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


_POOLS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, KernelPool] = weakref.WeakKeyDictionary()


def pool_of_loop() -> KernelPool:
    """The pool of the running event loop."""
    loop = asyncio.get_running_loop()
    pool = _POOLS.get(loop)
    if pool is None:
        pool = _POOLS[loop] = KernelPool()
    return pool
