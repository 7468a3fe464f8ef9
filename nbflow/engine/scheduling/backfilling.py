"""Running backfills: at most so many executions at once as each allows, the next when one has ended.

Each change of a backfill and the executions that it starts share a commit. An engine that dies leaves its backfills to
the scheduler, which goes on where they stand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nbflow.clock import Clock
from nbflow.engine.flows import Flows
from nbflow.engine.hub import Hub
from nbflow.engine.loop import EngineLoop
from nbflow.engine.ownership import Ownership
from nbflow.engine.scheduling.dating import Dating, Extra
from nbflow.engine.starting import Start
from nbflow.errors import NotFoundError, StoreError
from nbflow.model.backfill import Backfill, BackfillState
from nbflow.model.events import Event, ExecutionChanged
from nbflow.model.state import State
from nbflow.scheduler.backfill import next_of
from nbflow.store import Store
from nbflow.types import derived_id

BACKFILL = "backfill"
"""The label of every execution of a backfill."""
BACKFILL_ID = "system.backfill"
"""The label that says which one it is of."""
_LOOK_SECONDS = 0.25
_ADOPT_SECONDS = 1.0
_AGAIN_SECONDS = 1.0
_BATCH = 50
_MOST_REFUSED = 500

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    """A backfill that this engine runs."""

    backfill: Backfill
    wake: asyncio.Event


class Backfilling:
    """Runs backfills on the engine's loop."""

    def __init__(self, store: Store, clock: Clock, hub: Hub, loop: EngineLoop, flows: Flows, owned: Ownership) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._loop = loop
        self._flows = flows
        self._owned = owned
        self._running: dict[str, _Running] = {}
        self._is_adopting = False
        self._is_watching = False

    def lead(self) -> None:
        """Look after backfills that nobody runs, from now on. Call it on the loop."""
        if not self._is_adopting:
            self._is_adopting = True
            self._loop.own(self._adopt_all(), "nbflow-backfills")

    def run(self, backfill: Backfill) -> None:
        """Run a backfill that is this engine's own. Call it on the loop."""
        if not self._is_watching:
            self._is_watching = True
            self._hub.subscribe(self._changed)
        if backfill.id not in self._running and backfill.state is BackfillState.RUNNING:
            running = self._running[backfill.id] = _Running(backfill, asyncio.Event())
            self._loop.own(self._serve(running), f"nbflow-backfill-{backfill.id}")

    def wake(self, backfill_id: str) -> None:
        """Look at a backfill at once: somebody has changed it. Call it on the loop."""
        running = self._running.get(backfill_id)
        if running is not None:
            running.wake.set()

    def _changed(self, event: Event) -> None:
        if type(event) is not ExecutionChanged or not event.execution.state.is_terminal:
            return
        for running in list(self._running.values()):
            if event.execution.id in running.backfill.running:
                self._loop.call_soon(running.wake.set)

    async def _adopt_all(self) -> None:
        while True:
            try:
                for backfill in await asyncio.to_thread(self._store.backfills.unowned, self._clock.now()):
                    if backfill.id not in self._running:
                        mine = replace(backfill, owner=self._owned.engine_id)
                        taken = await self._store.backfills.step(backfill, mine)
                        if taken is not None:
                            self.run(taken)
            except StoreError as error:
                _log.warning("backfills must wait: %s", error, extra={"action": "backfill_failed"})
            await asyncio.sleep(_ADOPT_SECONDS)

    async def _serve(self, running: _Running) -> None:
        version = -1
        try:
            while True:
                try:
                    if await self._go_on(running):
                        return
                except StoreError as error:
                    _log.warning(
                        "backfill %s must wait: %s", running.backfill.id, error, extra={"action": "backfill_failed"}
                    )
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                while not running.wake.is_set():
                    await set_or_after(running.wake, _LOOK_SECONDS)
                    seen = self._store.data_version()
                    if seen != version:
                        version = seen
                        break
                running.wake.clear()
        except Exception as error:  # its flow is gone, or the like: it can never go on
            await self._give_up(running.backfill, error)
        finally:
            self._running.pop(running.backfill.id, None)

    async def _go_on(self, running: _Running) -> bool:
        """Settle what has ended and start what may begin; whether there is nothing left to do here."""
        before = running.backfill
        after = await self._settled(before)
        starts: list[Start] = []
        dating: Dating | None = None
        if len(after.running) < after.plan.parallelism:
            dating = await asyncio.to_thread(self._dating, after)
            after, starts = await asyncio.to_thread(self._filled, after, dating)
        if not after.running and (dating is None or next_of(after, dating.table) is None):
            after = replace(after, state=BackfillState.DONE)
        if after == before:
            return await self._was_changed(running)
        after = replace(after, updated=self._clock.now())
        executions = [start.execution for start in starts]
        # Before they run: they may be over in no time.
        running.backfill = after
        taken = await self._store.backfills.step(before, after, executions, self._owned.engine_id)
        if taken is None:
            running.backfill = before
            return await self._was_changed(running)
        running.backfill = taken
        for start in starts:
            assert dating is not None
            run = self._owned.take_up(dating.flow, start.execution)
            for level, note in start.notes:
                run.history.log(level, note)
        if taken.state.is_over:
            return True
        may_go_on = len(taken.running) < taken.plan.parallelism and dating is not None
        if may_go_on and dating is not None and next_of(taken, dating.table) is not None:
            running.wake.set()
        return False

    async def _was_changed(self, running: _Running) -> bool:
        """Take over what others made of the backfill; whether it is no longer this engine's to run."""
        present = await asyncio.to_thread(self._store.backfills.get, running.backfill.id)
        if present is None or present.state is not BackfillState.RUNNING:
            return True
        if present.owner not in (None, self._owned.engine_id):
            return True
        if present.step != running.backfill.step:
            running.backfill = replace(present, plan=running.backfill.plan)
            running.wake.set()
        return False

    async def _settled(self, backfill: Backfill) -> Backfill:
        """With what has ended counted. A try that another one follows is that other one now."""
        if not backfill.running:
            return backfill
        states = await asyncio.to_thread(self._store.schedules.states_of, backfill.running)
        running: dict[str, datetime] = {}
        for id, date in backfill.running.items():
            state = states.get(id, State.KILLED)
            if not state.is_terminal:
                running[id] = date
                continue
            record = await asyncio.to_thread(self._store.executions.get, id)
            if state is State.RETRIED and record is not None:
                running[derived_id(id, f"attempt {record.attempt_number + 1}")] = date
                continue
            spent = record.end - record.start if record is not None and record.end is not None else timedelta()
            is_well = not state.is_failure
            backfill = replace(
                backfill,
                succeeded=backfill.succeeded + is_well,
                failed=backfill.failed + (not is_well),
                spent=backfill.spent + spent,
            )
        return replace(backfill, running=running) if running != backfill.running else backfill

    def _dating(self, backfill: Backfill) -> Dating:
        """Raises: NotFoundError when the flow or its trigger is gone."""
        flow = self._flows.get(backfill.namespace, backfill.flow_id)
        trigger = next((one for one in flow.triggers if one.id == backfill.trigger_id), None)
        if trigger is None:
            raise NotFoundError(f"{flow.uid} has no trigger `{backfill.trigger_id}` any more")
        return Dating(flow, trigger, self._store, self._clock)

    def _filled(self, backfill: Backfill, dating: Dating) -> tuple[Backfill, list[Start]]:
        """With as many more executions as may run now."""
        extra = Extra(backfill.id, backfill.plan.inputs, self._labels(backfill), {BACKFILL_ID: backfill.id})
        starts: list[Start] = []
        running: dict[str, datetime] = dict(backfill.running)
        for _ in range(_MOST_REFUSED):
            if len(running) >= backfill.plan.parallelism or len(starts) >= _BATCH:
                break
            date = next_of(backfill, dating.table)
            if date is None:
                break
            backfill = replace(backfill, position=date)
            if not dating.allows(date):
                backfill = replace(backfill, total=max(backfill.total - 1, 0))
                continue
            start = dating.start(date, extra)
            starts.append(start)
            running[start.execution.id] = date
        return replace(backfill, running=running, fired=backfill.fired + len(starts)), starts

    def _labels(self, backfill: Backfill) -> Mapping[str, str]:
        return {BACKFILL: "true", **backfill.plan.labels}

    async def _give_up(self, backfill: Backfill, error: Exception) -> None:
        _log.warning("backfill %s ends: %s", backfill.id, error, extra={"action": "backfill_failed"})
        await asyncio.to_thread(self._store.backfills.move, backfill.id, BackfillState.CANCELLED, self._clock.now())


async def set_or_after(event: asyncio.Event, seconds: float) -> None:
    """Return once an event is set, or after some seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
