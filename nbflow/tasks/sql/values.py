"""How values of a database become JSON: dates as ISO 8601, decimals as numbers, bytes as base64, NaN as null."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast

from nbflow.model.durations import format_duration
from nbflow.types import JsonValue

_PLAIN = {str, bool, int, type(None)}
_TEMPORAL = (datetime, date, time)
_BYTES = (bytes, bytearray, memoryview)
_LISTS = (list, tuple, set, frozenset)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def json_value(value: object) -> JsonValue:
    """A value of a database as JSON."""
    if type(value) in _PLAIN:  # most values are, and there are many
        return cast("JsonValue", value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, _TEMPORAL):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, _BYTES):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(json_value(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, _LISTS):
        return [json_value(item) for item in value]
    return str(value)


def _number(value: Decimal) -> JsonValue:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)


def column_names(names: Sequence[str]) -> list[str]:
    """Names of columns, each once: the second `id` becomes `id_1`."""
    taken: set[str] = set()
    unique = []
    for name in names:
        candidate, number = name, 0
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        unique.append(candidate)
    return unique


def row_reader(names: Sequence[str]) -> Callable[[Sequence[object]], dict[str, JsonValue]]:
    """Makes a row as JSON from its values."""

    def read(row: Sequence[object]) -> dict[str, JsonValue]:
        return dict(zip(names, map(json_value, row), strict=True))

    return read


def json_line(row: dict[str, JsonValue]) -> str:
    """A row as one line of a JSON Lines file."""
    return _encode(row) + "\n"
