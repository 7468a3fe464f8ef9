"""The verbs of an engine about time: the scheduler, triggers, their dates and what becomes of them."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta

from nbflow.engine.hub import Hub
from nbflow.engine.loop import awaitable, blocking, in_thread
from nbflow.engine.scheduling.status import SchedulerStatus, TriggerRow, status_of
from nbflow.engine.scheduling.timing import Timing, timing_of
from nbflow.engine.steering import Steering
from nbflow.errors import ConflictError, FlowNotFoundError, NbflowError, NotFoundError
from nbflow.model.backfill import Backfill
from nbflow.model.flow import Flow
from nbflow.model.trigger import Trigger
from nbflow.nearest import did_you_mean
from nbflow.scheduler.simulate import Simulation
from nbflow.store import TriggerState

_log = logging.getLogger(__name__)


class Timekeeping(Steering):
    """The verbs of an engine that deal with time."""

    _hub: Hub
    _time_lock: threading.Lock
    _timing: Timing | None = None

    @property
    def _time(self) -> Timing:
        with self._time_lock:
            if self._timing is None:
                self._timing = timing_of(self.store, self._clock, self._hub, self.loop, self._flows, self._owned)
            return self._timing

    def _keep_time(self, *, scheduler: bool) -> None:
        """Enrol the triggers of flows that are deployed here; be the scheduler, if so wished."""
        self._time_lock = threading.Lock()
        told = self._flows.on_change

        def flow_changed(namespace: str, flow_id: str, flow: Flow | None) -> None:
            if told is not None:
                told(namespace, flow_id, flow)
            try:
                if (flow is not None and flow.triggers) or self.store.triggers.list(namespace, flow_id):
                    self._time.flow_changed(namespace, flow_id, flow)
            except NbflowError as error:  # the flow is deployed; the scheduler finds its triggers later
                message = "the triggers of %s.%s must wait: %s"
                _log.warning(message, namespace, flow_id, error, extra={"action": "enrolment_failed"})

        self._flows.on_change = flow_changed
        if scheduler:
            self.start_scheduler()

    async def _start_scheduler(self) -> SchedulerStatus:
        """Fire what is due, from now on, unless another engine of the home does; this one stands by then."""
        await self._begin()
        await (await asyncio.to_thread(lambda: self._time)).begin_scheduler()
        return await asyncio.to_thread(self.scheduler_status)

    start_scheduler = blocking(_start_scheduler)
    astart_scheduler = awaitable(_start_scheduler)

    def scheduler_status(self) -> SchedulerStatus:
        """Whether a scheduler runs for this home, where, what it fires next, and what waits for one."""
        return status_of(self.store, self._clock.now(), self._owned.engine_id)

    ascheduler_status = in_thread(scheduler_status)

    def triggers(
        self, namespace: str | None = None, flow_id: str | None = None, q: str | None = None, *, prefix: bool = False
    ) -> list[TriggerRow]:
        """The triggers of all flows, of a namespace or of a flow, and how they stand; `q` is looked for in the ids.

        `prefix` takes the namespaces below `namespace` in as well.
        """
        going_on = {
            (one.namespace, one.flow_id, one.trigger_id): one
            for one in reversed(self.store.backfills.list(going_on=True, limit=10_000))
        }
        marks = {(mark.namespace, mark.id): mark.disabled for mark in self.store.schedules.marks()}
        rows = []
        for state in self.store.schedules.all(namespace, flow_id, q, prefix=prefix):
            rows.append(self._row(state, marks.get(state.key[:2]), going_on.get(state.key)))
        return rows

    atriggers = in_thread(triggers)

    def trigger(self, namespace: str, flow_id: str, trigger_id: str) -> TriggerRow:
        """A trigger and how it stands. Raises: NotFoundError with the nearest names."""
        state = self._state(namespace, flow_id, trigger_id)
        stored = self.store.flows.get(namespace, flow_id)
        going_on = self.store.backfills.list(namespace, flow_id, trigger_id, going_on=True, limit=1)
        return self._row(state, None if stored is None else stored.disabled, going_on[0] if going_on else None)

    atrigger = in_thread(trigger)

    def trigger_definition(self, namespace: str, flow_id: str, trigger_id: str) -> Trigger:
        """A trigger as its flow declares it. Raises: NotFoundError, FlowNotFoundError."""
        return _trigger_of(self._flows.get(namespace, flow_id), trigger_id)

    def set_trigger(self, namespace: str, flow_id: str, trigger_id: str, *, disabled: bool) -> TriggerRow:
        """Switch a trigger off or on, whatever its flow's text says of others; its dates stay where they are.

        What would have been due while it was off is left out. Raises: NotFoundError.
        """
        self._state(namespace, flow_id, trigger_id)
        self.store.triggers.switch(namespace, flow_id, trigger_id, disabled=disabled)
        self._time.nudge()
        return self.trigger(namespace, flow_id, trigger_id)

    aset_trigger = in_thread(set_trigger)

    def unlock_trigger(self, namespace: str, flow_id: str, trigger_id: str) -> TriggerRow:
        """Let a trigger wait no longer for the execution that it started.

        Raises: NotFoundError; ConflictError when it does not wait.
        """
        state = self._state(namespace, flow_id, trigger_id)
        if state.execution_id is None:
            raise ConflictError(f"the trigger {trigger_id} of {namespace}.{flow_id} is not locked")
        self.store.schedules.move(state.key, self._clock.now(), next_date=state.next_date, unlock=True)
        self._time.nudge()
        return self.trigger(namespace, flow_id, trigger_id)

    aunlock_trigger = in_thread(unlock_trigger)

    def restart_trigger(self, namespace: str, flow_id: str, trigger_id: str) -> TriggerRow:
        """Begin anew with a trigger: forget its last error and what it waits for; a polling one looks at once.

        Raises: NotFoundError.
        """
        state, now = self._state(namespace, flow_id, trigger_id), self._clock.now()
        next_date = now if state.kind == "POLLING" else None
        self.store.schedules.move(state.key, now, next_date=next_date, unlock=True)
        self._time.nudge()
        return self.trigger(namespace, flow_id, trigger_id)

    arestart_trigger = in_thread(restart_trigger)

    def delete_trigger(self, namespace: str, flow_id: str, trigger_id: str) -> None:
        """Forget a trigger that its flow no longer has. Raises: NotFoundError; ConflictError when the flow has it."""
        self._state(namespace, flow_id, trigger_id)
        try:
            declared = {one.id for one in self._flows.get(namespace, flow_id).triggers}
        except FlowNotFoundError:
            declared = set()
        if trigger_id in declared:
            raise ConflictError(
                f"the flow {namespace}.{flow_id} has the trigger {trigger_id}", hint="take it out of the flow first"
            )
        self.store.triggers.delete(namespace, flow_id, trigger_id)

    adelete_trigger = in_thread(delete_trigger)

    def next_dates(
        self, flow: Flow | str, trigger_id: str | None = None, n: int = 10, *, after: datetime | None = None
    ) -> list[datetime]:
        """The next dates at which a schedule of a flow fires, its conditions considered; of all its schedules if None.

        `flow` is a flow, its text, or the `namespace.id` of a deployed one. Raises: NotFoundError when it has no such
        schedule; FlowNotFoundError, FlowValidationError.
        """
        return self._time.next_dates(self._flow_meant(flow), trigger_id, n, after or self._clock.now())

    anext_dates = in_thread(next_dates)

    def simulate(
        self,
        namespace: str,
        flow_id: str,
        start: datetime | None = None,
        days: float = 30,
        *,
        end: datetime | None = None,
        trigger_id: str | None = None,
    ) -> Simulation:
        """What the schedules of a deployed flow do within a time, and did: each date and what comes of it.

        It begins now unless `start` says otherwise, and ends after `days` or at `end`. Raises: FlowNotFoundError,
        NotFoundError when it has no schedule.
        """
        flow = self._flows.get(namespace, flow_id)
        return self._time.simulate(flow, *self._span(start, days, end), trigger_id, is_deployed=True)

    asimulate = in_thread(simulate)

    def simulate_flow(
        self,
        flow: Flow | str,
        start: datetime | None = None,
        days: float = 30,
        *,
        end: datetime | None = None,
        trigger_id: str | None = None,
    ) -> Simulation:
        """As `simulate`, for a flow or a text that need not be deployed. Raises: FlowValidationError, NotFoundError."""
        return self._time.simulate(self._flow_meant(flow), *self._span(start, days, end), trigger_id, is_deployed=False)

    asimulate_flow = in_thread(simulate_flow)

    def _span(self, start: datetime | None, days: float, end: datetime | None) -> tuple[datetime, datetime]:
        begin = start or self._clock.now()
        begin = begin.replace(tzinfo=UTC) if begin.tzinfo is None else begin.astimezone(UTC)
        if end is None:
            return begin, begin + timedelta(days=days)
        return begin, end.replace(tzinfo=UTC) if end.tzinfo is None else end.astimezone(UTC)

    def _flow_meant(self, flow: Flow | str) -> Flow:
        if isinstance(flow, Flow):
            return flow
        if "\n" in flow:
            return self._flows.read(flow)
        namespace, _, flow_id = flow.rpartition(".")
        return self._flows.get(namespace, flow_id)

    def _state(self, namespace: str, flow_id: str, trigger_id: str) -> TriggerState:
        state = self.store.triggers.get(namespace, flow_id, trigger_id)
        if state is None:
            flow = self._flows.get(namespace, flow_id)
            _trigger_of(flow, trigger_id)  # it was deployed by an older nbflow, and is not enrolled yet
            self._time.flow_changed(namespace, flow_id, flow)
            state = self.store.triggers.get(namespace, flow_id, trigger_id)
            assert state is not None
        return state

    def _row(self, state: TriggerState, is_flow_disabled: bool | None, going_on: Backfill | None) -> TriggerRow:
        data = state.data
        stop_after = data.get("stopAfter")
        return TriggerRow(
            state,
            type=str(data.get("type") or ""),
            kind=state.kind or "OTHER",
            is_off=bool(data.get("off")) or bool(is_flow_disabled),
            stop_after=tuple(str(one) for one in stop_after) if isinstance(stop_after, list) else (),
            backfill=going_on,
            is_declared=is_flow_disabled is not None,
        )


def _trigger_of(flow: Flow, trigger_id: str) -> Trigger:
    found: dict[str, Trigger] = {one.id: one for one in flow.triggers}
    if trigger_id not in found:
        hint = did_you_mean(trigger_id, list(found)) or "it has none"
        raise NotFoundError(f"{flow.uid} has no trigger `{trigger_id}`", hint=hint)
    return found[trigger_id]
