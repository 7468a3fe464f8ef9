"""The instants at which a schedule fires: dates of the wall clock in a time zone, gaps and overlaps of it settled.

A date in a gap (the clock is put forward over it) stands for the first instant after the gap; a date in an overlap
(the clock is put back over it) stands for its first pass. No instant comes twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from nbflow.scheduler.cron import CronDates, cron_dates

_SECOND = timedelta(seconds=1)
_MOST_STEPS = 10_000  # dates of the wall clock that may stand for one instant: those of a gap, second by second


class Timetable(Protocol):
    """The dates of a schedule, as instants (UTC)."""

    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """The first date after an instant; None when none will come."""
        ...

    def before(self, moment: datetime) -> datetime | None:
        """The last date before an instant; None when there was none."""
        ...


class CronTable:
    """The dates of a cron expression in a time zone."""

    def __init__(self, dates: CronDates, zone: ZoneInfo) -> None:
        self._dates = dates
        self.zone = zone

    def after(self, moment: datetime) -> datetime | None:
        wall = _wall(moment, self.zone)
        found = self._dates.after(wall)
        for _ in range(_MOST_STEPS):
            if found is None:
                return None
            instant = instant_of(found, self.zone)
            if instant > moment:
                return instant
            found = self._dates.after(found)
        return None

    def before(self, moment: datetime) -> datetime | None:
        wall = _wall(moment, self.zone)
        if moment.astimezone(self.zone).fold:  # in the second pass, dates of the first one may be later on the clock
            wall += _offset(wall, self.zone, 0) - _offset(wall, self.zone, 1)
        found = self._dates.before(wall)
        for _ in range(_MOST_STEPS):
            if found is None:
                return None
            instant = instant_of(found, self.zone)
            if instant < moment:
                return instant
            found = self._dates.before(found)
        return None

    def oddity(self, instant: datetime) -> str | None:
        """What is odd about a date: that the wall clock left it out, or has it twice."""
        wall = _wall(instant, self.zone)
        first = self._dates.after(wall - _SECOND)
        if first != wall:
            skipped = self._dates.before(wall)
            when = f"{skipped:%H:%M:%S}".removesuffix(":00") if skipped is not None else "its date"
            return f"{when} is left out on {wall:%Y-%m-%d}: the clock is put forward to {wall:%H:%M}"
        if _offset(wall, self.zone, 0) > _offset(wall, self.zone, 1):
            return f"{wall:%H:%M} comes twice on {wall:%Y-%m-%d}, for the clock is put back: it fires the first time"
        return None


class DateTable:
    """Given dates."""

    def __init__(self, dates: Sequence[datetime], zone: ZoneInfo) -> None:
        self.zone = zone
        self._dates = sorted(
            {instant_of(date, zone) if date.tzinfo is None else date.astimezone(UTC) for date in dates}
        )

    def after(self, moment: datetime) -> datetime | None:
        place = bisect_right(self._dates, moment)
        return self._dates[place] if place < len(self._dates) else None

    def before(self, moment: datetime) -> datetime | None:
        place = bisect_left(self._dates, moment)
        return self._dates[place - 1] if place else None


@lru_cache(maxsize=20_000)
def cron_table(cron: str, with_seconds: bool, zone: str) -> CronTable:
    """The dates of a cron expression in the time zone of this name."""
    return CronTable(cron_dates(cron, with_seconds), ZoneInfo(zone))


def from_date(table: Timetable, moment: datetime) -> datetime | None:
    """The first date that is not before an instant."""
    return table.after(moment - timedelta(microseconds=1))


def between(table: Timetable, start: datetime, end: datetime) -> Iterator[datetime]:
    """The dates from one instant to another, both included, oldest first."""
    date = from_date(table, start)
    while date is not None and date <= end:
        yield date
        date = table.after(date)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) that a date of the wall clock stands for."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(first, zone) == wall:
        return first
    early, late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    before = early.astimezone(zone).utcoffset()
    while late - early > _SECOND:  # the end of the gap lies between the two ways to read the date
        middle = early + (late - early) // 2
        middle = middle.replace(microsecond=0)
        if middle <= early:
            break
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(wall: datetime, zone: ZoneInfo, fold: int) -> timedelta:
    return wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta()
