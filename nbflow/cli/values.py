"""How a value for a key is written on the command line, and what it is then."""

from __future__ import annotations

import json
import re

from nbflow.model.durations import parse_duration
from nbflow.store import KvType
from nbflow.types import JsonValue

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d\S*")
_DURATION = re.compile(r"[-+]?P(?=.)[\dTYMWDHS.,+-]+")


def read_value(text: str) -> tuple[KvType, JsonValue]:
    """Type and value of a text: JSON, a date, a date-time or a duration as they stand; else the text itself."""
    plain = text.strip()
    try:
        value: JsonValue = json.loads(plain)
    except (ValueError, RecursionError):
        kind = next(
            (kind for kind in (KvType.DATE, KvType.DATETIME, KvType.DURATION) if _looks_like(plain, kind)), None
        )
        return (KvType.STRING, text) if kind is None else (kind, plain)
    return KvType.of(value), value


def as_body(text: str) -> str:
    """The same value as the REST API takes it: a plain text becomes JSON."""
    kind, value = read_value(text)
    return json.dumps(value) if kind not in (KvType.DATE, KvType.DATETIME, KvType.DURATION) else text.strip()


def _looks_like(text: str, kind: KvType) -> bool:
    if kind is KvType.DATE:
        return _DATE.fullmatch(text) is not None
    if kind is KvType.DATETIME:
        return _INSTANT.fullmatch(text) is not None
    if _DURATION.fullmatch(text) is None:
        return False
    try:
        parse_duration(text)
    except (ValueError, OverflowError):
        return False
    return True
