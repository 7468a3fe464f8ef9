"""Reads dates: ISO texts, and texts after a pattern of Java's `DateTimeFormatter`."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

from nbflow.errors import TemplateError
from nbflow.expressions.java import date_names
from nbflow.expressions.java.date_patterns import Element
from nbflow.expressions.java.date_writing import week_of, week_start, weekday
from nbflow.expressions.java.moments import (
    DAY,
    Moment,
    Zone,
    date_of,
    days_of,
    fixed_zone,
    local_moment,
    moment_at,
    month_length,
    offset_seconds,
    zone,
)

_DATE = r"(?P<year>[0-9]{4}|\+[0-9]{5,10}|-[0-9]{4,10})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{0,9}))?)?"
_OFFSET = r"(?P<offset>[Zz]|[+-][0-9]{2}(?::[0-9]{2}(?::[0-9]{2})?)?)"
_ISO = re.compile(rf"{_DATE}(?:[Tt]{_TIME}(?:{_OFFSET}(?:\[(?P<zone>[^\]]+)\])?)?)?")

Fields = Mapping[str, "int | str"]


def read_iso(text: str, where: Zone) -> Moment:
    """A zoned date and time, a local one in the zone, or the start of a day in it. Raises: TemplateError."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise TemplateError(
            f"`{text[:80]}` is no date",
            hint="write it as `2024-12-31T23:59:00Z`, or tell its form with `existingFormat`",
        )
    year, month, day = (int(match.group(name)) for name in ("year", "month", "day"))
    if not 1 <= month <= 12 or not 1 <= day <= month_length(year, month):
        raise TemplateError(f"`{text[:80]}` is no date: there is no such day")
    days = days_of(year, month, day)
    if match.group("hour") is None:
        return local_moment(days, 0, 0, where)
    hour, minute, second = (int(match.group(name) or 0) for name in ("hour", "minute", "second"))
    if hour > 23 or minute > 59 or second > 59:
        raise TemplateError(f"`{text[:80]}` is no date: there is no such time")
    nano = int((match.group("fraction") or "").ljust(9, "0"))
    local = hour * 3600 + minute * 60 + second
    if match.group("offset") is None:
        return local_moment(days, local, nano, where)
    offset = offset_seconds(match.group("offset"))
    named = match.group("zone")
    return moment_at(days * DAY + local - offset, nano, zone(named) if named else fixed_zone(offset))


def read_pattern(text: str, pattern: tuple[Element, ...], where: Zone, *, is_strict: bool = False) -> Moment:
    """A text after a pattern: with a zone, without, or a date alone. Raises: TemplateError.

    The 30th of a February is its last day, and 24:00 the end of a day, unless `is_strict`.
    """
    language = "en"
    expression, groups = _expression(pattern, language)
    match = expression.fullmatch(text)
    if match is None:
        raise TemplateError(f"`{text[:80]}` does not have the form of `existingFormat`")
    fields: dict[str, int | str] = {}
    for index, element in enumerate(groups):
        found = match.group(f"g{index}")
        if found is not None:
            _take(fields, element, found, language)
    moment = _resolved(fields, where, text)
    if is_strict and (fields.get("hour") == 24 or fields.get("day", moment_day(fields)) != moment_day(fields)):
        raise TemplateError(f"`{text[:80]}` is no date: there is no such day or time")
    return moment


def moment_day(fields: Fields) -> int | None:
    """The day of the month that the fields come to."""
    days = _days(fields)
    return None if days is None else date_of(days)[2]


@functools.lru_cache(maxsize=128)
def _expression(pattern: tuple[Element, ...], language: str) -> tuple[re.Pattern[str], tuple[Element, ...]]:
    groups: list[Element] = []
    source = _source(pattern, groups, language)
    return re.compile(source, re.DOTALL), tuple(groups)


def _source(pattern: Sequence[Element], groups: list[Element], language: str) -> str:
    pieces: list[str] = []
    for element in pattern:
        if element.letter == "'":
            pieces.append(re.escape(element.text))
        elif element.letter == "[":
            pieces.append(f"(?:{_source(element.inner, groups, language)})?")
        else:
            name = f"g{len(groups)}"
            groups.append(element)
            padding = " *" if element.pad else ""
            pieces.append(f"{padding}(?P<{name}>{_field_source(element, language)})")
    return "".join(pieces)


def _field_source(element: Element, language: str) -> str:
    letter, count = element.letter, element.count
    if letter in "uyY":
        if count == 2:
            return "[0-9]{2}"
        if count >= 4:
            return rf"[0-9]{{{count}}}|\+[0-9]{{{count + 1},10}}|-[0-9]{{{count},10}}"
        return f"-?[0-9]{{{count},10}}"
    if letter in "MLQq" and count > 2:
        names = date_names.month if letter in "ML" else date_names.quarter
        last = 12 if letter in "ML" else 4
        return _one_of(names(language, number, count, is_alone=letter in "Lq") for number in range(1, last + 1))
    if letter == "E" or (letter in "ec" and count > 2):
        return _one_of(date_names.day(language, number, count) for number in range(1, 8))
    if letter == "a":
        return _one_of({date_names.half_of_day(language, hour) for hour in (0, 12)})
    if letter == "G":
        return _one_of({date_names.era(language, year, count) for year in (0, 1)})
    if letter == "S":
        return f"[0-9]{{{count}}}"
    if letter in "XxZO":
        return _offset_source(letter, count)
    if letter in "zv" and count == 4:
        return "|".join(re.escape(name) for name in sorted(_ABBREVIATIONS, key=len, reverse=True) if " " in name)
    if letter in "Vzv":
        return r"[A-Za-z][A-Za-z0-9~/._+:-]*|[+-][0-9:]+"
    if letter == "D":
        return {1: "[0-9]{1,3}", 2: "[0-9]{2,3}", 3: "[0-9]{3}"}[count]
    return f"[0-9]{{{count}}}" if count >= 2 and letter not in "AnNg" else "[0-9]{1,19}"


def _one_of(names: object) -> str:
    assert hasattr(names, "__iter__")
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _offset_source(letter: str, count: int) -> str:
    if letter == "O" or (letter == "Z" and count == 4):
        return r"GMT(?:[+-][0-9]{1,2}(?::?[0-9]{2}){0,2})?"
    plain = {
        1: "[+-][0-9]{2}(?:[0-9]{2})?",
        2: "[+-][0-9]{4}",
        3: "[+-][0-9]{2}:[0-9]{2}",
        4: "[+-][0-9]{4}(?:[0-9]{2})?",
        5: "[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?",
    }
    if letter == "Z":
        return f"{plain[5]}|Z" if count == 5 else plain[2]
    return f"{plain[count]}|Z" if letter == "X" else plain[count]


_NUMBERS = {
    "d": "day",
    "D": "day of year",
    "H": "hour",
    "k": "clock hour",
    "K": "half hour",
    "h": "clock half hour",
    "m": "minute",
    "s": "second",
    "n": "nano",
    "A": "milli of day",
    "N": "nano of day",
    "M": "month",
    "L": "month",
    "w": "week",
    "e": "local weekday",
    "c": "local weekday",
    "i": "iso weekday",
}


def _take(fields: dict[str, int | str], element: Element, found: str, language: str) -> None:
    letter, count = element.letter, element.count
    value: int | str
    if letter in "uyY":
        name = "week year" if letter == "Y" else "year"
        value = 2000 + int(found) if count == 2 else int(found)
        if letter == "y" and value <= 0:
            raise TemplateError("years of an era begin at 1")
    elif letter in "ML" and count > 2:
        name = "month"
        value = next(n for n in range(1, 13) if date_names.month(language, n, count, is_alone=letter == "L") == found)
    elif letter == "E" or (letter in "ec" and count > 2):
        name = "weekday"
        value = next(number for number in range(1, 8) if date_names.day(language, number, count) == found)
    elif letter in "Qq":
        name = "quarter"
        value = (
            int(found)
            if count <= 2
            else next(
                number
                for number in range(1, 5)
                if date_names.quarter(language, number, count, is_alone=letter == "q") == found
            )
        )
    elif letter == "a":
        name, value = "half", int(found == date_names.half_of_day(language, 12))
    elif letter == "S":
        name, value = "nano", int(found.ljust(9, "0"))
    elif letter in "XxZO":
        name, value = "offset", offset_seconds(found.removeprefix("GMT") or "Z")
    elif letter in "Vzv":
        name, value = "zone", found if letter == "V" else _ABBREVIATIONS.get(found, found)
        if letter == "V" and re.fullmatch("(?:UTC|GMT|UT)[+-][0-9]", found):
            raise TemplateError(f"`{found}` is no time zone here", hint="write both digits of the hour")
    elif letter in _NUMBERS:
        name, value = _NUMBERS[letter], int(found)
    else:
        return
    if fields.get(name, value) != value:
        raise TemplateError("this date contradicts itself")
    fields[name] = value


def _number(fields: Fields, name: str, low: int, high: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    assert isinstance(value, int)
    if not low <= value <= high:
        raise TemplateError(f"the {name} {value} is out of range")
    return value


def _resolved(fields: dict[str, int | str], where: Zone, text: str) -> Moment:
    days = _days(fields)
    if days is None:
        raise TemplateError(f"`{text[:80]}` read with `existingFormat` gives no whole date")
    time = _time(fields)
    named = fields.get("zone")
    offset = fields.get("offset")
    if time is None:
        moment = local_moment(days, 0, 0, where)
    else:
        second, nano, extra = time
        days += extra
        if isinstance(offset, int):
            target = zone(str(named)) if named is not None else fixed_zone(offset)
            moment = moment_at(days * DAY + second - offset, nano, target)
        elif named is not None:
            moment = local_moment(days, second, nano, zone(str(named)))
        else:
            moment = local_moment(days, second, nano, where)
    _check(fields, days, text)
    return moment


def _check(fields: Fields, days: int, text: str) -> None:
    """Raises: TemplateError where fields that the date does not need contradict it."""
    year, month, day = date_of(days)
    week_year, week = week_of(days, year, 7, 1)
    told = {
        "weekday": (days + 3) % 7 + 1,
        "iso weekday": (days + 3) % 7 + 1,
        "local weekday": (days + 4) % 7 + 1,
        "quarter": (month - 1) // 3 + 1,
        "day of year": days - days_of(year, 1, 1) + 1,
        "month": month,
    }
    if "day of year" in fields:
        told["day"] = day
    if "iso weekday" in fields:
        week_year, week = week_of(days, year, 1, 4)
    told |= {"week": week, "week year": week_year}
    for name, actual in told.items():
        if fields.get(name, actual) != actual:
            raise TemplateError(f"`{text[:80]}` contradicts itself: the {name} is {actual}")


_ABBREVIATIONS = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "CET": "Europe/Paris",
    "CEST": "Europe/Paris",
    "BST": "Europe/London",
    "JST": "Asia/Tokyo",
    "IST": "Asia/Kolkata",
    "Central European Time": "Europe/Paris",
    "Central European Standard Time": "Europe/Paris",
    "Central European Summer Time": "Europe/Paris",
    "Eastern Time": "America/New_York",
    "Eastern Standard Time": "America/New_York",
    "Eastern Daylight Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Central Daylight Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "Mountain Daylight Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
    "Pacific Daylight Time": "America/Los_Angeles",
    "Greenwich Mean Time": "Europe/London",
    "British Summer Time": "Europe/London",
    "Coordinated Universal Time": "UTC",
    "India Standard Time": "Asia/Kolkata",
    "Japan Standard Time": "Asia/Tokyo",
}
"""Names of zones that patterns with `z` read, and the regions that Java takes them for."""


def _days(fields: Fields) -> int | None:
    year = fields.get("year")
    if not isinstance(year, int):
        return _week_days(fields)
    if (of_year := _number(fields, "day of year", 1, 366)) is not None:
        start, end = days_of(year, 1, 1), days_of(year + 1, 1, 1)
        if start + of_year > end:
            raise TemplateError(f"the year {year} has no day {of_year}")
        return start + of_year - 1
    month, day = _number(fields, "month", 1, 12), _number(fields, "day", 1, 31)
    if month is None or day is None:
        return None
    return days_of(year, month, min(day, month_length(year, month)))


def _week_days(fields: Fields) -> int | None:
    """The day of a week-based year; weeks are counted as ISO 8601 does, or from Sunday on."""
    year, week = fields.get("week year"), _number(fields, "week", 1, 53)
    if not isinstance(year, int) or week is None:
        return None
    iso, local = _number(fields, "iso weekday", 1, 7), _number(fields, "local weekday", 1, 7)
    if iso is not None:
        return week_start(year, 1, 4) + (week - 1) * 7 + iso - 1
    if local is None and (plain := _number(fields, "weekday", 1, 7)) is not None:
        local = plain % 7 + 1
    return None if local is None else week_start(year, 7, 1) + (week - 1) * 7 + local - 1


def _time(fields: Fields) -> tuple[int, int, int] | None:
    """Second of the day, nanosecond, and days to add for 24:00."""
    of_day = _number(fields, "nano of day", 0, DAY * 10**9 - 1)
    if of_day is not None:
        return *divmod(of_day, 10**9), 0
    of_day = _number(fields, "milli of day", 0, DAY * 1000 - 1)
    if of_day is not None:
        return of_day // 1000, of_day % 1000 * 1_000_000, 0
    hour = _hour(fields)
    minute, second = _number(fields, "minute", 0, 59), _number(fields, "second", 0, 59)
    nano = _number(fields, "nano", 0, 999_999_999)
    if hour is None or (minute is None and (second is not None or nano is not None)):
        return None
    if second is None and nano is not None:
        return None
    if hour == 24:
        if minute or second or nano:
            raise TemplateError("the hour 24 ends the day")
        return 0, 0, 1
    return hour * 3600 + (minute or 0) * 60 + (second or 0), nano or 0, 0


def _hour(fields: Fields) -> int | None:
    hour, half = _number(fields, "hour", 0, 24), _number(fields, "half", 0, 1)
    if hour is not None:
        if half is not None and half != hour // 12:
            raise TemplateError("the hour and the half of the day contradict each other")
        return hour
    clock = _number(fields, "clock hour", 1, 24)
    if clock is not None:
        return clock % 24
    of_half = _number(fields, "half hour", 0, 11)
    if of_half is None:
        clock = _number(fields, "clock half hour", 1, 12)
        of_half = clock % 12 if clock is not None else None
    return None if half is None or of_half is None else half * 12 + of_half


__all__ = ["read_iso", "read_pattern", "weekday"]
