"""Writes instants after a pattern of Java's `DateTimeFormatter`, or one of its ready-made formats."""

from __future__ import annotations

from collections.abc import Sequence

from nbflow.errors import TemplateError
from nbflow.expressions.java import date_names
from nbflow.expressions.java.date_patterns import Element
from nbflow.expressions.java.moments import Moment, days_of, is_leap, offset_id

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def write(moment: Moment, pattern: Sequence[Element], where: str) -> str:
    """The moment after a pattern, in a language. Raises: TemplateError."""
    pieces: list[str] = []
    for element in pattern:
        if element.letter == "'":
            text = element.text
        elif element.letter == "[":
            text = write(moment, element.inner, where)
        else:
            text = _field(moment, element, where)
            if element.pad:
                if len(text) > element.pad:
                    raise TemplateError(f"`{text}` is wider than its padding")
                text = text.rjust(element.pad)
        pieces.append(text)
    return "".join(pieces)


def weekday(moment: Moment) -> int:
    """The day of the week, Monday being 1."""
    return (moment.days + 3) % 7 + 1


def day_of_year(moment: Moment) -> int:
    return moment.days - days_of(moment.date[0], 1, 1) + 1


def _field(moment: Moment, element: Element, where: str) -> str:
    letter, count = element.letter, element.count
    year, month, day = moment.date
    hour, minute, second = moment.second // 3600, moment.second // 60 % 60, moment.second % 60
    match letter:
        case "u":
            return _year(year, count)
        case "y":
            return _year(year if year > 0 else 1 - year, count)
        case "M" | "L":
            if count <= 2:
                return _padded(month, count)
            return date_names.month(where, month, count, is_alone=letter == "L")
        case "d":
            return _padded(day, count)
        case "D":
            return _padded(day_of_year(moment), count)
        case "H":
            return _padded(hour, count)
        case "k":
            return _padded(hour or 24, count)
        case "K":
            return _padded(hour % 12, count)
        case "h":
            return _padded(hour % 12 or 12, count)
        case "m":
            return _padded(minute, count)
        case "s":
            return _padded(second, count)
        case "S":
            return f"{moment.nano:09d}"[:count]
        case "n":
            return _padded(moment.nano, count)
        case "N":
            return _padded(moment.second * 1_000_000_000 + moment.nano, count)
        case "A":
            return _padded(moment.second * 1000 + moment.nano // 1_000_000, count)
        case "E":
            return date_names.day(where, weekday(moment), count)
        case "a":
            return date_names.half_of_day(where, hour)
        case "G":
            return date_names.era(where, year, count)
        case "Q" | "q":
            number = (month - 1) // 3 + 1
            return (
                _padded(number, count)
                if count <= 2
                else date_names.quarter(where, number, count, is_alone=letter == "q")
            )
        case "e" | "c" | "Y" | "w" | "W" | "F":
            return _week_field(moment, element, where)
        case "g":
            return _padded(moment.days + 40_587, count)
        case "X" | "x" | "Z" | "O":
            return offset_text(moment.offset, letter, count)
        case "V":
            return moment.zone.id
        case "z" | "v":
            return date_names.zone_name(where, moment, is_long=count == 4, is_generic=letter == "v")
        case "B":
            return _period(moment, where)
    raise TemplateError(f"the letter `{letter}` of date patterns is not supported")


def _period(moment: Moment, where: str) -> str:
    from datetime import time

    from babel.dates import format_time

    at = time(moment.second // 3600, moment.second // 60 % 60)
    return str(format_time(at, "BBBB", locale=date_names.locale(where)))


def _padded(number: int, count: int) -> str:
    return f"{number:0{count}d}"


def _year(year: int, count: int) -> str:
    if count == 2:
        return f"{abs(year) % 100:02d}"
    digits = f"{abs(year):0{count}d}"
    if year < 0:
        return f"-{digits}"
    return f"+{digits}" if count >= 4 and len(digits) > count else digits


def week_of(days: int, year: int, first: int, minimum: int) -> tuple[int, int]:
    """The week-based year and the week of it, for weeks that begin on a day and count from so many days on."""
    for candidate in (year + 1, year, year - 1):
        start = week_start(candidate, first, minimum)
        if days >= start:
            return candidate, (days - start) // 7 + 1
    raise AssertionError("a date lies in one of three years")


def week_start(year: int, first: int, minimum: int) -> int:
    """The first day of the first week of a year."""
    january = days_of(year, 1, 1)
    shift = ((january + 3) % 7 + 1 - first) % 7
    start = january - shift
    return start if 7 - shift >= minimum else start + 7


def _week_field(moment: Moment, element: Element, where: str) -> str:
    letter, count = element.letter, element.count
    first, minimum = date_names.week_rules(where)
    if letter in "ec":
        if count <= 2:
            return _padded((weekday(moment) - first) % 7 + 1, count)
        return date_names.day(where, weekday(moment), count, is_alone=letter == "c")
    if letter == "F":
        return str((moment.date[2] - 1) // 7 + 1)
    if letter == "W":
        start = days_of(moment.date[0], moment.date[1], 1)
        shift = ((start + 3) % 7 + 1 - first) % 7
        week = (moment.days - (start - shift)) // 7 + (1 if 7 - shift >= minimum else 0)
        return str(week)
    year, week = week_of(moment.days, moment.date[0], first, minimum)
    return _year(year, count) if letter == "Y" else _padded(week, count)


def offset_text(offset: int, letter: str, count: int) -> str:
    """An offset as `X`, `x`, `Z` and `O` write it."""
    sign = "-" if offset < 0 else "+"
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    if letter == "O":
        if offset == 0:
            return "GMT"
        if count == 4:
            return f"GMT{sign}{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
        return (
            f"GMT{sign}{hours}"
            + (f":{minutes:02d}" if minutes or seconds else "")
            + (f":{seconds:02d}" if seconds else "")
        )
    if letter == "Z":
        if count == 4:
            return offset_text(offset, "O", 4)
        if count == 5:
            return offset_text(offset, "X", 5)
        return f"{sign}{hours:02d}{minutes:02d}"
    if letter == "X" and offset == 0:
        return "Z"
    colon = ":" if count in (3, 5) else ""
    text = f"{sign}{hours:02d}"
    if count > 1 or minutes:
        text += f"{colon}{minutes:02d}"
    if count >= 4 and seconds:
        text += f"{colon}{seconds:02d}"
    return text


def local_date(moment: Moment) -> str:
    year, month, day = moment.date
    return f"{_year(year, 4)}-{month:02d}-{day:02d}"


def local_time(moment: Moment) -> str:
    text = f"{moment.second // 3600:02d}:{moment.second // 60 % 60:02d}:{moment.second % 60:02d}"
    fraction = f"{moment.nano:09d}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text


def _region(moment: Moment) -> str:
    return f"[{moment.zone.id}]"


def _is_offset(moment: Moment) -> bool:
    return moment.zone.fixed is not None and moment.zone.id == offset_id(moment.zone.fixed)


def zoned_date_time(moment: Moment) -> str:
    text = f"{local_date(moment)}T{local_time(moment)}{offset_id(moment.offset)}"
    return text if _is_offset(moment) else text + _region(moment)


def instant(moment: Moment) -> str:
    from nbflow.expressions.java.moments import Zone

    universal = moment.at(Zone("Z", 0))
    text = f"{universal.second // 3600:02d}:{universal.second // 60 % 60:02d}:{universal.second % 60:02d}"
    fraction = f"{universal.nano:09d}"
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    return f"{local_date(universal)}T{text}{'.' + fraction if fraction else ''}Z"


def ordinal_date(moment: Moment) -> str:
    return f"{_year(moment.date[0], 4)}-{day_of_year(moment):03d}{offset_id(moment.offset)}"


def week_date(moment: Moment) -> str:
    year, week = week_of(moment.days, moment.date[0], 1, 4)
    return f"{_year(year, 4)}-W{week:02d}-{weekday(moment)}{offset_id(moment.offset)}"


def rfc_1123(moment: Moment) -> str:
    year, month, day = moment.date
    time = f"{moment.second // 3600:02d}:{moment.second // 60 % 60:02d}:{moment.second % 60:02d}"
    zone = "GMT" if moment.offset == 0 else offset_text(moment.offset, "Z", 1)
    return f"{_DAYS[weekday(moment) - 1]}, {day} {_MONTHS[month - 1]} {year:04d} {time} {zone}"


__all__ = ["days_of", "is_leap", "write"]
