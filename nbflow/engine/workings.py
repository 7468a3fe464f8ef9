"""What all scopes of one execution share: its history, its variables, who may work now, and what is paused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from nbflow.engine.calls import FlowCalls
from nbflow.engine.fixtures import Fixtures
from nbflow.engine.history import History
from nbflow.engine.pools import Pools
from nbflow.engine.rendering import variables_now
from nbflow.engine.services import ExecutionServices
from nbflow.model.execution import TaskRun, instant
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.model.task import Task
from nbflow.store import Store
from nbflow.types import JsonValue


class Workings:
    """What all scopes of one execution share. `workers` are the slots of the engine for tasks that do work."""

    def __init__(
        self,
        flow: Flow,
        history: History,
        store: Store,
        calls: FlowCalls,
        workers: asyncio.Semaphore,
        pools: Pools,
        fixtures: Fixtures | None = None,
    ) -> None:
        self.flow = flow
        self.history = history
        self.store = store
        self.calls = calls
        self.pools = pools
        self.fixtures = fixtures
        self.services = ExecutionServices(history, store, flow.source)
        self.variables: dict[str, object] = {}
        self.refresh()
        self.is_killing = False
        """Whether a cancellation is a kill; otherwise the engine stops, and the execution goes on later."""
        self.passage = asyncio.Event()
        """Set while new task runs may begin; an execution that is paused as a whole lets none begin."""
        self.passage.set()
        self.on_task_end: Callable[[], None] | None = None
        """Called after each task run that ends, while there is something to watch."""
        self._workers = workers
        self._slots: dict[str, asyncio.Semaphore] = {}
        self._pauses: dict[str, asyncio.Future[None]] = {}

    def refresh(self) -> None:
        """Let expressions see the execution as it stands now: its state, its labels, and what went wrong."""
        self.variables = variables_now(self.flow, self.history, self.store, self.services)

    @asynccontextmanager
    async def slot(self, task: Task, run: TaskRun) -> AsyncIterator[TaskRun]:
        """What a task run holds while it works: a slot of the engine's, of its task's when that counts them, of its
        pool's; yields the task run, which may have been QUEUED meanwhile.
        """
        of_task: AbstractAsyncContextManager[None] = nullcontext()
        if task.concurrent:
            of_task = self._slots.setdefault(task.id, asyncio.Semaphore(task.concurrent))
        async with of_task, self.pools.slot(task, self.history, run) as admitted, self._workers:
            yield admitted

    async def pause(self, run: TaskRun, until: datetime | None, goes_on: bool = True) -> TaskRun:
        """Keep a task run PAUSED until it is resumed or the instant has come; its record then.

        After a crash it is still paused, or has been resumed; a run that was resumed is RUNNING.
        """
        history = self.history
        if run.state is not State.PAUSED:
            moves = [state for state, _ in run.history.moves]
            if (State.PAUSED, State.RUNNING) in pairwise(moves):
                return run
            history.save(run.move(State.PAUSED, history.now()))
        if history.execution.state is State.RUNNING:
            history.move(State.PAUSED)
        await history.durable()
        resumed = self._pauses.setdefault(run.id, asyncio.get_running_loop().create_future())
        try:
            await self._first(resumed, until)
        finally:
            del self._pauses[run.id]
        run = history.by_id(run.id)
        if run.state is State.PAUSED and goes_on:
            self._leave_pause(run)
        elif run.state is State.PAUSED:
            self._let_execution_go_on(run)
        return history.by_id(run.id)

    def resume(self, task_run_id: str, outputs: Mapping[str, JsonValue]) -> bool:
        """Let a paused task run go on with these outputs; whether there was such a one."""
        run = self.history.find_id(task_run_id)
        if run is None or run.state is not State.PAUSED:
            return False
        resumed: dict[str, JsonValue] = {"on": instant(self.history.now())}
        self._leave_pause(replace(run, outputs={**run.outputs, **outputs, "resumed": resumed}), State.RESTARTED)
        waiting = self._pauses.get(task_run_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        return True

    @property
    def paused(self) -> list[TaskRun]:
        """The task runs that are paused, the oldest first."""
        return [run for run in self.history.task_runs() if run.state is State.PAUSED]

    def _leave_pause(self, run: TaskRun, *by_way_of: State) -> None:
        self._let_execution_go_on(run, *by_way_of)
        # The task run comes last: when a crash keeps it PAUSED, the execution is paused once more.
        self.history.save(run.move(State.RUNNING, self.history.now()))

    def _let_execution_go_on(self, run: TaskRun, *by_way_of: State) -> None:
        """Bring the execution back to RUNNING, unless another task run than this one keeps it PAUSED."""
        others = [other for other in self.paused if other.id != run.id]
        if self.history.execution.state is State.PAUSED and not others and self.passage.is_set():
            for state in (*by_way_of, State.RUNNING):
                self.history.move(state)

    async def _first(self, resumed: asyncio.Future[None], until: datetime | None) -> None:
        """Return when it is resumed or the instant has come, by the engine's clock."""
        if until is None:
            await resumed
            return
        left = (until - self.history.now()).total_seconds()
        timer = asyncio.ensure_future(self.history.clock.sleep(max(left, 0)))
        try:
            await asyncio.wait([resumed, timer], return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
