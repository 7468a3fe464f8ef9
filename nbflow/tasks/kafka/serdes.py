"""How keys and values become the bytes of a message, and back. Source: Kafka's own serializers (big-endian numbers)."""

from __future__ import annotations

import base64
import json
import struct
from enum import StrEnum
from uuid import UUID

from nbflow.errors import TaskFailedError
from nbflow.types import JsonValue


class SerdeType(StrEnum):
    """How a key or a value is written. Bytes are base64 text in flows."""

    STRING = "STRING"
    INTEGER = "INTEGER"
    FLOAT = "FLOAT"
    DOUBLE = "DOUBLE"
    LONG = "LONG"
    SHORT = "SHORT"
    BYTE_ARRAY = "BYTE_ARRAY"
    BYTE_BUFFER = "BYTE_BUFFER"
    BYTES = "BYTES"
    UUID = "UUID"
    VOID = "VOID"
    JSON = "JSON"


_WHOLE = {SerdeType.INTEGER: ">i", SerdeType.LONG: ">q", SerdeType.SHORT: ">h"}
_BROKEN = {SerdeType.FLOAT: ">f", SerdeType.DOUBLE: ">d"}
_BYTES = {SerdeType.BYTE_ARRAY, SerdeType.BYTE_BUFFER, SerdeType.BYTES}


class SerdeError(TaskFailedError):
    """Bytes, or a value, are not of the type that was said; `data` is what was there."""

    def __init__(self, message: str, *, data: bytes = b"", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.data = data


def to_bytes(value: JsonValue, kind: SerdeType) -> bytes | None:
    """A value as the bytes of a message; None stays None. Raises: SerdeError."""
    if value is None or kind is SerdeType.VOID:
        return None
    try:
        if kind in _WHOLE:
            return struct.pack(_WHOLE[kind], int(str(value)))
        if kind in _BROKEN:
            return struct.pack(_BROKEN[kind], float(str(value)))
        if kind is SerdeType.UUID:
            return str(UUID(str(value))).encode()
        if kind in _BYTES:
            return base64.b64decode(str(value), validate=True)
    except (ValueError, struct.error) as cause:
        raise SerdeError(
            f"{json.dumps(value, ensure_ascii=False)[:200]} cannot be written as {kind}: {cause}"
        ) from cause
    if kind is SerdeType.JSON or not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).encode()
    return value.encode()


def from_bytes(data: bytes | None, kind: SerdeType) -> JsonValue:
    """What the bytes of a message stand for; None stays None. Raises: SerdeError."""
    if data is None or kind is SerdeType.VOID:
        return None
    try:
        if kind in _WHOLE:
            return int(struct.unpack(_WHOLE[kind], data)[0])
        if kind in _BROKEN:
            return float(struct.unpack(_BROKEN[kind], data)[0])
        if kind in _BYTES:
            return base64.b64encode(data).decode()
        text = data.decode()
        if kind is SerdeType.JSON:
            parsed: JsonValue = json.loads(text)
            return parsed
        return str(UUID(text)) if kind is SerdeType.UUID else text
    except (ValueError, struct.error) as cause:
        shown = data[:50].decode(errors="replace")
        raise SerdeError(f"{shown!r} cannot be read as {kind}: {cause}", data=data) from cause
