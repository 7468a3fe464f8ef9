"""How values are written as text: dates in patterns of Java, everything else as it prints."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.expressions.java.dates import format_moment
from nbflow.expressions.java.moments import fixed_zone, from_datetime, zone
from nbflow.plugins import Dynamic, Text
from nbflow.tasks.serdes.conversion import FromIon
from nbflow.tasks.serdes.rows import json_text


class TextWriter(FromIon):
    """A conversion into text."""

    date_format: Dynamic[Text] = Field(default="yyyy-MM-dd", description="Pattern of dates.")
    time_format: Dynamic[Text] = Field(default="HH:mm:ss[XXX]", description="Pattern of times.")
    date_time_format: Dynamic[Text] = Field(
        default="yyyy-MM-dd'T'HH:mm:ss.SSS[XXX]", description="Pattern of instants."
    )
    time_zone_id: Dynamic[Text] | None = Field(
        default=None, description="Zone in which instants are written, such as Europe/Paris; their own unless said."
    )

    def text_of(self, value: object) -> str:
        """A value as text; those of time are Ion's or Parquet's, texts stay as they are."""
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime):
            return self._moment(value, self.date_time_format)
        if isinstance(value, date):
            return self._moment(datetime(value.year, value.month, value.day), self.date_format)
        if isinstance(value, time):
            day = datetime.combine(date(1970, 1, 1), value)
            return self._moment(day, self.time_format if value.tzinfo else self.time_format.partition("[")[0])
        if isinstance(value, bytes | dict | list | tuple):
            text = json_text(value)
            return text[1:-1] if isinstance(value, bytes) else text
        return str(value)

    def _moment(self, value: datetime, pattern: str) -> str:
        where = value.astimezone(zone_of(self.time_zone_id)) if self.time_zone_id and value.tzinfo else value
        aware = where if where.tzinfo else where.replace(tzinfo=UTC)
        offset = aware.utcoffset()
        seconds = int(offset.total_seconds()) if offset else 0
        there = fixed_zone(seconds) if seconds else zone("UTC")
        return format_moment(from_datetime(aware, there), pattern, there, "en")


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises: TaskFailedError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise TaskFailedError(f"`{name}` is no time zone", hint="write one such as Europe/Paris") from cause
