"""Triggers that look or listen: polling ones are asked when their time has come, real-time ones all the time.

Several look at once, up to a bound. One that fails says why in its state, and goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.loop import EngineLoop
from nbflow.engine.ownership import Ownership
from nbflow.engine.scheduling.agenda import Key
from nbflow.engine.scheduling.keeping import Registrar
from nbflow.engine.starting import Start
from nbflow.engine.triggers.polling import RECEIPT, Polled, poll, settle, streamed
from nbflow.model.flow import Flow
from nbflow.plugins import PollingTrigger, RealtimeTrigger
from nbflow.store import Step, Store, TriggerState, noted
from nbflow.types import JsonValue

_AT_ONCE = 20
_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0

_log = logging.getLogger(__name__)

Looked = Callable[[TriggerState, TriggerState | None, str | None], None]
"""Told of a look: how the trigger stood, how it stands now (None: somebody changed it), what it waits for."""


class Looking:
    """Lets triggers look and listen, on the engine's loop."""

    def __init__(
        self, store: Store, clock: Clock, loop: EngineLoop, owned: Ownership, registrar: Registrar, looked: Looked
    ) -> None:
        self._store = store
        self._clock = clock
        self._loop = loop
        self._owned = owned
        self._registrar = registrar
        self._looked = looked
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._listeners: dict[Key, tuple[datetime | None, asyncio.Task[None]]] = {}

    def look(self, state: TriggerState) -> None:
        """Let a polling trigger look, and tell how it stands then."""
        self._loop.own(self._look(state), f"nbflow-poll-{state.trigger_id}")

    def listen(self, state: TriggerState, *, is_on: bool) -> None:
        """Let a real-time trigger listen from now on, or no longer."""
        present = self._listeners.get(state.key)
        if present is not None:
            if is_on and present[0] == state.updated and not present[1].done():
                return
            self.forget(state.key)
        if is_on:
            task = self._loop.own(self._listen(state), f"nbflow-listen-{state.trigger_id}")
            self._listeners[state.key] = (state.updated, task)

    def forget(self, key: Key) -> None:
        """End the listening of a trigger."""
        present = self._listeners.pop(key, None)
        if present is not None:
            present[1].cancel()

    def step_down(self) -> None:
        """End all listening: another engine is the scheduler."""
        for key in list(self._listeners):
            self.forget(key)

    async def _look(self, state: TriggerState) -> None:
        after: TriggerState | None = None
        waits_for: str | None = None
        try:
            async with self._slots:
                after, waits_for = await self._look_once(state)
        except Exception as error:  # the history cannot be written: the look is due again
            self._say(state, error)
        self._looked(state, after, waits_for)

    async def _look_once(self, state: TriggerState) -> tuple[TriggerState | None, str | None]:
        polled: Polled | None = None
        error: str | None = None
        notes: dict[str, JsonValue] = {}
        flow, trigger = await self._trigger(state)
        if not isinstance(trigger, PollingTrigger) or flow is None:
            return await self._take(state, Step(state.key, state.next_date, None)), None
        try:
            if RECEIPT in state.data:  # the look before was cut off
                await settle(flow, trigger, self._store, self._clock, state.data[RECEIPT])
                notes = {RECEIPT: None}
            polled = await poll(flow, trigger, self._store, self._clock)
        except Exception as cause:  # a plugin's code, or the world outside: it is tried again after the interval
            error = f"{type(cause).__name__}: {cause}" if not str(cause) else str(cause)
            self._say(state, cause)
        if polled is not None and polled.receipt is not None:
            notes = {RECEIPT: polled.receipt}
        now = self._clock.now()
        execution = polled.start.execution if polled is not None else None
        locks = execution is not None and not trigger.allow_concurrent
        next_date = now + trigger.interval
        step = Step(
            state.key, state.next_date, next_date, execution, locks=locks, evaluated=now, error=error, notes=notes
        )
        after = await self._take(state, step)
        if after is None or polled is None or execution is None:
            return after, None
        waits_for = execution.id if locks or trigger.stop_after else None
        if locks:
            after = replace(after, execution_id=execution.id, last_date=state.next_date)
        self._run(flow, polled.start)
        if polled.receipt is not None:
            after = await self._settled(flow, trigger, after, polled.receipt)
        return after, waits_for

    async def _settled(
        self, flow: Flow, trigger: PollingTrigger, state: TriggerState, receipt: JsonValue
    ) -> TriggerState:
        """Mark as seen what the execution was started for; what fails now is done before the next look."""
        try:
            await settle(flow, trigger, self._store, self._clock, receipt)
            await self._store.schedules.note(state.key, {RECEIPT: None})
            return replace(state, data=noted(state.data, {RECEIPT: None}))
        except Exception as cause:  # as above
            self._say(state, cause)
            await self._note(state, str(cause) or type(cause).__name__)
            return replace(state, error=str(cause) or type(cause).__name__)

    async def _take(self, state: TriggerState, step: Step) -> TriggerState | None:
        (taken,) = await self._store.schedules.take([step], self._owned.engine_id)
        if not taken:
            return None
        data = noted(state.data, step.notes)
        return replace(state, next_date=step.next_date, evaluated=step.evaluated, error=step.error, data=data)

    async def _trigger(self, state: TriggerState) -> tuple[Flow | None, object]:
        found = await asyncio.to_thread(self._registrar.prepared, state)
        if found is None or found[0].disabled or found[0].draft or found[1].disabled:
            return None, None
        return found

    def _run(self, flow: Flow, start: Start) -> None:
        run = self._owned.take_up(flow, start.execution)
        for level, note in start.notes:
            run.history.log(level, note)

    async def _listen(self, state: TriggerState) -> None:
        """Listen until this is cancelled; after an end or a failure again, a while later."""
        backoff, error = _FIRST_BACKOFF, state.error
        while True:
            try:
                flow, trigger = await self._trigger(state)
                if flow is None or not isinstance(trigger, RealtimeTrigger):
                    return
                async for start in streamed(flow, trigger, self._store, self._clock):
                    now = self._clock.now()
                    if await self._store.schedules.record(start.execution, state.key, self._owned.engine_id, now):
                        self._run(flow, start)
                    backoff, error = _FIRST_BACKOFF, None
            except Exception as cause:  # a plugin's code, or the world outside
                said = str(cause) or type(cause).__name__
                if said != error:
                    error = said
                    self._say(state, cause)
                    await self._note(state, said)
            await self._clock.sleep(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def _note(self, state: TriggerState, error: str) -> None:
        try:
            await self._store.schedules.fail(state.key, error, self._clock.now())
        except Exception as cause:  # it is in the log at least
            self._say(state, cause)

    def _say(self, state: TriggerState, error: Exception) -> None:
        names = {"namespace": state.namespace, "flow_id": state.flow_id, "trigger_id": state.trigger_id}
        text = "trigger %s of %s.%s cannot look: %s"
        _log.warning(
            text, state.trigger_id, state.namespace, state.flow_id, error, extra={"action": "look_failed", **names}
        )
