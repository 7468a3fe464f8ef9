"""What an engine does about time, put together: enrolling triggers, the scheduler, backfills, looking ahead."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.flows import Flows
from nbflow.engine.hub import Hub
from nbflow.engine.loop import EngineLoop
from nbflow.engine.ownership import Ownership
from nbflow.engine.scheduling.backfilling import Backfilling
from nbflow.engine.scheduling.dating import Dating
from nbflow.engine.scheduling.keeping import Registrar
from nbflow.engine.scheduling.scheduler import Scheduler
from nbflow.engine.scheduling.status import status_of
from nbflow.errors import InputError, NotFoundError, Problem
from nbflow.model.backfill import Backfill
from nbflow.model.flow import Flow
from nbflow.model.trigger import Trigger
from nbflow.nearest import did_you_mean
from nbflow.scheduler.backfill import Wish, check, count, dates_of, plan_of
from nbflow.scheduler.schedules import table_of
from nbflow.scheduler.simulate import Simulated, Simulation, simulate
from nbflow.store import Store
from nbflow.triggers.schedule import Schedule
from nbflow.types import derived_id, new_id

_MOST_LOOKED_AT = 10_000


class TimeService:
    """Time, for one engine."""

    def __init__(self, store: Store, clock: Clock, hub: Hub, loop: EngineLoop, flows: Flows, owned: Ownership) -> None:
        self._store = store
        self._clock = clock
        self._loop = loop
        self._owned = owned
        self._registrar = Registrar(store, clock, flows)
        self.backfilling = Backfilling(store, clock, hub, loop, flows, owned)
        self.scheduler = Scheduler(store, clock, hub, loop, flows, owned, self._registrar, self.backfilling)

    def flow_changed(self, namespace: str, flow_id: str, flow: Flow | None) -> None:
        """A flow was deployed or deleted here: enrol its triggers, and begin the backfills that its text asks for."""
        states = self._registrar.flow_changed(namespace, flow_id, flow)
        self._registrar.forget([(namespace, flow_id)])
        self.scheduler.flow_changed(states)
        for trigger in flow.triggers if flow is not None and not flow.disabled else ():
            if isinstance(trigger, Schedule) and trigger.backfill is not None and flow is not None:
                self._begin_written_backfill(flow, trigger)

    async def begin_scheduler(self) -> None:
        """Be the scheduler as soon as nobody else is, and take what others hand out; call it on the loop."""
        self._owned.serves = True
        await self.scheduler.begin()

    def go_on_with(self, backfill: Backfill) -> None:
        """Run a backfill that is this engine's own; call it on the loop."""
        self.backfilling.run(backfill)

    def look_at(self, backfill_id: str) -> None:
        """Let whoever runs a backfill here see that it was changed."""
        self._loop.call_soon(lambda: self.backfilling.wake(backfill_id))

    def nudge(self) -> None:
        """Let the scheduler look at once at what was changed, if it is here."""
        self._loop.call_soon(self.scheduler.nudge)

    def next_dates(self, flow: Flow, trigger_id: str | None, n: int, after: datetime) -> list[datetime]:
        """The next dates at which the schedules of a flow fire."""
        each = (self._firing_dates(flow, trigger, n, after) for trigger in _schedules(flow, trigger_id))
        return list(dict.fromkeys(heapq.merge(*each)))[:n]

    def simulate(
        self, flow: Flow, start: datetime, end: datetime, trigger_id: str | None, *, is_deployed: bool
    ) -> Simulation:
        """What the schedules of a flow do within a time, and did."""
        if end < start:
            raise InputError("nothing to simulate", [Problem("must not be before `start`", path="end")])
        now, simulated = self._clock.now(), []
        for trigger in _schedules(flow, trigger_id):
            table, dating = table_of(trigger), self._dating(flow, trigger)
            assert table is not None
            key, ran = (flow.namespace, flow.id, trigger.id), None
            state = self._store.triggers.get(*key) if is_deployed else None
            if is_deployed and start <= now:
                ran = set(self._store.schedules.dates_run(key, start, end))
            is_off = trigger.disabled or flow.disabled or (state is not None and state.disabled)
            simulated.append(Simulated(trigger.id, table, dating.refusal, is_off, ran))
        return simulate(flow.namespace, flow.id, simulated, start, end, now)

    def plan_backfill(self, flow: Flow, trigger_id: str, wish: Wish, backfill_id: str | None = None) -> Backfill:
        """A backfill as it would begin. Raises: InputError, NotFoundError."""
        check(wish)
        (trigger,) = _schedules(flow, trigger_id)
        table, now = table_of(trigger), self._clock.now()
        assert table is not None
        plan = plan_of(wish, table, now, {})
        if wish.only != "all":
            ran = self._store.schedules.dates_run((flow.namespace, flow.id, trigger_id), plan.start, plan.end)
            plan = plan_of(wish, table, now, ran)
        id = backfill_id or new_id()
        return Backfill(id, flow.namespace, flow.id, trigger_id, plan, count(plan, table), now, now)

    def begin_backfill(self, planned: Backfill) -> Backfill:
        """Keep a backfill, and run it unless the scheduler does. Raises: ConflictError when another one goes on."""
        backfill = replace(planned, owner=self.owner_now())
        self._store.backfills.create(backfill)
        if backfill.owner is not None:
            self._loop.call_soon(lambda: self.backfilling.run(backfill))
        return backfill

    def backfill_dates(self, flow: Flow, backfill: Backfill, limit: int | None = None) -> list[datetime]:
        """The dates of a backfill, in its order."""
        (trigger,) = _schedules(flow, backfill.trigger_id)
        table = table_of(trigger)
        assert table is not None
        found: list[datetime] = []
        for date in dates_of(backfill.plan, table):
            if limit is not None and len(found) >= limit:
                break
            found.append(date)
        return found

    def owner_now(self) -> str | None:
        """Who is to run a backfill: the scheduler when there is one (None: it finds it), else this engine."""
        status = status_of(self._store, self._clock.now(), self._owned.engine_id)
        return None if status.is_running else self._owned.engine_id

    def _begin_written_backfill(self, flow: Flow, trigger: Schedule) -> None:
        """Begin the backfill of a schedule's text, once, however often it is deployed; the scheduler runs it."""
        written = trigger.backfill
        assert written is not None
        wish = Wish(written.start, written.end, inputs=written.inputs, labels=_labels(written.labels))
        place = (flow.namespace, flow.id, trigger.id, written.start.isoformat())
        id = derived_id("0" * 9, "backfill", *place, written.end.isoformat() if written.end is not None else "")
        if self._store.backfills.get(id) is None:
            self._store.backfills.create(self.plan_backfill(flow, trigger.id, wish, id), alone=False)

    def _firing_dates(self, flow: Flow, trigger: Trigger, n: int, after: datetime) -> list[datetime]:
        dating = self._dating(flow, trigger)
        found: list[datetime] = []
        date = dating.table.after(after)
        for _ in range(_MOST_LOOKED_AT):
            if date is None or len(found) >= n:
                break
            if dating.refusal(date) is None:
                found.append(date)
            date = dating.table.after(date)
        return found

    def _dating(self, flow: Flow, trigger: Trigger) -> Dating:
        return Dating(flow, trigger, self._store, self._clock)


def _schedules(flow: Flow, trigger_id: str | None) -> Sequence[Trigger]:
    """The schedules of a flow, or the one that is named. Raises: NotFoundError."""
    found = {one.id: one for one in flow.triggers if table_of(one) is not None}
    if trigger_id is None:
        if not found:
            raise NotFoundError(f"{flow.uid} has no schedule")
        return list(found.values())
    if trigger_id not in found:
        known = {one.id for one in flow.triggers}
        why = "is no schedule" if trigger_id in known else "is not there"
        hint = did_you_mean(trigger_id, list(found)) or "only schedules have dates"
        raise NotFoundError(f"the trigger `{trigger_id}` of {flow.uid} {why}", hint=hint)
    return [found[trigger_id]]


def _labels(labels: Mapping[str, str] | list[dict[str, str]]) -> dict[str, str]:
    if isinstance(labels, list):
        return {label.get("key", ""): label.get("value", "") for label in labels}
    return dict(labels)
