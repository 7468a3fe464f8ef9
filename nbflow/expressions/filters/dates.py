"""Filters on dates: written in a format, moved, turned into timestamps."""

from __future__ import annotations

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_argument, whole_argument
from nbflow.expressions.java.dates import format_moment, read_moment
from nbflow.expressions.java.moments import NANOS, Moment, Zone, system_zone
from nbflow.expressions.java.moments import zone as zone_of
from nbflow.expressions.java.numbers import to_long

_TIME_UNITS = {
    "NANOS": 1,
    "MICROS": 1000,
    "MILLIS": 1_000_000,
    "SECONDS": NANOS,
    "MINUTES": 60 * NANOS,
    "HOURS": 3600 * NANOS,
    "HALF_DAYS": 12 * 3600 * NANOS,
}
_DAY_UNITS = {"DAYS": 1, "WEEKS": 7}
_MONTH_UNITS = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200, "MILLENNIA": 12_000}


def _optional(argument: str, value: object) -> str | None:
    return None if value is None else text_argument("date", argument, value)


def _zone(time_zone: object) -> Zone:
    name = _optional("timeZone", time_zone)
    return system_zone() if name is None else zone_of(name)


def _moment(value: object, time_zone: object, existing_format: object) -> Moment:
    return read_moment(value, _zone(time_zone), _optional("existingFormat", existing_format))


def _written(moment: Moment, format: object, time_zone: object, locale: object) -> str:
    pattern = text_argument("date", "format", format)
    return format_moment(moment, pattern, _zone(time_zone), text_argument("date", "locale", locale))


def date(
    value: object,
    format: object = "iso",  # the name that expressions write
    time_zone: object = None,
    existing_format: object = None,
    locale: object = "en",
) -> str | None:
    """Write a date in a format: a name such as `iso_date`, a style such as `long`, or a Java pattern.

    Example: `{{ '2024-03-15T10:30:00Z' | date('dd/MM/yyyy HH:mm', timeZone='UTC') }}` gives `15/03/2024 10:30`
    """
    if value is None:
        return None
    return _written(_moment(value, time_zone, existing_format), format, time_zone, locale)


def date_add(
    value: object,
    amount: object = None,
    unit: object = None,
    format: object = "iso",  # the name that expressions write
    time_zone: object = None,
    existing_format: object = None,
    locale: object = "en",
) -> str | None:
    """Move a date by an amount of `DAYS`, `HOURS`, `MONTHS` …, and write it.

    Example: `{{ '2024-03-15' | dateAdd(-1, 'DAYS', 'yyyy-MM-dd', timeZone='UTC') }}` gives `2024-03-14`
    """
    if value is None:
        return None
    moment = _moment(value, time_zone, existing_format)
    moved = _moved(moment, whole_argument("dateAdd", "amount", amount), text_argument("dateAdd", "unit", unit))
    return _written(moved, format, time_zone, locale)


def _moved(moment: Moment, amount: int, unit: str) -> Moment:
    if unit in _TIME_UNITS:
        return moment.plus_time(amount * _TIME_UNITS[unit])
    if unit in _DAY_UNITS:
        return moment.plus_days(amount * _DAY_UNITS[unit])
    if unit in _MONTH_UNITS:
        return moment.plus_months(amount * _MONTH_UNITS[unit])
    units = ", ".join((*_TIME_UNITS, *_DAY_UNITS, *_MONTH_UNITS))
    raise TemplateError(f"`dateAdd` knows no unit `{unit}`", hint=f"there are {units}")


def timestamp(value: object, time_zone: object = None, existing_format: object = None) -> int | None:
    """A date as seconds since 1970.

    Example: `{{ '2024-01-01T00:00:00Z' | timestamp }}` gives `1704067200`
    """
    return None if value is None else _moment(value, time_zone, existing_format).epoch


def timestamp_milli(value: object, time_zone: object = None, existing_format: object = None) -> int | None:
    """A date as milliseconds since 1970.

    Example: `{{ '2024-01-01T00:00:00Z' | timestampMilli }}` gives `1704067200000`
    """
    if value is None:
        return None
    moment = _moment(value, time_zone, existing_format)
    return moment.epoch * 1000 + moment.nano // 1_000_000


def _nanos(moment: Moment) -> int:
    """Seconds as nanoseconds; what 64 bits cannot hold stays at their end."""
    return max(-(1 << 63), min((1 << 63) - 1, moment.epoch * NANOS))


def timestamp_micro(value: object, time_zone: object = None, existing_format: object = None) -> str | None:
    """Seconds since 1970 times 10⁹ plus the microseconds, as Kestra has it.

    Example: `{{ '2024-01-01T00:00:00Z' | timestampMicro }}` gives `1704067200000000000`
    """
    if value is None:
        return None
    moment = _moment(value, time_zone, existing_format)
    return str(to_long(_nanos(moment) + moment.nano // 1000))


def timestamp_nano(value: object, time_zone: object = None, existing_format: object = None) -> str | None:
    """A date as nanoseconds since 1970.

    Example: `{{ '2024-01-01T00:00:00Z' | timestampNano }}` gives `1704067200000000000`
    """
    if value is None:
        return None
    moment = _moment(value, time_zone, existing_format)
    return str(to_long(_nanos(moment) + moment.nano))


FILTERS: dict[str, Function] = {
    "date": date,
    "dateAdd": date_add,
    "timestamp": timestamp,
    "timestampMicro": timestamp_micro,
    "timestampMilli": timestamp_milli,
    "timestampNano": timestamp_nano,
}
