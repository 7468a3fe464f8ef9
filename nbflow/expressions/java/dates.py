"""What the filters and functions on dates share: reading any value as an instant, writing one in any format."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from nbflow.errors import TemplateError
from nbflow.expressions.java import date_names, date_writing
from nbflow.expressions.java.date_parsing import read_iso, read_pattern
from nbflow.expressions.java.date_patterns import Element, elements
from nbflow.expressions.java.moments import Moment, Zone, days_of, from_datetime, local_moment, moment_at
from nbflow.expressions.java.rfc_dates import read_rfc_1123
from nbflow.expressions.values import is_string

_PATTERNS = {
    "iso": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "iso_sec": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "sql": "yyyy-MM-dd HH:mm:ss.SSSSSS",
    "sql_seq": "yyyy-MM-dd HH:mm:ss",
}
_STYLES = ("full", "long", "medium", "short")
_WRITERS: dict[str, Callable[[Moment], str]] = {
    "iso_date_time": date_writing.zoned_date_time,
    "iso_zoned_date_time": date_writing.zoned_date_time,
    "iso_date": lambda moment: date_writing.local_date(moment) + date_writing.offset_text(moment.offset, "X", 5),
    "iso_time": lambda moment: date_writing.local_time(moment) + date_writing.offset_text(moment.offset, "X", 5),
    "iso_offset_time": lambda moment: date_writing.local_time(moment) + date_writing.offset_text(moment.offset, "X", 5),
    "iso_local_date": date_writing.local_date,
    "iso_local_date_time": lambda moment: f"{date_writing.local_date(moment)}T{date_writing.local_time(moment)}",
    "iso_local_time": date_writing.local_time,
    "iso_instant": date_writing.instant,
    "iso_ordinal_date": date_writing.ordinal_date,
    "iso_week_date": date_writing.week_date,
    "rfc_1123_date_time": date_writing.rfc_1123,
}
_TIME = "HH:mm[:ss[.SSSSSSSSS][.SSSSSSSS][.SSSSSSS][.SSSSSS][.SSSSS][.SSSS][.SSS][.SS][.S]]"
_DATE = "uuuu-MM-dd"
_READABLE = {
    "iso_date_time": f"{_DATE}'T'{_TIME}[XXXXX['['VV']']]",
    "iso_zoned_date_time": f"{_DATE}'T'{_TIME}XXXXX['['VV']']",
    "iso_date": f"{_DATE}[XXXXX]",
    "iso_local_date": _DATE,
    "iso_local_date_time": f"{_DATE}'T'{_TIME}",
    "iso_ordinal_date": "uuuu-DDD[XXXXX]",
}


def read_moment(value: object, where: Zone, existing_format: str | None) -> Moment:
    """A value as an instant in a zone. Raises: TemplateError."""
    if isinstance(value, datetime):
        return from_datetime(value, where)
    if isinstance(value, date):
        return local_moment(days_of(value.year, value.month, value.day), 12 * 3600, 0, where)
    if isinstance(value, int) and not isinstance(value, bool):
        return moment_at(value, 0, where)
    if not is_string(value):
        raise TemplateError("only a text or a number of seconds can be read as a date")
    text = str.__str__(value)
    if existing_format is None:
        return read_iso(text, where)
    if existing_format == "rfc_1123_date_time":
        return read_rfc_1123(text)
    if existing_format in _READABLE or existing_format == "iso_week_date":
        return read_pattern(text.upper(), _readable(existing_format), where, is_strict=True)
    return read_pattern(text, _readable(existing_format), where)


_WEEK_DATE = (*elements("YYYY-'W'ww-"), Element("i", 1), *elements("[XXXXX]"))


def _readable(name: str) -> tuple[Element, ...]:
    if name == "iso_week_date":
        return _WEEK_DATE
    if name in _STYLES:
        return elements(date_names.style_pattern(name, "en"))
    if name in _WRITERS and name not in _READABLE:
        raise TemplateError(f"no date can be read with `{name}`")
    return elements(_PATTERNS.get(name) or _READABLE.get(name) or name)


def format_moment(moment: Moment, name: str, where: Zone, language: str) -> str:
    """A moment, seen in a zone, in a format of that name or pattern. Raises: TemplateError."""
    date_names.check_locale(language)
    there = moment.at(where)
    writer = _WRITERS.get(name)
    if writer is not None:
        return writer(there)
    pattern = date_names.style_pattern(name, language) if name in _STYLES else _PATTERNS.get(name, name)
    return date_writing.write(there, elements(pattern), language)
