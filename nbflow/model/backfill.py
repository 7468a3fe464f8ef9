"""A backfill: past dates of a schedule that are run now, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from nbflow.model.durations import format_duration
from nbflow.model.execution import instant
from nbflow.types import JsonValue


class BackfillState(StrEnum):
    """Where a backfill stands."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        return self in (BackfillState.DONE, BackfillState.CANCELLED)


class BackfillOrder(StrEnum):
    """Which dates come first."""

    OLDEST = "oldest"
    NEWEST = "newest"


class BackfillOnly(StrEnum):
    """Which dates are run: all, those that never ran, those whose last execution failed."""

    ALL = "all"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BackfillPlan:
    """What is to be run. `dates` are given or chosen ones, oldest first; None: every date from `start` to `end`."""

    start: datetime
    end: datetime
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    order: BackfillOrder = BackfillOrder.OLDEST
    parallelism: int = 1
    only: BackfillOnly = BackfillOnly.ALL
    dates: tuple[datetime, ...] | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill and how far it has come.

    `position` is the date that was started last, `running` are the executions under way with their dates, `spent` the
    time that those took together which have ended. `owner` is the engine that runs it, `step` counts its changes.
    """

    id: str
    namespace: str
    flow_id: str
    trigger_id: str
    plan: BackfillPlan
    total: int
    created: datetime
    updated: datetime
    state: BackfillState = BackfillState.RUNNING
    fired: int = 0
    succeeded: int = 0
    failed: int = 0
    position: datetime | None = None
    running: Mapping[str, datetime] = field(default_factory=dict)
    spent: timedelta = timedelta()
    owner: str | None = None
    step: int = 0

    @property
    def ended(self) -> int:
        """Executions that have ended."""
        return self.succeeded + self.failed

    @property
    def left(self) -> int:
        """Executions that have not ended, or not begun."""
        return 0 if self.state.is_over else max(self.total - self.ended, 0)

    @property
    def progress(self) -> float:
        """How much of it has ended: from 0 to 1."""
        return self.ended / self.total if self.total else 1.0

    @property
    def eta(self) -> timedelta | None:
        """How long it will take yet, if the rest takes as long as what has ended; None while nothing has."""
        if self.state.is_over:
            return timedelta()
        if not self.ended or self.state is BackfillState.PAUSED:
            return None
        return self.spent / self.ended * self.left / min(self.plan.parallelism, max(self.left, 1))

    def to_dict(self) -> dict[str, JsonValue]:
        """Kestra's shape of a backfill, and beside it what only nbflow knows."""
        plan, eta = self.plan, self.eta
        return {
            "id": self.id,
            "namespace": self.namespace,
            "flowId": self.flow_id,
            "triggerId": self.trigger_id,
            "start": instant(plan.start),
            "end": instant(plan.end),
            "currentDate": instant(self.position or plan.start),
            "paused": self.state is BackfillState.PAUSED,
            "inputs": dict(plan.inputs),
            "labels": [{"key": key, "value": value} for key, value in plan.labels.items()],
            "state": str(self.state),
            "order": str(plan.order),
            "only": str(plan.only),
            "parallelism": plan.parallelism,
            "total": self.total,
            "started": self.fired,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "running": [{"executionId": id, "date": instant(date)} for id, date in self.running.items()],
            "progress": round(self.progress, 4),
            "eta": None if eta is None else format_duration(eta),
            "createdAt": instant(self.created),
            "updatedAt": instant(self.updated),
        }
