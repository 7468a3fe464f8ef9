"""Keys and values are written as Kafka's own serializers write them."""

from __future__ import annotations

import pytest

from nbflow.tasks.kafka.serdes import SerdeError, SerdeType, from_bytes, to_bytes
from nbflow.types import JsonValue

CASES: list[tuple[SerdeType, JsonValue, bytes | None]] = [
    (SerdeType.STRING, "ü", "ü".encode()),
    (SerdeType.INTEGER, -2, b"\xff\xff\xff\xfe"),
    (SerdeType.LONG, 1, b"\0\0\0\0\0\0\0\1"),
    (SerdeType.SHORT, 258, b"\1\2"),
    (SerdeType.FLOAT, 1.5, b"?\xc0\0\0"),
    (SerdeType.DOUBLE, 1.5, b"?\xf8\0\0\0\0\0\0"),
    (SerdeType.UUID, "6f1f0cb0-9ac1-4d9c-9d25-3a7f5d2e8f10", b"6f1f0cb0-9ac1-4d9c-9d25-3a7f5d2e8f10"),
    (SerdeType.BYTES, "AAE=", b"\0\1"),
    (SerdeType.BYTE_ARRAY, "AAE=", b"\0\1"),
    (SerdeType.JSON, {"a": [1, None, "ü"]}, '{"a": [1, null, "ü"]}'.encode()),
    (SerdeType.STRING, None, None),
    (SerdeType.JSON, None, None),
]


@pytest.mark.parametrize(("kind", "value", "data"), CASES)
def test_a_value_becomes_its_bytes_and_comes_back(kind: SerdeType, value: JsonValue, data: bytes | None) -> None:
    assert to_bytes(value, kind) == data
    assert from_bytes(data, kind) == value


def test_what_is_written_as_text_may_be_any_value() -> None:
    assert to_bytes({"a": 1}, SerdeType.STRING) == b'{"a": 1}'
    assert to_bytes("7", SerdeType.INTEGER) == b"\0\0\0\7"
    assert to_bytes("x", SerdeType.VOID) is None


@pytest.mark.parametrize(
    ("kind", "data"), [(SerdeType.INTEGER, b"1"), (SerdeType.STRING, b"\xff"), (SerdeType.JSON, b"{")]
)
def test_bytes_of_another_type_are_refused(kind: SerdeType, data: bytes) -> None:
    with pytest.raises(SerdeError, match=f"cannot be read as {kind}") as refused:
        from_bytes(data, kind)
    assert refused.value.data == data
