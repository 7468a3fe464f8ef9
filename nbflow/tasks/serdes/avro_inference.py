"""The schema of Avro that records fit, from the first of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from nbflow.errors import TaskFailedError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONG = 2**31


def infer_schema(records: Iterable[object], name: str = "root") -> dict[str, Any]:
    """A record type with a field for each that the records have; every field may be null.

    Raises: TaskFailedError for records that are no maps, and for names that Avro does not allow.
    """
    fields: dict[str, list[object]] = {}
    for record in records:
        if not isinstance(record, Mapping):
            raise TaskFailedError(f"a schema needs records that are maps, got {record!r:.100}")
        for key, value in record.items():
            fields.setdefault(str(key), []).append(value)
    return _record(fields, name)


def _record(fields: Mapping[str, list[object]], name: str) -> dict[str, Any]:
    wrong = next((key for key in fields if not _NAME.fullmatch(key)), None)
    if wrong is not None:
        raise TaskFailedError(
            f"`{wrong}` cannot be the name of a field in Avro", hint="use letters, digits and _, a digit not first"
        )
    return {
        "type": "record",
        "name": name,
        "fields": [
            {"name": key, "type": _nullable(_type(values, f"{name}_{key}")), "default": None}
            for key, values in fields.items()
        ],
    }


def _nullable(kind: Any) -> Any:  # Any: a schema
    return "null" if kind == "null" else ["null", kind]


def _type(values: list[object], name: str) -> Any:
    found = [value for value in values if value is not None]
    if not found:
        return "string"
    if all(isinstance(value, Mapping) for value in found):
        keys: dict[str, list[object]] = {}
        for value in found:
            assert isinstance(value, Mapping)
            for key, item in value.items():
                keys.setdefault(str(key), []).append(item)
        return _record(keys, name)
    if all(isinstance(value, list) for value in found):
        items = [item for value in found if isinstance(value, list) for item in value]
        return {"type": "array", "items": _nullable(_type(items, f"{name}_item"))}
    kinds = {_scalar(value) for value in found}
    if kinds <= {"int", "long"}:
        return "long" if "long" in kinds else "int"
    if kinds <= {"int", "long", "double"}:
        return "double"
    if kinds <= {"date", "timestamp"}:
        return _LOGICAL["timestamp" if "timestamp" in kinds else "date"]
    kind = kinds.pop() if len(kinds) == 1 else "string"
    if kind == "decimal":
        numbers = [value for value in found if isinstance(value, Decimal)]
        scale = max(max(-int(number.as_tuple().exponent), 0) for number in numbers)
        whole = max(len(number.as_tuple().digits) + int(number.as_tuple().exponent) for number in numbers)
        return {"type": "bytes", "logicalType": "decimal", "precision": max(whole + scale, 1), "scale": scale}
    return _LOGICAL.get(kind, kind)


_LOGICAL: dict[str, Any] = {
    "date": {"type": "int", "logicalType": "date"},
    "time": {"type": "long", "logicalType": "time-micros"},
    "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
}


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int" if -_LONG <= value < _LONG else "long"
    for kind, name in (
        (float, "double"),
        (Decimal, "decimal"),
        (datetime, "timestamp"),
        (date, "date"),
        (time, "time"),
        (bytes, "bytes"),
    ):
        if isinstance(value, kind):
            return name
    return "string"
