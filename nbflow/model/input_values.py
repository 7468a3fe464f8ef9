"""What people give as inputs → JSON values: text of a form or a command line, or Python values.

Each reader raises ValueError that says what is expected and what was found. Times follow Kestra: an instant is
stored as ISO text ending in Z, a date as yyyy-MM-dd, a time as HH:mm:ss, a duration as java.time.Duration prints it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePath
from typing import Any

from nbflow.model.durations import format_duration, parse_duration
from nbflow.model.yaml_text import load_yaml
from nbflow.nearest import did_you_mean
from nbflow.types import JsonValue

_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
_FRACTION = re.compile(r"(?<=[.,])([0-9]{6})[0-9]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+\Z")
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+@[^\s@.]+(?:\.[^\s@.]+)*\Z")
_YES = {"true", "yes", "on", "1"}
_NO = {"false", "no", "off", "0"}
_MAX_DIGITS = 1000


def shown(value: object) -> str:
    """A value as messages quote it: short, and text in double quotes."""
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, bytes) else f"{len(value)} bytes"
    return text if len(text) <= 80 else f"{text[:77]}..."


def to_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(getattr(value, "source_text", value))
    if isinstance(value, PurePath | date | time):
        return value.isoformat() if isinstance(value, date | time) else str(value)
    raise ValueError(f"must be text, got {shown(value)}")


def to_written(value: object) -> str:
    """Text; of a list or a mapping its JSON, as expressions print it."""
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(plain(value), separators=(",", ":"), ensure_ascii=False)
    return to_text(value)


def to_int(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) < _MAX_DIGITS and _WHOLE.match(value.strip()):
        return int(value)
    raise ValueError(f"must be a whole number, got {shown(value)}")


def to_float(value: object) -> float:
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e308 else math.inf
    elif isinstance(value, str) and len(value) < _MAX_DIGITS and _NUMBER.match(value.strip()):
        number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"must be a number, got {shown(value)}")
    return number


def to_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"must be true or false, got {shown(value)}")


def to_instant(value: object) -> datetime:
    """An instant in UTC; what has no zone is taken as UTC, a date as its first instant."""
    moment: datetime | None = None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
    elif isinstance(value, str):
        text = _FRACTION.sub(r"\1", value.strip()).split("[", 1)[0]  # `…+01:00[Europe/Paris]` says the offset too
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
    if moment is None:
        raise ValueError(f"must be a date and time such as 2024-01-31T08:30:00Z, got {shown(value)}")
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as beyond:
        raise ValueError(f"must be a date and time between the years 1 and 9999, got {shown(value)}") from beyond


def format_instant(moment: datetime) -> str:
    """`2024-01-31T08:30:00Z`; a fraction has 3 or 6 digits, as java.time.Instant prints it."""
    text = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    if moment.microsecond == 0:
        return f"{text}Z"
    fraction = f"{moment.microsecond:06d}"
    return f"{text}.{fraction[:3] if fraction.endswith('000') else fraction}Z"


def to_date(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise ValueError(f"must be a date such as 2024-01-31, got {shown(value)}")


def to_time(value: object) -> time:
    if isinstance(value, time):
        return value.replace(tzinfo=None)
    if isinstance(value, str):
        try:
            return time.fromisoformat(_FRACTION.sub(r"\1", value.strip())).replace(tzinfo=None)
        except ValueError:
            pass
    raise ValueError(f"must be a time such as 08:30:00, got {shown(value)}")


def to_duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
        if isinstance(value, str):
            return parse_duration(value)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"must be an ISO 8601 duration such as PT30S, PT5M or P1D, got {shown(value)}")


def to_json(value: object) -> JsonValue:
    if not isinstance(value, str | bytes):
        return plain(value)
    try:
        return plain(json.loads(value, parse_constant=_no_constant))
    except (ValueError, RecursionError) as fault:
        where = f" ({fault.msg} at line {fault.lineno})" if isinstance(fault, json.JSONDecodeError) else ""
        raise ValueError(f"must be JSON, got {shown(value)}{where}") from fault


def to_yaml(value: object) -> JsonValue:
    return load_yaml(value) if isinstance(value, str) else plain(value)


def to_uri(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not _URI.match(text):
        raise ValueError(f"must be a URI such as https://example.com/data.csv, got {shown(value)}")
    return text


def to_email(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not _EMAIL.match(text):
        raise ValueError(f"must be an email address such as ada@example.com, got {shown(value)}")
    return text


def to_file(value: object) -> str:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"must be the path or URI of a file, got {shown(value)}")


def to_list(value: object) -> list[object]:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise ValueError(f'must be a list such as ["a", "b"], got {shown(value)}') from None
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    raise ValueError(f'must be a list such as ["a", "b"], got {shown(value)}')


def plain(value: object) -> JsonValue:
    """A Python value as JSON: mappings and sequences deep, dates and paths as text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"must be a value that JSON has, got {value}")
        return float(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return format_instant(to_instant(value))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, PurePath):
        return str(value)
    raise ValueError(f"must be a value that JSON has, got {type(value).__name__}")


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON value")


def or_nearest(name: str, names: list[str]) -> str:
    """What to add to a refusal of a name: the nearest one that there is."""
    advice = did_you_mean(name, names)
    return f"; {advice}" if advice else ""


def within(value: Any, least: Any, greatest: Any, show: Any) -> None:  # Any: numbers and durations alike
    if least is not None and value < least:
        raise ValueError(f"must be at least {show(least)}, got {show(value)}")
    if greatest is not None and value > greatest:
        raise ValueError(f"must be at most {show(greatest)}, got {show(value)}")


def between(value: Any, after: Any, before: Any, show: Any) -> None:  # Any: instants, days and times alike
    if after is not None and value < after:
        raise ValueError(f"must be after {show(after)}, got {show(value)}")
    if before is not None and value > before:
        raise ValueError(f"must be before {show(before)}, got {show(value)}")
