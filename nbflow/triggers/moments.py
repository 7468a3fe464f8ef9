"""Instants and times of day as flows write them: ISO 8601 only, for a bare number would be seconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Annotated

from pydantic import BeforeValidator

_MORE_THAN_ISO = re.compile(r"(?<=\.[0-9]{6})[0-9]+|\[[^\]]*\]$")
"""What Java writes beside: fractions finer than a microsecond, and the name of the zone after its offset."""


def iso_instant(text: str) -> datetime:
    """A date and time as ISO 8601, or as Java prints it; without a zone when the text names none.

    Raises: ValueError.
    """
    return datetime.fromisoformat(_MORE_THAN_ISO.sub("", text.strip()))


def _read_instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        return iso_instant(str(value))
    except ValueError as cause:
        raise ValueError(f"must be an ISO 8601 date such as 2024-01-31T09:00:00Z, got `{value}`") from cause


def _read_time(value: object) -> time:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(str(value).strip())
    except ValueError as cause:
        raise ValueError(f"must be an ISO 8601 time of day such as 09:00:00, got `{value}`") from cause


Instant = Annotated[datetime, BeforeValidator(_read_instant)]
"""A date and time; it has no zone when the text names none."""

TimeOfDay = Annotated[time, BeforeValidator(_read_time)]
"""A time of day; it has no offset when the text names none."""
