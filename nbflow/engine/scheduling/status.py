"""What is said of the scheduler and of triggers: whether it runs and where, what comes, what was missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from nbflow.engine.scheduling.leading import LEASE_NAME
from nbflow.model.backfill import Backfill
from nbflow.model.execution import instant
from nbflow.store import Store, TriggerState
from nbflow.types import JsonValue

_SEEN = timedelta(seconds=10)
_LATE = timedelta(seconds=10)
_MOST_MISSED = 100


@dataclass(frozen=True, slots=True)
class MissedDate:
    """A schedule whose date has passed, and nobody was there to fire."""

    namespace: str
    flow_id: str
    trigger_id: str
    date: datetime

    def to_dict(self) -> dict[str, JsonValue]:
        return {
            "namespace": self.namespace,
            "flowId": self.flow_id,
            "triggerId": self.trigger_id,
            "date": instant(self.date),
        }


@dataclass(frozen=True, slots=True)
class SchedulerStatus:
    """Whether a scheduler runs for a home, where and since when; what fires next, and what waits for a scheduler.

    `is_here`: this very engine is it.
    """

    is_running: bool
    is_here: bool = False
    host: str | None = None
    pid: int | None = None
    since: datetime | None = None
    next_date: datetime | None = None
    triggers: int = 0
    missed: tuple[MissedDate, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, JsonValue]:
        return {
            "running": self.is_running,
            "leader": self.is_here,
            "host": self.host,
            "pid": self.pid,
            "since": None if self.since is None else instant(self.since),
            "nextDate": None if self.next_date is None else instant(self.next_date),
            "triggers": self.triggers,
            "missed": [one.to_dict() for one in self.missed],
        }


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """A trigger of a deployed flow and how it stands. `is_off`: in its flow's text, or with its flow.

    `kind` is SCHEDULE, POLLING, REALTIME, or FLOW and WEBHOOK for those that wait for no clock.
    """

    state: TriggerState
    type: str
    kind: str
    is_off: bool = False
    stop_after: tuple[str, ...] = ()
    backfill: Backfill | None = None
    is_declared: bool = True

    @property
    def is_disabled(self) -> bool:
        return self.state.disabled or self.is_off

    @property
    def is_locked(self) -> bool:
        """Whether it waits for an execution that it started."""
        return self.state.execution_id is not None

    def to_dict(self) -> dict[str, JsonValue]:
        """Kestra's trigger context, in the spellings of 1.x and 2.x."""
        state = self.state
        next_date = None if state.next_date is None or self.is_disabled else instant(state.next_date)
        moments = [moment for moment in (state.updated, state.evaluated, state.last_date) if moment is not None]
        last, evaluated = (None if one is None else instant(one) for one in (state.last_date, state.evaluated))
        shape: dict[str, JsonValue] = {
            "tenantId": "main",
            "namespace": state.namespace,
            "flowId": state.flow_id,
            "triggerId": state.trigger_id,
            "type": self.type,
            "kind": self.kind,
            "disabled": self.is_disabled,
            "date": last,
            "nextExecutionDate": next_date,
            "nextEvaluationDate": next_date,
            "lastTriggeredDate": last,
            "evaluatedAt": evaluated,
            "updatedAt": instant(max(moments)) if moments else "1970-01-01T00:00:00Z",
            "updatedDate": instant(max(moments)) if moments else "1970-01-01T00:00:00Z",
            "executionId": state.execution_id,
            "locked": self.is_locked,
            "stopAfter": list(self.stop_after),
            "workerId": None,
            "error": state.error,
            "leftOut": state.data.get("leftOut"),
        }
        if self.backfill is not None:
            shape["backfill"] = self.backfill.to_dict()
        return shape


def status_of(store: Store, now: datetime, engine_id: str) -> SchedulerStatus:
    """The status of the scheduler of a home."""
    lease = store.leases.get(LEASE_NAME)
    count, next_date = store.schedules.next_date(now)
    is_running = lease is not None and now - lease.seen <= _SEEN and not store.leases.is_abandoned(lease)
    overdue = store.schedules.overdue(now - _LATE, _MOST_MISSED)
    missed = tuple(MissedDate(*state.key, state.next_date) for state in overdue if state.next_date is not None)
    if lease is None or not is_running:
        return SchedulerStatus(False, next_date=next_date, triggers=count, missed=missed)
    host, pid = lease.info.get("host"), lease.info.get("pid")
    return SchedulerStatus(
        True,
        lease.holder == engine_id,
        host if isinstance(host, str) else None,
        pid if isinstance(pid, int) else None,
        lease.since,
        next_date,
        count,
        missed,
    )
