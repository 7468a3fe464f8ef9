"""Reads dates as mail and HTTP write them: RFC 1123."""

from __future__ import annotations

import re

from nbflow.errors import TemplateError
from nbflow.expressions.java.moments import (
    DAY,
    Moment,
    days_of,
    fixed_zone,
    moment_at,
    month_length,
    offset_seconds,
)

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_WEEKDAYS = "mon tue wed thu fri sat sun"
_RFC_1123 = re.compile(
    r"(?:(?P<weekday>mon|tue|wed|thu|fri|sat|sun), )?(?P<day>[0-9]{1,2}) "
    r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) (?P<year>[0-9]{1,9}) "
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{1,2})(?::(?P<second>[0-9]{1,2}))? "
    r"(?P<offset>gmt|[+-][0-9]{2}(?:[0-9]{2})?)",
    re.IGNORECASE,
)


def read_rfc_1123(text: str) -> Moment:
    """A date of mail and HTTP, such as `Tue, 3 Jun 2008 11:05:30 GMT`. Raises: TemplateError."""
    match = _RFC_1123.fullmatch(text)
    if match is None:
        raise TemplateError(f"`{text[:80]}` is no date of RFC 1123", hint="such as `Tue, 3 Jun 2008 11:05:30 GMT`")
    year, day, month = int(match["year"]), int(match["day"]), _MONTHS.index(match["month"].lower()) // 4 + 1
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if not 1 <= day <= 31 or hour > 24 or (hour == 24 and (minute or second)) or minute > 59 or second > 59:
        raise TemplateError(f"`{text[:80]}` is no date: there is no such day or time")
    days = days_of(year, month, min(day, month_length(year, month)))
    if match["weekday"] and _WEEKDAYS.index(match["weekday"].lower()) // 4 != (days + 3) % 7:
        raise TemplateError(f"`{text[:80]}` names the wrong day of the week")
    offset = 0 if match["offset"].lower() == "gmt" else offset_seconds(match["offset"])
    return moment_at(days * DAY + hour * 3600 + minute * 60 + second - offset, 0, fixed_zone(offset))
