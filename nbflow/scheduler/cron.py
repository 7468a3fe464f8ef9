"""The dates of a cron expression on the wall clock, forward and backward, without a time zone.

Source: POSIX crontab; with days of month and of week both given, a date of either counts. The fields are read by
croniter, the dates are found here: its own search costs a tenth of a millisecond a date.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

_DAY = timedelta(days=1)
_MOST_DAYS = 366 * 41  # 29 February on one day of the week comes round after at most 40 years
_ALL = {"minute": range(60), "hour": range(24), "month": range(1, 13), "second": (0,)}


@dataclass(frozen=True, slots=True)
class CronDates:
    """What a cron expression comes to: which seconds, minutes and hours of a day, and on which days."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    last_day: bool = False
    nth_weekdays: frozenset[tuple[int, int]] = frozenset()
    """Pairs of a day of the week and which of the month it is; 0: the last one."""

    def after(self, moment: datetime) -> datetime | None:
        """The first date after a moment on the wall clock; None when there is none within 40 years."""
        day, earliest = moment.date(), (moment + timedelta(seconds=1)).replace(microsecond=0)
        clock: time | None = earliest.time()
        if earliest.date() != day:
            day, clock = earliest.date(), time()
        for _ in range(_MOST_DAYS):
            if day.month not in self.months:
                year, month = divmod(day.year * 12 + day.month, 12)
                if year > date.max.year - 1:
                    return None
                day, clock = date(year, month + 1, 1), time()
                continue
            if self._has(day):
                found = self._first(clock or time())
                if found is not None:
                    return datetime.combine(day, found)
            if day >= date.max - _DAY:
                return None
            day, clock = day + _DAY, time()
        return None

    def before(self, moment: datetime) -> datetime | None:
        """The last date before a moment on the wall clock; None when there is none within 40 years."""
        latest = moment - timedelta(microseconds=1)
        day, clock = latest.date(), latest.time()
        for _ in range(_MOST_DAYS):
            if day.month in self.months and self._has(day):
                found = self._last(clock)
                if found is not None:
                    return datetime.combine(day, found)
            if day <= date.min + _DAY:
                return None
            day, clock = day - _DAY, time.max
        return None

    def _has(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        if self.days is None and self.weekdays is None:
            return True
        is_day = self.days is not None and (day.day in self.days or (self.last_day and (day + _DAY).day == 1))
        is_weekday = self.weekdays is not None and (weekday in self.weekdays or self._is_nth(day, weekday))
        return is_day or is_weekday

    def _is_nth(self, day: date, weekday: int) -> bool:
        if not self.nth_weekdays:
            return False
        is_last = (day + timedelta(days=7)).month != day.month
        return (weekday, (day.day - 1) // 7 + 1) in self.nth_weekdays or (is_last and (weekday, 0) in self.nth_weekdays)

    def _first(self, clock: time) -> time | None:
        """The first time of a day that is not before another."""
        for hour in self.hours[bisect_left(self.hours, clock.hour) :]:
            if hour > clock.hour:
                return time(hour, self.minutes[0], self.seconds[0])
            for minute in self.minutes[bisect_left(self.minutes, clock.minute) :]:
                if minute > clock.minute:
                    return time(hour, minute, self.seconds[0])
                place = bisect_left(self.seconds, clock.second)
                if place < len(self.seconds):
                    return time(hour, minute, self.seconds[place])
        return None

    def _last(self, clock: time) -> time | None:
        """The last time of a day that is not after another."""
        for hour in reversed(self.hours[: bisect_right(self.hours, clock.hour)]):
            if hour < clock.hour:
                return time(hour, self.minutes[-1], self.seconds[-1])
            for minute in reversed(self.minutes[: bisect_right(self.minutes, clock.minute)]):
                if minute < clock.minute:
                    return time(hour, minute, self.seconds[-1])
                place = bisect_right(self.seconds, clock.second)
                if place:
                    return time(hour, minute, self.seconds[place - 1])
        return None


@lru_cache(maxsize=20_000)
def cron_dates(text: str, with_seconds: bool = False) -> CronDates:
    """The dates of a cron expression that `check_cron` has let pass."""
    from croniter import croniter

    fields, nth = croniter.expand(text, second_at_beginning=with_seconds)
    nths = frozenset((int(day) % 7, 0 if which == "l" else int(which)) for day, all_ in nth.items() for which in all_)
    days, weekdays = _chosen(fields[2]), _chosen(fields[4])
    if weekdays is not None:
        plain = {day % 7 for day in weekdays if isinstance(day, int)}
        weekdays = frozenset(plain - {day for day, _ in nths})
    return CronDates(
        seconds=_numbers(fields[5], "second") if len(fields) > 5 else (0,),
        minutes=_numbers(fields[0], "minute"),
        hours=_numbers(fields[1], "hour"),
        days=None if days is None else frozenset(day for day in days if isinstance(day, int)),
        months=frozenset(_numbers(fields[3], "month")),
        weekdays=weekdays,
        last_day=days is not None and "l" in days,
        nth_weekdays=nths,
    )


def _chosen(field: Sequence[int | str]) -> frozenset[int | str] | None:
    """The values of a field; None when any will do."""
    return None if list(field) == ["*"] else frozenset(field)


def _numbers(field: Sequence[int | str], name: str) -> tuple[int, ...]:
    if list(field) == ["*"]:
        return tuple(range(60)) if name == "second" else tuple(_ALL[name])
    return tuple(sorted(int(value) for value in field))
