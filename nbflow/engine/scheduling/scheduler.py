"""The scheduler's loop: it waits for the next date, decides, and fires; while this engine leads.

_keep_up (each 0.25 s): lease · what others changed · ended executions     _serve: due dates ─► decide ─► commit ─► run
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

from nbflow.clock import Clock
from nbflow.engine.flows import Flows
from nbflow.engine.hub import Hub
from nbflow.engine.loop import EngineLoop
from nbflow.engine.ownership import Ownership
from nbflow.engine.scheduling.agenda import Agenda, Entry, Key
from nbflow.engine.scheduling.backfilling import Backfilling, set_or_after
from nbflow.engine.scheduling.deciding import Decider, Move
from nbflow.engine.scheduling.enrolling import POLLING, REALTIME, SCHEDULE
from nbflow.engine.scheduling.keeping import Registrar
from nbflow.engine.scheduling.leading import Leadership
from nbflow.engine.scheduling.looking import Looking
from nbflow.errors import NbflowError
from nbflow.model.events import Event, ExecutionChanged
from nbflow.model.state import State
from nbflow.store import Step, Store, TriggerState, noted

_LOOK_SECONDS = 0.25
_AGAIN_SECONDS = 1.0
_LONGEST_SLEEP = 3600.0
_BATCH = 32
_AHEAD = timedelta(seconds=15)
_SOON = 1_000

_log = logging.getLogger(__name__)


class Scheduler:
    """Fires what is due, in the engine's loop, while this engine holds the lease."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hub: Hub,
        loop: EngineLoop,
        flows: Flows,
        owned: Ownership,
        registrar: Registrar,
        backfilling: Backfilling,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._loop = loop
        self._owned = owned
        self._registrar = registrar
        self._backfilling = backfilling
        self._leadership = Leadership(store, clock, owned.engine_id)
        self._agenda = Agenda()
        self._decider = Decider(store, clock, registrar)
        self._looking = Looking(store, clock, loop, owned, registrar, self._looked)
        self._wake = asyncio.Event()
        self._nudged = asyncio.Event()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_date: datetime | None = None
        self._locks: dict[str, Key] = {}
        self._ended: deque[tuple[str, State]] = deque()
        self._is_leading = False
        self._has_begun = False
        self.loaded = threading.Event()
        """Set while this engine leads and knows every schedule."""

    async def begin(self) -> None:
        """Be the scheduler of the home as soon as nobody else is; call it on the loop. It never fails."""
        if self._has_begun:
            return
        self._has_begun = True
        self._hub.subscribe(self._changed)
        await self._look()
        self._loop.own(self._serve(), "nbflow-scheduler")
        self._loop.own(self._keep_up(), "nbflow-scheduler-lease")

    def flow_changed(self, states: list[TriggerState]) -> None:
        """Take over triggers of a flow that was deployed in this process; from any thread."""
        self._loop.call_soon(lambda: self._take_over(states))

    def nudge(self) -> None:
        """Look at once at what others have changed. Call it on the loop."""
        self._nudged.set()

    async def _keep_up(self) -> None:
        version, seconds_left = -1, 0.0
        while True:
            await set_or_after(self._nudged, _LOOK_SECONDS)
            self._nudged.clear()
            try:
                await self._look()
                seen = self._store.data_version()
                if self._is_leading and seen != version:
                    await self._refresh()
                    await self._look_after_locks()
                    version = seen
                seconds_left -= _LOOK_SECONDS
                if self._is_leading and seconds_left <= 0:
                    seconds_left = 1.0
                    await self._prepare()
            except Exception as error:  # a lock, a full disk, a flow that breaks: the next round may fare better
                _log.warning("the scheduler must wait: %s", error, extra={"action": "scheduler_failed"})

    async def _look(self) -> None:
        """Renew or take the lease; begin or end to lead."""
        self._leadership.note_break()
        leads = await asyncio.to_thread(self._leadership.look)
        if leads and not self._is_leading:
            await self._lead()
        elif not leads and self._is_leading:
            self._step_down()
        next_date = self._agenda.next_date()
        if next_date is not None and next_date <= self._clock.now():
            self._wake.set()  # the clock was put forward, or this machine slept

    async def _lead(self) -> None:
        states = await asyncio.to_thread(self._registrar.everything)
        self._agenda = Agenda()
        self._locks = {state.execution_id: state.key for state in states if state.execution_id is not None}
        self._is_leading = True
        for number, state in enumerate(states):
            self._put(state, is_off=self._registrar.is_off(state.key))
            if number % 500 == 499:
                await asyncio.sleep(0)
        await self._look_after_locks()
        await asyncio.to_thread(self._decider.warm_up)
        self._backfilling.lead()
        self.loaded.set()
        self._wake.set()
        _log.info("this engine is the scheduler, with %d triggers", len(states), extra={"action": "scheduler_leads"})

    def _step_down(self) -> None:
        self._is_leading = False
        self.loaded.clear()
        self._agenda = Agenda()
        self._locks.clear()
        self._looking.step_down()
        _log.warning("another engine is the scheduler now", extra={"action": "scheduler_lost"})

    async def _refresh(self) -> None:
        found = await asyncio.to_thread(self._registrar.changes)
        if found is None:
            return
        if found.switched:
            for entry in self._agenda:
                if entry.state.key[:2] in found.switched:
                    self._put(entry.state, is_off=self._registrar.is_off(entry.state.key))
        self._take_over(found.states)
        for key in found.gone:
            self._forget(key)

    def _take_over(self, states: list[TriggerState]) -> None:
        if not self._is_leading:
            return
        for state in states:
            entry = self._agenda.get(state.key)
            is_off = self._registrar.is_off(state.key)
            if entry is None or entry.state != state or entry.is_off != is_off:
                self._registrar.forget([state.key[:2]])
                self._put(state, is_off=is_off)

    def _put(self, state: TriggerState, *, is_off: bool) -> None:
        """Put a trigger on the agenda as it stands."""
        entry = self._agenda.put(state, is_off=is_off)
        is_on = not (state.disabled or is_off)
        if state.execution_id is not None:
            self._locks[state.execution_id] = state.key
        if state.kind == REALTIME:
            self._looking.listen(state, is_on=is_on)
        elif is_off and state.next_date is not None:
            self._loop.own(self._set_date(entry, state, None), "nbflow-scheduler-off")
        elif is_on and state.next_date is None:
            self._loop.own(self._set_date(entry, state, self._clock.now()), "nbflow-scheduler-on")
        else:
            self._ring_for(state.next_date if is_on else None)

    async def _set_date(self, entry: Entry, state: TriggerState, now: datetime | None) -> None:
        """Let the dates of a trigger that is switched off pass; begin with those from now on once it is on again."""
        try:
            date = None
            if entry.state != state:  # it has a date meanwhile, which must not be passed over
                return
            if now is not None:
                date = now if state.kind == POLLING else await asyncio.to_thread(self._decider.first_date, state, now)
                if date is None:
                    return
            (taken,) = await self._store.schedules.take([Step(state.key, state.next_date, date)], self._owned.engine_id)
            if taken and self._agenda.get(state.key) is entry and entry.state == state:
                self._agenda.move(entry, date)
                self._ring_for(date)
        except NbflowError as error:
            _log.warning("trigger %s: %s", "/".join(entry.state.key), error, extra={"action": "scheduler_failed"})

    def _forget(self, key: Key) -> None:
        self._agenda.drop(key)
        self._looking.forget(key)

    async def _prepare(self) -> None:
        """Read the flows of what is due soon."""
        soon = self._agenda.soon(self._clock.now() + _AHEAD, _SOON)
        if soon:
            await asyncio.to_thread(self._decider.prepare, [entry.state for entry in soon])

    def _changed(self, event: Event) -> None:
        if type(event) is ExecutionChanged and event.execution.state.is_terminal:
            id, state = event.execution.id, event.execution.state
            if id in self._locks:
                self._loop.call_soon(lambda: self._note_end(id, state))

    def _note_end(self, execution_id: str, state: State) -> None:
        self._ended.append((execution_id, state))
        self._wake.set()

    async def _look_after_locks(self) -> None:
        """Notice the end of executions that other engines run, and of those that are gone."""
        others = [id for id in self._locks if self._owned.get(id) is None]
        if not others:
            return
        states = await asyncio.to_thread(self._store.schedules.states_of, others)
        for id in others:
            state = states.get(id, State.KILLED)
            if state.is_terminal:
                self._note_end(id, state)

    async def _unlock_ended(self) -> None:
        if not self._ended:
            return
        ended: list[tuple[Entry, str, State]] = []
        heard = list(self._ended)
        for execution_id, state in heard:
            key = self._locks.get(execution_id)
            entry = self._agenda.get(key) if key is not None else None
            if entry is not None:
                ended.append((entry, execution_id, state))
        stops = await asyncio.to_thread(self._decider.stop_after, [(entry.state, state) for entry, _, state in ended])
        unlocked = [(entry.state.key, id, stop) for (entry, id, _), stop in zip(ended, stops, strict=True)]
        await self._store.schedules.unlock(unlocked)
        for execution_id, _ in heard:  # not before: what cannot be written now is tried again
            self._ended.popleft()
            self._locks.pop(execution_id, None)
        for (entry, execution_id, _), stop in zip(ended, stops, strict=True):
            if entry.state.execution_id == execution_id:
                entry.state = replace(entry.state, execution_id=None)
            if stop:
                entry.state = replace(entry.state, disabled=True)
                if entry.state.kind == REALTIME:
                    self._looking.listen(entry.state, is_on=False)
            self._agenda.again(entry)

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._is_leading:
                continue
            try:
                await self._unlock_ended()
                while self._is_leading and await self._fire_due():
                    await self._unlock_ended()
            except Exception as error:  # the loop must live on: what is due stays due
                _log.warning("the scheduler must wait: %s", error, extra={"action": "scheduler_failed"})
                await asyncio.sleep(_AGAIN_SECONDS)
                self._wake.set()
            self._ring_for(self._agenda.next_date())

    async def _fire_due(self) -> bool:
        """Do what is due; whether there was anything."""
        now = self._clock.now()
        due = self._agenda.due(now, _BATCH)
        if not due:
            return False
        try:
            schedules = []
            for entry in due:
                if entry.state.kind == SCHEDULE:
                    schedules.append(entry)
                elif entry.state.execution_id is not None:
                    entry.waits = True  # until the execution that it started has ended
                else:
                    self._looking.look(entry.state)
            if schedules:
                await self._fire(schedules, now)
        finally:
            for entry in due:
                if entry.state.kind == SCHEDULE or entry.waits:
                    self._agenda.done(entry)
        return True

    async def _fire(self, entries: list[Entry], now: datetime) -> None:
        since = self._leadership.watched_since
        decided = await asyncio.to_thread(self._decider.decide, [entry.state for entry in entries], now, since)
        moves = {move.step.key: move for move in decided if move.step is not None}
        steps = [move.step for move in moves.values() if move.step is not None]
        taken = await self._store.schedules.take(steps, self._owned.engine_id) if steps else []
        came_to_pass = {step.key for step, is_taken in zip(steps, taken, strict=True) if is_taken}
        for entry, move in zip(entries, decided, strict=True):
            if move.step is None:
                entry.waits = move.waits
                if not move.waits:
                    self._agenda.move(entry, None)
            elif move.step.key in came_to_pass:
                self._came_to_pass(entry, move)
            else:
                await self._reread(entry)

    def _came_to_pass(self, entry: Entry, move: Move) -> None:
        step, start = move.step, move.start
        assert step is not None
        state = replace(entry.state, next_date=step.next_date)
        if start is not None and move.flow is not None:
            if step.locks or move.is_watched:  # before it runs: it may be over in no time
                self._locks[start.execution.id] = step.key
            run = self._owned.take_up(move.flow, start.execution)
            for level, note in start.notes:
                run.history.log(level, note)
            state = replace(state, last_date=start.execution.schedule_date)
            if step.locks:
                state = replace(state, execution_id=start.execution.id)
        entry.state = replace(state, data=noted(state.data, step.notes)) if step.notes else state

    async def _reread(self, entry: Entry) -> None:
        """Somebody else has changed a trigger meanwhile: take over how it stands now."""
        state = await asyncio.to_thread(self._store.schedules.get, entry.state.key)
        if state is None:
            self._forget(entry.state.key)
        else:
            entry.state = state

    def _looked(self, before: TriggerState, after: TriggerState | None, execution_id: str | None) -> None:
        """A polling trigger was looked after: it stands so now, and started an execution perhaps."""
        entry = self._agenda.get(before.key)
        if entry is None:
            return
        if after is None:
            self._loop.own(self._reread_and_release(entry), "nbflow-scheduler-reread")
            return
        entry.state = after
        if execution_id is not None:
            self._locks[execution_id] = before.key
        self._agenda.done(entry)
        self._ring_for(after.next_date)

    async def _reread_and_release(self, entry: Entry) -> None:
        try:
            await self._reread(entry)
        finally:
            self._agenda.done(entry)
            self._ring_for(entry.state.next_date)

    def _ring_for(self, date: datetime | None) -> None:
        """Wake at a date, unless an earlier one will wake this loop anyhow."""
        if date is None:
            return
        now = self._clock.now()
        if date <= now:
            self._wake.set()
            return
        if self._alarm is not None and not self._alarm.done():
            if self._alarm_date is not None and self._alarm_date <= date:
                return
            self._alarm.cancel()
        self._alarm_date = date
        seconds = min((date - now).total_seconds(), _LONGEST_SLEEP)
        self._alarm = self._loop.own(self._ring(seconds), "nbflow-scheduler-alarm")

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm_date = None
        self._wake.set()
