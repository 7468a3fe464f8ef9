"""A place in a pool: at most so many task runs of a pool work at once, over all flows and engines of a home.

The history says who works and who came first (`nbflow.store.pools`); of those that wait in this engine, the one at the
head of the line asks. It is told at once of a slot freed here, and looks for those that other engines free.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from nbflow.engine.history import History
from nbflow.model.execution import TaskRun
from nbflow.model.state import State
from nbflow.model.task import Task
from nbflow.store import Store

_LOOK_SECONDS = 0.05
_LOOKS = 20
"""Looks without a commit by anybody after which the head asks nonetheless: a lease runs out without one."""


class _Line:
    """Those that wait for a slot of one pool in this engine, in the order in which they came."""

    def __init__(self) -> None:
        self.freed = asyncio.Event()
        self._turns: dict[str, asyncio.Event] = {}

    @contextmanager
    def place(self, run_id: str) -> Iterator[asyncio.Event]:
        """A place at the end of the line; the event is set once it is the first."""
        turn = self._turns[run_id] = asyncio.Event()
        self._call_first()
        try:
            yield turn
        finally:
            del self._turns[run_id]
            self._call_first()

    def _call_first(self) -> None:
        first = next(iter(self._turns.values()), None)
        if first is not None:
            first.set()


class Pools:
    """Admits the task runs of one engine to pools."""

    def __init__(self, store: Store, engine_id: str) -> None:
        self._store = store
        self._engine_id = engine_id
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)

    @asynccontextmanager
    async def slot(self, task: Task, history: History, run: TaskRun) -> AsyncIterator[TaskRun]:
        """What a task run holds while it works, if its task is of a pool; the task run, which was QUEUED if it waited.

        One that is PAUSED has kept its slot. A pool that is not set holds nobody up: its tasks do not come here.
        """
        slots = None if task.pool is None else self._store.settings.pools.get(task.pool)
        if task.pool is None or slots is None:
            yield run
            return
        line = self._lines[task.pool]
        if run.state is not State.PAUSED:
            run = await self._enter(line, task.pool, slots, history, run)
        try:
            yield run
        finally:
            line.freed.set()  # what ends the task run is deferred before anybody who is woken here can ask

    async def _enter(self, line: _Line, pool: str, slots: int, history: History, run: TaskRun) -> TaskRun:
        pools = self._store.pools
        with line.place(run.id) as turn:
            # Nothing is awaited between the two: the line here and the one in the history have the same order.
            if await pools.join(pool, slots, run, self._engine_id, history.now()):
                return run
            run = history.save(run.move(State.QUEUED, history.now()))
            await turn.wait()
            is_freed = True
            while True:
                line.freed.clear()
                seen = self._store.data_version()
                asked = (pool, slots, run, self._engine_id, history.now())
                may_be_free = is_freed or await asyncio.to_thread(pools.has_room, *asked)
                if may_be_free and await pools.take(*asked):
                    return run
                is_freed = await self._changed(line, seen)

    async def _changed(self, line: _Line, seen: int) -> bool:
        """Wait until it is worth to ask again; whether a slot was freed in this engine."""
        for _ in range(_LOOKS):
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await line.freed.wait()
                    return True
            except TimeoutError:
                if self._store.data_version() != seen:
                    return False
        return False
