"""Declared outputs: how what was rendered becomes a value of the declared type."""

from __future__ import annotations

import pytest

from nbflow.model.outputs import FlowOutput
from nbflow.types import JsonValue


@pytest.mark.parametrize(
    ("kind", "rendered", "value"),
    [
        ("STRING", {"a": 1}, '{"a":1}'),
        ("int", "3", 3),
        ("SELECT", "abc", "abc"),
        ("ENUM", "x", "x"),
        ("ARRAY", "[1, 2]", [1, 2]),
        ("MULTISELECT", ["a"], ["a"]),
        ("JSON", '{"a": [1]}', {"a": [1]}),
        ("YAML", "a: b", {"a": "b"}),
    ],
)
def test_a_value_is_read_as_the_declared_type(kind: str, rendered: object, value: JsonValue) -> None:
    assert FlowOutput(id="o", type=kind, value="{{ x }}").read(rendered) == value


@pytest.mark.parametrize(
    ("kind", "rendered", "message"),
    [
        ("INT", "abc", "must be a whole number"),
        ("ARRAY", '{"a": 1}', "must be a list"),
        ("ARRAY", "x", "must be a list"),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: str, rendered: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FlowOutput(id="o", type=kind, value="{{ x }}").read(rendered)
