"""What to do about the dates of a schedule that have come: fire one, leave some out, wait.

next date ─► passed while nobody was there? (recoverMissedSchedules) ─► too late? (lateMaximumDelay)
          ─► does its last execution still run? (allowConcurrent) ─► fire, and look at the date after it
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from nbflow.scheduler.dates import Timetable, from_date
from nbflow.triggers.schedule import MissedSchedules


class Reason(StrEnum):
    """Why dates are left out."""

    MISSED = "MISSED"
    """They passed while no scheduler was there, and are not to be recovered."""
    LATE = "LATE"
    """They are later than `lateMaximumDelay` allows."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a schedule says about dates that cannot fire in time."""

    recover: MissedSchedules = MissedSchedules.ALL
    late_maximum_delay: timedelta | None = None
    allow_concurrent: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Dates that are left out, from the first to the last of them."""

    first: datetime
    last: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: `fire` for a date or not; then `next_date` is the one to look at.

    `waits`: a date has come that fires once the schedule's own execution has ended.
    """

    fire: datetime | None
    next_date: datetime | None
    left_out: tuple[LeftOut, ...] = ()
    waits: bool = False


def decide(
    table: Timetable,
    rules: Rules,
    next_date: datetime | None,
    now: datetime,
    watched_since: datetime,
    *,
    is_running: bool = False,
) -> Decision:
    """What to do now about a schedule whose next date this is.

    `watched_since`: since when a scheduler has been there without a break; `is_running`: its own execution is.
    """
    left_out: list[LeftOut] = []
    date = next_date
    if date is not None and date < watched_since and date <= now:
        kept = _after_missed(table, rules.recover, date, watched_since)
        _leave_out(table, left_out, date, kept, watched_since, Reason.MISSED)
        date = kept
    if date is not None and rules.late_maximum_delay is not None and date < now - rules.late_maximum_delay:
        earliest = now - rules.late_maximum_delay
        kept = from_date(table, earliest)
        _leave_out(table, left_out, date, kept, earliest, Reason.LATE)
        date = kept
    if date is None or date > now:
        return Decision(None, date, tuple(left_out))
    if is_running and not rules.allow_concurrent:
        return Decision(None, date, tuple(left_out), waits=True)
    return Decision(date, table.after(date), tuple(left_out))


def _after_missed(
    table: Timetable, recover: MissedSchedules, date: datetime, watched_since: datetime
) -> datetime | None:
    """The date to go on with, when dates from `date` on were missed."""
    if recover is MissedSchedules.ALL:
        return date
    if recover is MissedSchedules.LAST:
        last = table.before(watched_since)
        return date if last is None else max(last, date)
    return from_date(table, watched_since)


def _leave_out(
    table: Timetable, found: list[LeftOut], date: datetime, kept: datetime | None, end: datetime, reason: Reason
) -> None:
    """Note the dates between one and the one that is kept."""
    if kept is not None and kept <= date:
        return
    last = table.before(kept if kept is not None else end)
    found.append(LeftOut(date, max(last, date) if last is not None else date, reason))
