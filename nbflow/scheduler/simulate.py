"""What the schedules of a flow will do, or should have done: every date with what comes of it, without running any."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nbflow.model.execution import instant
from nbflow.scheduler.dates import CronTable, Timetable, between
from nbflow.types import JsonValue

Refusal = Callable[[datetime], str | None]
"""Why the conditions of a schedule keep a date from firing; None when they hold."""


class Outcome(StrEnum):
    """What comes of a date."""

    FIRES = "FIRES"
    RAN = "RAN"
    MISSED = "MISSED"
    CONDITION = "CONDITION"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True)
class SimulatedDate:
    """A date: `local` is as its clock shows it; `reason` says why it does not fire, `note` what is odd."""

    trigger_id: str
    date: datetime
    local: str
    outcome: Outcome
    reason: str | None = None
    note: str | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        return {
            "triggerId": self.trigger_id,
            "date": instant(self.date),
            "local": self.local,
            "outcome": str(self.outcome),
            "reason": self.reason,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Simulation:
    """The dates of a flow's schedules within a time, in their order. `is_cut`: there are more than could be shown."""

    namespace: str
    flow_id: str
    start: datetime
    end: datetime
    dates: tuple[SimulatedDate, ...]
    is_cut: bool = False

    @property
    def firings(self) -> list[SimulatedDate]:
        """The dates that fire, or did."""
        return [date for date in self.dates if date.outcome in (Outcome.FIRES, Outcome.RAN)]

    @property
    def missed(self) -> list[SimulatedDate]:
        """The dates that passed without an execution."""
        return [date for date in self.dates if date.outcome is Outcome.MISSED]

    @property
    def oddities(self) -> list[SimulatedDate]:
        """The dates at which the clock is put forward or back."""
        return [date for date in self.dates if date.note is not None]

    def to_dict(self) -> dict[str, JsonValue]:
        counts: dict[str, JsonValue] = {
            str(outcome): sum(date.outcome is outcome for date in self.dates) for outcome in Outcome
        }
        return {
            "namespace": self.namespace,
            "flowId": self.flow_id,
            "start": instant(self.start),
            "end": instant(self.end),
            "counts": counts,
            "isCut": self.is_cut,
            "dates": [date.to_dict() for date in self.dates],
        }


@dataclass(frozen=True, slots=True)
class Simulated:
    """A schedule to simulate. `ran` are dates with executions; None: nothing is known of the past."""

    trigger_id: str
    table: Timetable
    refusal: Refusal
    is_disabled: bool = False
    ran: Collection[datetime] | None = None


def simulate(
    namespace: str,
    flow_id: str,
    schedules: Collection[Simulated],
    start: datetime,
    end: datetime,
    now: datetime,
    limit: int = 100_000,
) -> Simulation:
    """Every date from one instant to another, at most `limit` of each schedule."""
    found: list[SimulatedDate] = []
    is_cut = False
    for one in schedules:
        for number, date in enumerate(between(one.table, start, end)):
            if number >= limit:
                is_cut = True
                break
            outcome, reason = _outcome(one, date, now)
            note = one.table.oddity(date) if isinstance(one.table, CronTable) else None
            local = date.astimezone(one.table.zone).isoformat()
            found.append(SimulatedDate(one.trigger_id, date, local, outcome, reason, note))
    found.sort(key=lambda each: (each.date, each.trigger_id))
    return Simulation(namespace, flow_id, start, end, tuple(found), is_cut)


def _outcome(one: Simulated, date: datetime, now: datetime) -> tuple[Outcome, str | None]:
    if one.ran is not None and date in one.ran:
        return Outcome.RAN, None
    if one.is_disabled:
        return Outcome.DISABLED, "the trigger or its flow is switched off"
    reason = one.refusal(date)
    if reason is not None:
        return Outcome.CONDITION, reason
    if one.ran is not None and date <= now:
        return Outcome.MISSED, "no execution was started for it"
    return Outcome.FIRES, None
