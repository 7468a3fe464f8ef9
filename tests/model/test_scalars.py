"""Plain YAML scalars mean what Kestra's parser makes of them."""

from __future__ import annotations

import pickle

import pytest

from nbflow.model.scalars import WrittenFloat, WrittenInt, read_plain
from nbflow.model.yaml_text import load_yaml

CASES = [
    ("yes", True), ("No", False), ("ON", True), ("off", False), ("true", True), ("False", False),
    ("y", "y"), ("N", "N"), ("tRue", "tRue"),
    ("012", 10), ("0x1F", 31), ("0b101", 5), ("-0b11", -3), ("0o17", "0o17"), ("08", "08"), ("00", 0),
    ("1_000", 1000), ("+1", 1), ("-7", -7), ("0", 0), ("123456789012345678901", 123456789012345678901),
    ("1e3", 1000.0), (".5", 0.5), ("1.", 1.0), ("1.5e-3", 0.0015), ("-.5", "-.5"), ("1_0.5", 10.5),
    (".inf", ".inf"), ("-.INF", "-.INF"), (".nan", ".nan"), ("1e999", "1e999"),
    ("~", None), ("", None), ("null", None), ("Null", None), ("nULL", "nULL"),
    ("2024-01-01", "2024-01-01"), ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), ("1:30", "1:30"),
    ("1.2.3", "1.2.3"), ("=", "="), ("-", "-"), ("0x", "0x"), ("hello", "hello"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), CASES)
def test_plain_scalars(text: str, value: object) -> None:
    read = read_plain(text)
    assert read == value
    assert isinstance(read, type(value))


@pytest.mark.parametrize(("text", "value"), [case for case in CASES if case[0] not in ("", "-", "=")])
def test_quotes_make_text_of_anything(text: str, value: object) -> None:
    assert load_yaml(f"a: '{text}'\nb: \"{text}\"\nc: {text}\n") == {"a": text, "b": text, "c": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("!!str 12", "12"), ("!!int '12'", 12), ("!!float '1.5'", 1.5), ("!!bool 'yes'", True), ("!!null x", None),
     ("!own 12", "12"), ("!!timestamp 2024-01-01", "2024-01-01"), ("!!binary aGk=", "aGk=")],
)  # fmt: skip
def test_tags_say_the_type(text: str, value: object) -> None:
    assert load_yaml(f"a: {text}") == {"a": value}


def test_names_of_properties_are_text_as_written() -> None:
    assert load_yaml("yes: 1\n012: 2\n~: 3\n2024-01-01: 4\n") == {"yes": 1, "012": 2, "~": 3, "2024-01-01": 4}


@pytest.mark.parametrize("text", ["012", "0x1F", "1_000", "1.10", "1e3"])
def test_numbers_keep_how_they_were_written(text: str) -> None:
    number = read_plain(text)
    assert isinstance(number, WrittenInt | WrittenFloat)
    assert (number.source_text, str(number)) == (text, text)
    copy = pickle.loads(pickle.dumps(number))
    assert (copy, copy.source_text) == (number, text)


def test_anchors_and_merge_keys() -> None:
    text = "base: &b {x: 1, y: 2}\nplain: *b\nover: {<<: *b, y: 3}\nmany: {<<: [{x: 9}, *b]}\nquoted: {'<<': 1}\n"
    assert load_yaml(text) == {
        "base": {"x": 1, "y": 2},
        "plain": {"x": 1, "y": 2},
        "over": {"x": 1, "y": 3},
        "many": {"x": 9, "y": 2},
        "quoted": {"<<": 1},
    }
