"""Functions that ask about a date: weekends, public holidays, days of the week and of the month."""

from __future__ import annotations

import importlib

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_argument
from nbflow.expressions.java.date_writing import weekday
from nbflow.expressions.java.dates import read_moment
from nbflow.expressions.java.moments import Moment, days_of, month_length, system_zone, zone

_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_POSITIONS = {"FIRST": 1, "SECOND": 2, "THIRD": 3, "FOURTH": 4}


def _day(name: str, value: object, time_zone: object = None) -> Moment:
    """The date given, as it reads where it was written unless a zone is named."""
    if value is None:
        raise TemplateError(f"`{name}` takes a date, not null")
    named = None if time_zone is None else zone(text_argument(name, "timeZone", time_zone))
    moment = read_moment(value, named or system_zone(), None)
    return moment.at(named) if named else moment


def day_of_week(date: object) -> str:
    """The name of the day of the week, in capitals.

    Example: `{{ dayOfWeek('2024-03-15T10:00:00Z') }}` gives `FRIDAY`
    """
    return _DAYS[weekday(_day("dayOfWeek", date)) - 1]


def day_of_month(date: object) -> int:
    """The day of the month.

    Example: `{{ dayOfMonth('2024-03-15T10:00:00Z') }}` gives `15`
    """
    return _day("dayOfMonth", date).date[2]


def month_of_year(date: object) -> int:
    """The month, from 1 to 12.

    Example: `{{ monthOfYear('2024-03-15T10:00:00Z') }}` gives `3`
    """
    return _day("monthOfYear", date).date[1]


def hour_of_day(date: object) -> int:
    """The hour, from 0 to 23.

    Example: `{{ hourOfDay('2024-03-15T10:00:00Z') }}` gives `10`
    """
    return _day("hourOfDay", date).second // 3600


def is_weekend(date: object) -> bool:
    """Whether a date is a Saturday or Sunday.

    Example: `{{ isWeekend('2024-03-16T10:00:00Z') }}` gives `true`
    """
    return weekday(_day("isWeekend", date)) > 5


def is_day_week_in_month(date: object, day_of_week: object, day_in_month: object) -> bool:
    """Whether a date is the first, second, third, fourth or last such day of its month.

    Example: `{{ isDayWeekInMonth('2024-03-04T10:00:00Z', 'MONDAY', 'FIRST') }}` gives `true`
    """
    moment = _day("isDayWeekInMonth", date)
    wanted = text_argument("isDayWeekInMonth", "dayOfWeek", day_of_week).upper()
    place = text_argument("isDayWeekInMonth", "dayInMonth", day_in_month).upper()
    if wanted not in _DAYS:
        raise TemplateError(f"there is no day `{wanted}`", hint=f"there are {', '.join(_DAYS)}")
    year, month, day = moment.date
    if weekday(moment) != _DAYS.index(wanted) + 1:
        return False
    if place == "LAST":
        return moment.days + 7 >= days_of(year, month, 1) + month_length(year, month)
    if place not in _POSITIONS:
        raise TemplateError(f"there is no position `{place}`", hint=f"there are {', '.join(_POSITIONS)} and LAST")
    return (day - 1) // 7 + 1 == _POSITIONS[place]


def is_public_holiday(date: object, country_code: object = None, sub_division: object = None) -> bool:
    """Whether a date is a public holiday of a country, or of a part of it.

    Example: `{{ isPublicHoliday('2024-12-25T10:00:00Z', 'US') }}`
    """
    moment = _day("isPublicHoliday", date)
    country = text_argument("isPublicHoliday", "countryCode", country_code)
    part = None if sub_division is None else text_argument("isPublicHoliday", "subDivision", sub_division)
    try:
        holidays = importlib.import_module("holidays")
    except ImportError as missing:
        raise TemplateError(
            "`isPublicHoliday` needs the package `holidays`", hint="pip install 'jupyter-nbflow[holidays]'"
        ) from missing
    year, month, day = moment.date
    try:
        known = holidays.country_holidays(
            country.upper(), subdiv=part.upper().removeprefix(f"{country.upper()}-") if part else None, years=year
        )
    except (NotImplementedError, KeyError, ValueError) as unknown:
        raise TemplateError(f"no public holidays are known for `{part or country}`") from unknown
    return f"{year:04d}-{month:02d}-{day:02d}" in known


FUNCTIONS: dict[str, Function] = {
    "dayOfMonth": day_of_month,
    "dayOfWeek": day_of_week,
    "hourOfDay": hour_of_day,
    "isDayWeekInMonth": is_day_week_in_month,
    "isPublicHoliday": is_public_holiday,
    "isWeekend": is_weekend,
    "monthOfYear": month_of_year,
}
