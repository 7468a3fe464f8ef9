"""What a schedule of a flow comes to: its timetable, its rules, and what its dates follow from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from nbflow.model.trigger import Trigger
from nbflow.scheduler.dates import DateTable, Timetable, cron_table
from nbflow.scheduler.due import Rules
from nbflow.triggers.schedule import Schedule, ScheduleOnDates
from nbflow.types import JsonValue

_MOST_CANDIDATES = 2_000
"""Dates that are asked about for the next or previous one whose conditions hold."""

Allows = Callable[[datetime], bool]
"""Whether the conditions of a schedule hold for a date."""


def table_of(trigger: Trigger) -> Timetable | None:
    """The dates of a schedule; None for a trigger that has none."""
    if isinstance(trigger, Schedule):
        return cron_table(trigger.cron, trigger.with_seconds, trigger.timezone)
    if isinstance(trigger, ScheduleOnDates):
        return DateTable(trigger.dates, ZoneInfo(trigger.timezone))
    return None


def rules_of(trigger: Trigger) -> Rules:
    """What a schedule says about dates that cannot fire in time."""
    if isinstance(trigger, Schedule):
        return Rules(trigger.recover_missed_schedules, trigger.late_maximum_delay, trigger.allow_concurrent)
    if isinstance(trigger, ScheduleOnDates):
        return Rules(trigger.recover_missed_schedules, None, trigger.allow_concurrent)
    return Rules(allow_concurrent=trigger.allow_concurrent)


def timing_of(trigger: Trigger) -> str:
    """What the dates of a schedule follow from: two schedules with the same have the same dates."""
    if isinstance(trigger, Schedule):
        return f"{trigger.cron} {trigger.timezone}"
    if isinstance(trigger, ScheduleOnDates):
        return f"{' '.join(date.isoformat() for date in sorted(trigger.dates, key=str))} {trigger.timezone}"
    return ""


def has_conditions(trigger: Trigger) -> bool:
    """Whether not every date fires."""
    older = trigger.schedule_conditions if isinstance(trigger, Schedule) else []
    return bool(trigger.conditions or older or trigger.when)


def dates_around(table: Timetable, date: datetime, allows: Allows | None = None) -> dict[str, JsonValue]:
    """What `{{ trigger.… }}` sees of a date: itself, the next and the previous one, in the time zone of the schedule.

    With `allows`, the next and previous ones for which the conditions hold.
    """
    found: dict[str, JsonValue] = {"date": shown(date, table)}
    for name, step in (("next", table.after), ("previous", table.before)):
        other = step(date)
        for _ in range(_MOST_CANDIDATES):
            if other is None or allows is None or allows(other):
                break
            other = step(other)
        else:
            other = None
        if other is not None:
            found[name] = shown(other, table)
    return found


def shown(date: datetime, table: Timetable) -> str:
    """An instant as flows see it, in the time zone of the schedule."""
    return date.astimezone(table.zone).isoformat().replace("+00:00", "Z")
