"""Instants in a zone, with nanoseconds and years beyond 9999, as `java.time.ZonedDateTime` has them."""

from __future__ import annotations

import functools
import re
import zoneinfo
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from nbflow.errors import TemplateError

DAY = 86_400
NANOS = 1_000_000_000
_MAX_YEAR = 999_999_999
_OFFSET = re.compile(r"([+-])([0-9]{1,2})(?::?([0-9]{2})(?::?([0-9]{2}))?)?")
_SHORT = ("EST", "MST", "HST", "ROC", "localtime", "Factory")
_REGION = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]+")
_PREFIXED = re.compile(r"(UTC|GMT|UT)([+-].*)")


def days_of(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 in the proleptic Gregorian calendar."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """The year, month and day that is `days` after 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day


_FIRST_DAY, _LAST_DAY = days_of(-_MAX_YEAR, 1, 1), days_of(_MAX_YEAR, 12, 31)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: a region such as `Europe/Paris`, or a fixed offset in seconds."""

    id: str
    fixed: int | None = None

    def rules(self) -> tzinfo:
        return zoneinfo.ZoneInfo(self.id)

    def offset_at(self, seconds: int) -> int:
        """Seconds east of UTC at an instant, given in seconds since 1970."""
        if self.fixed is not None:
            return self.fixed
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=_within_range(seconds))
        return _seconds(moment.astimezone(self.rules()).utcoffset())

    def offsets_of(self, local: int) -> tuple[int, int]:
        """The offsets of a local time, given as if it were UTC: the earlier and the later; mostly the same."""
        if self.fixed is not None:
            return self.fixed, self.fixed
        naive = datetime(1970, 1, 1) + timedelta(seconds=_within_range(local))
        rules = self.rules()
        return (
            _seconds(naive.replace(tzinfo=rules, fold=0).utcoffset()),
            _seconds(naive.replace(tzinfo=rules, fold=1).utcoffset()),
        )


def _seconds(offset: timedelta | None) -> int:
    assert offset is not None
    return int(offset.total_seconds())


_CYCLE = 146_097 * DAY
_FIRST = days_of(2, 1, 1) * DAY
_LAST = days_of(9998, 1, 1) * DAY


def _within_range(seconds: int) -> int:
    """An instant of the same place in the calendar's cycle of 400 years that `datetime` can hold."""
    if _FIRST <= seconds < _LAST:
        return seconds
    base = days_of(2400 if seconds > 0 else 100, 1, 1) * DAY
    return base + (seconds - base) % _CYCLE


@functools.lru_cache(maxsize=256)
def zone(name: str) -> Zone:
    """`ZoneId.of`. Raises: TemplateError."""
    if name in ("Z", "z"):
        return Zone("Z", 0)
    if name[:1] in ("+", "-"):
        return fixed_zone(offset_seconds(name))
    if name in ("UTC", "GMT", "UT"):
        return Zone(name, 0)
    if prefixed := _PREFIXED.fullmatch(name):
        seconds = offset_seconds(prefixed.group(2))
        return Zone(prefixed.group(1) + (offset_id(seconds) if seconds else ""), seconds)
    if _REGION.fullmatch(name) and not name.startswith("posix") and name not in _SHORT:
        try:
            rules = Zone(name)
            rules.rules()
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
        else:
            return rules
    raise TemplateError(f"there is no time zone `{name[:80]}`", hint="write a region such as `Europe/Paris`, or `UTC`")


def fixed_zone(seconds: int) -> Zone:
    return Zone(offset_id(seconds), seconds)


def offset_seconds(text: str) -> int:
    """`ZoneOffset.of` in seconds. Raises: TemplateError."""
    match = _OFFSET.fullmatch(text)
    if text in ("Z", "z"):
        return 0
    if match is None or (match.group(3) is not None and len(match.group(2)) == 1):
        raise TemplateError(f"`{text[:80]}` is no time zone offset", hint="write it as `+02:00`")
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > 18 * 3600:
        raise TemplateError(f"`{text[:80]}` is no time zone offset", hint="it goes from -18:00 to +18:00")
    return -total if match.group(1) == "-" else total


def offset_id(seconds: int) -> str:
    """`Z`, `+02:00`, `-03:30:15`."""
    if seconds == 0:
        return "Z"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}" + (f":{left:02d}" if left else "")


def system_zone() -> Zone:
    """The zone of this machine: `TZ`, `/etc/localtime`, else UTC."""
    import os
    from pathlib import Path

    named = os.environ.get("TZ", "").removeprefix(":")
    if not named:
        try:
            target = Path("/etc/localtime").resolve()
            named = target.as_posix().partition("zoneinfo/")[2]
        except OSError:
            named = ""
    try:
        return zone(named or "Etc/UTC")
    except TemplateError:
        local = datetime.now().astimezone().utcoffset()
        return fixed_zone(_seconds(local))


@dataclass(frozen=True, slots=True)
class Moment:
    """A local date and time in a zone: `days` since 1970-01-01, `second` of the day, `nano` of the second."""

    days: int
    second: int
    nano: int
    offset: int
    zone: Zone

    @property
    def epoch(self) -> int:
        """Seconds since 1970-01-01T00:00Z."""
        return self.days * DAY + self.second - self.offset

    @property
    def date(self) -> tuple[int, int, int]:
        return date_of(self.days)

    def at(self, other: Zone) -> Moment:
        """The same instant in another zone."""
        return moment_at(self.epoch, self.nano, other)

    def plus_time(self, nanos: int) -> Moment:
        """Later on the line of instants."""
        seconds, nano = divmod(self.nano + nanos, NANOS)
        return moment_at(self.epoch + seconds, nano, self.zone)

    def plus_days(self, days: int) -> Moment:
        """Later by the calendar: the local time stays."""
        return self._at_date(self.days + days)

    def plus_months(self, months: int) -> Moment:
        year, month, day = self.date
        year, month = divmod(year * 12 + month - 1 + months, 12)
        if abs(year) > _MAX_YEAR:
            raise TemplateError("this date is out of range")
        return self._at_date(days_of(year, month + 1, min(day, month_length(year, month + 1))))

    def _at_date(self, days: int) -> Moment:
        return local_moment(days, self.second, self.nano, self.zone, preferred=self.offset)


def moment_at(epoch: int, nano: int, where: Zone) -> Moment:
    """An instant seen in a zone. Raises: TemplateError."""
    if abs(epoch) > 31_556_889_864_403_199:
        raise TemplateError("this date is out of range")
    offset = where.offset_at(epoch)
    days, second = divmod(epoch + offset, DAY)
    return Moment(days, second, nano, offset, where)


def local_moment(days: int, second: int, nano: int, where: Zone, preferred: int | None = None) -> Moment:
    """A local time in a zone; one that a change of clocks skips moves forward, of two the earlier is meant."""
    if not _FIRST_DAY <= days <= _LAST_DAY:
        raise TemplateError("this date is out of range")
    earlier, later = where.offsets_of(days * DAY + second)
    offset = later if preferred == later and earlier > later else earlier
    if earlier < later:  # skipped: the offset before the change reads it, the one after it shows it
        return moment_at(days * DAY + second - earlier, nano, where)
    return Moment(days, second, nano, offset, where)


def from_datetime(value: datetime, where: Zone) -> Moment:
    """A Python date and time; one without a zone is local."""
    nano = value.microsecond * 1000
    if value.tzinfo is None:
        days = days_of(value.year, value.month, value.day)
        return local_moment(days, value.hour * 3600 + value.minute * 60 + value.second, nano, where)
    key = getattr(value.tzinfo, "key", None)
    own = Zone(str(key)) if key else fixed_zone(_seconds(value.utcoffset()))
    return moment_at(int((value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)), nano, own)


__all__ = ["Moment", "Zone", "local_moment", "moment_at", "replace", "zone"]
