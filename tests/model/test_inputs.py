"""Inputs: how declarations are read, and how what people give becomes what expressions see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nbflow.errors import UndefinedNameError
from nbflow.model.inputs import INPUT_TYPES, Input, InputField, read_inputs
from nbflow.model.scalars import WrittenFloat
from nbflow.types import JsonValue

ADAPTER: TypeAdapter[list[Input]] = TypeAdapter(list[InputField])
NEEDED = {name: {"values": ["a"]} for name in ("SELECT", "MULTISELECT", "ENUM")} | {"ARRAY": {"itemType": "STRING"}}
"""What a type asks for beside its id."""


def declare(**properties: Any) -> Input:
    return ADAPTER.validate_python([{"id": "x", **properties}])[0]


def unrendered(text: str, _inputs: Mapping[str, JsonValue]) -> object:
    raise AssertionError(f"nothing to render here: {text}")


@pytest.mark.parametrize(
    ("properties", "given", "value"),
    [
        ({"type": "STRING"}, "a b", "a b"),
        ({"type": "STRING"}, 12, "12"),
        ({"type": "STRING"}, True, "true"),
        ({"type": "STRING"}, {"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ({"type": "STRING", "validator": r"\d{3}"}, "123", "123"),
        ({"type": "STRING", "validator": r"(?<n>\p{Lu})\k<n>[a-z&&[^b]]"}, "AAc", "AAc"),  # Java's dialect
        ({"type": "INT"}, "42", 42),
        ({"type": "INT"}, " -7 ", -7),
        ({"type": "INT"}, 5.0, 5),
        ({"type": "FLOAT"}, "1.5", 1.5),
        ({"type": "FLOAT"}, 2, 2.0),
        ({"type": "FLOAT"}, "1e3", 1000.0),
        ({"type": "BOOLEAN"}, "true", True),
        ({"type": "BOOLEAN"}, "off", False),
        ({"type": "BOOL"}, False, False),
        ({"type": "SELECT", "values": ["a", "b"]}, "b", "b"),
        ({"type": "SELECT", "values": ["a"], "allowCustomValue": True}, "z", "z"),
        ({"type": "SELECT", "values": [{"label": "One", "value": "1"}]}, 1, "1"),
        ({"type": "SELECT", "values": ["a"], "isRadio": True}, "a", "a"),
        ({"type": "ENUM", "values": ["A", "B"]}, "A", "A"),
        ({"type": "MULTISELECT", "values": ["a", "b"]}, '["a", "b"]', ["a", "b"]),
        ({"type": "MULTISELECT", "values": ["a", "b"]}, "a", ["a"]),
        ({"type": "MULTISELECT", "values": ["1", "2"], "itemType": "INT"}, ["2"], [2]),
        ({"type": "DATETIME"}, "2024-01-31T08:30:00Z", "2024-01-31T08:30:00Z"),
        ({"type": "DATETIME"}, "2024-01-31T08:30:00+02:00", "2024-01-31T06:30:00Z"),
        ({"type": "DATETIME"}, "2024-01-31T08:30:00.123456789Z", "2024-01-31T08:30:00.123456Z"),
        ({"type": "DATETIME"}, "2024-01-31T08:30:00+01:00[Europe/Paris]", "2024-01-31T07:30:00Z"),
        ({"type": "DATETIME"}, datetime(2024, 1, 31, 8, 30, tzinfo=UTC), "2024-01-31T08:30:00Z"),
        ({"type": "DATETIME"}, date(2024, 1, 31), "2024-01-31T00:00:00Z"),
        ({"type": "DATE"}, "2024-01-31", "2024-01-31"),
        ({"type": "DATE"}, date(2024, 1, 31), "2024-01-31"),
        ({"type": "TIME"}, "08:30", "08:30:00"),
        ({"type": "TIME"}, time(8, 30, 5), "08:30:05"),
        ({"type": "DURATION"}, "PT90S", "PT1M30S"),
        ({"type": "DURATION"}, timedelta(hours=1), "PT1H"),
        ({"type": "JSON"}, '{"a": [1, null]}', {"a": [1, None]}),
        ({"type": "JSON"}, {"a": (1, 2)}, {"a": [1, 2]}),
        ({"type": "YAML"}, "a: 012\nb: 2024-01-01", {"a": 10, "b": "2024-01-01"}),
        ({"type": "URI"}, "https://example.com/a?b=c", "https://example.com/a?b=c"),
        ({"type": "EMAIL"}, "ada@example.com", "ada@example.com"),
        ({"type": "EMAIL"}, "root@localhost", "root@localhost"),
        ({"type": "FILE"}, Path("/tmp/a.csv"), "/tmp/a.csv"),
        ({"type": "FILE"}, "kestra:///a/b.csv", "kestra:///a/b.csv"),
        ({"type": "FILE", "allowedFileExtensions": [".csv"]}, "A.CSV", "A.CSV"),
        ({"type": "SECRET"}, "s3cret", "s3cret"),
        ({"type": "ARRAY", "itemType": "INT"}, '["1", 2]', [1, 2]),
        ({"type": "ARRAY", "itemType": "date"}, [date(2024, 1, 1)], ["2024-01-01"]),
    ],
)
def test_values_are_read_as_their_type(properties: dict[str, Any], given: object, value: JsonValue) -> None:
    read = declare(**properties).read(given)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("properties", "given", "message"),
    [
        ({"type": "STRING", "validator": "[a-z]+"}, "A1", 'must match `[a-z]+`, got "A1"'),
        (
            {"type": "STRING", "validator": "(a|aa)+$"},
            "a" * 90 + "b",
            "the regular expression `(a|aa)+$` took too long",
        ),
        ({"type": "SECRET"}, {"a": 1}, "must be text"),
        ({"type": "INT"}, "abc", 'must be a whole number, got "abc"'),
        ({"type": "INT"}, True, "must be a whole number, got true"),
        ({"type": "INT", "min": 1}, 0, "must be at least 1, got 0"),
        ({"type": "INT", "max": 9}, "10", "must be at most 9, got 10"),
        ({"type": "FLOAT"}, "NaN", 'must be a number, got "NaN"'),
        ({"type": "FLOAT", "min": 0.5}, 0.1, "must be at least 0.5, got 0.1"),
        ({"type": "BOOLEAN"}, "maybe", 'must be true or false, got "maybe"'),
        (
            {"type": "SELECT", "values": ["red", "blue"]},
            "bleu",
            'must be one of red, blue, got "bleu"; did you mean `blue`?',
        ),
        ({"type": "ENUM", "values": ["A"]}, "Z", 'must be one of A, got "Z"'),
        ({"type": "MULTISELECT", "values": ["a"]}, ["a", "z"], 'must be one of a, got "z"'),
        ({"type": "DATETIME"}, "today", 'must be a date and time such as 2024-01-31T08:30:00Z, got "today"'),
        (
            {"type": "DATETIME", "after": "2024-01-01T00:00:00Z"},
            "2023-12-31T00:00:00Z",
            "must be after 2024-01-01T00:00:00Z, got 2023-12-31T00:00:00Z",
        ),
        ({"type": "DATE"}, "2024-02-30", 'must be a date such as 2024-01-31, got "2024-02-30"'),
        ({"type": "DATE", "before": "2024-01-01"}, "2024-01-02", "must be before 2024-01-01, got 2024-01-02"),
        ({"type": "TIME"}, "25:00", 'must be a time such as 08:30:00, got "25:00"'),
        ({"type": "DURATION"}, "5 min", 'must be an ISO 8601 duration such as PT30S, PT5M or P1D, got "5 min"'),
        ({"type": "DURATION", "max": "PT1M"}, "PT2M", "must be at most PT1M, got PT2M"),
        (
            {"type": "JSON"},
            "{a",
            'must be JSON, got "{a" (Expecting property name enclosed in double quotes at line 1)',
        ),
        ({"type": "YAML"}, "a: [", "must be YAML: a value was expected here at line 2, column 1"),
        ({"type": "URI"}, "example", 'must be a URI such as https://example.com/data.csv, got "example"'),
        ({"type": "URI"}, "http:/a", 'must be a URI such as https://example.com/data.csv, got "http:/a"'),
        ({"type": "EMAIL"}, "ada", 'must be an email address such as ada@example.com, got "ada"'),
        ({"type": "EMAIL"}, "ada@a..b", 'must be an email address such as ada@example.com, got "ada@a..b"'),
        ({"type": "FILE"}, 3, "must be the path or URI of a file, got 3"),
        ({"type": "FILE", "allowedFileExtensions": ["csv"]}, "a.txt", 'must be a file that ends in .csv, got "a.txt"'),
        ({"type": "ARRAY", "itemType": "INT"}, "[1, x]", 'must be a list such as ["a", "b"], got "[1, x]"'),
        ({"type": "ARRAY", "itemType": "INT"}, [1, "x"], 'item 1: must be a whole number, got "x"'),
        ({"type": "SECRET", "validator": "[a-z]+"}, "S3CRET", "must match `[a-z]+`"),
    ],
)
def test_a_value_of_another_kind_is_refused(properties: dict[str, Any], given: object, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the message is compared whole
        declare(**properties).read(given)
    assert str(refused.value) == message


def test_a_secret_never_shows_in_the_message_that_refuses_it() -> None:
    with pytest.raises(ValueError, match="must be text") as refused:
        declare(type="SECRET").read(["hunter2"])
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("name", INPUT_TYPES)
def test_lower_case_types_are_read(name: str) -> None:
    assert declare(type=name.lower(), **NEEDED.get(name, {})).type == name


def test_older_spellings_of_id_and_defaults_are_read() -> None:
    read = ADAPTER.validate_python([{"name": "day", "type": "datetime", "default": "{{ now() }}"}])[0]
    assert (read.id, read.defaults) == ("day", "{{ now() }}")


def test_a_number_as_default_of_a_text_keeps_how_it_was_written() -> None:
    assert declare(type="STRING", defaults=WrittenFloat(1.1, "1.10")).defaults == "1.10"


def test_a_default_of_another_type_is_refused_at_once() -> None:
    with pytest.raises(ValidationError, match="must be a whole number"):
        declare(type="INT", defaults="many")


def test_a_choice_without_values_is_refused() -> None:
    with pytest.raises(ValidationError, match="needs `values`"):
        declare(type="SELECT")


def test_the_schema_lists_every_type() -> None:
    definitions = ADAPTER.json_schema()["$defs"]
    constants = {
        schema["properties"]["type"]["const"]
        for schema in definitions.values()
        if "type" in schema.get("properties", {})
    }
    assert constants == set(INPUT_TYPES)


def inputs(*declared: dict[str, Any]) -> list[Input]:
    return ADAPTER.validate_python(list(declared))


def test_nested_ids_become_nested_values_and_may_be_given_flat_or_nested() -> None:
    declared = inputs({"id": "a.b", "type": "INT"}, {"id": "a.c", "type": "STRING"})
    assert read_inputs(declared, {"a.b": "1", "a": {"c": "x"}}, unrendered) == ({"a": {"b": 1, "c": "x"}}, [], [])


def test_all_problems_are_reported_and_unknown_inputs_named() -> None:
    declared = inputs({"id": "n", "type": "INT"}, {"id": "d", "type": "DATE"}, {"id": "ok", "type": "STRING"})
    values, problems, unknown = read_inputs(declared, {"n": "x", "ok": "y", "more": 1, "d2": 2}, unrendered)
    assert values == {"ok": "y"}
    assert [(problem.path, problem.message) for problem in problems] == [
        ("inputs.n", 'must be a whole number, got "x"'),
        ("inputs.d", "is required, and no value is given"),
    ]
    assert unknown == ["more", "d2"]


def test_an_optional_input_without_a_value_is_null() -> None:
    declared = inputs({"id": "n", "type": "INT", "required": False})
    assert read_inputs(declared, {}, unrendered)[0] == {"n": None}
    assert read_inputs(declared, {"n": "  "}, unrendered)[0] == {"n": None}


def test_an_empty_text_is_a_value_of_a_text() -> None:
    assert read_inputs(inputs({"id": "s", "type": "STRING"}), {"s": ""}, unrendered)[0] == {"s": ""}


def test_defaults_are_rendered_with_the_inputs_so_far() -> None:
    declared = inputs(
        {"id": "day", "type": "DATE", "defaults": "2024-05-01"},
        {"id": "file", "type": "STRING", "defaults": "{{ inputs.day }}.csv"},
    )
    seen: list[tuple[str, dict[str, JsonValue]]] = []

    def render(text: str, so_far: Mapping[str, JsonValue]) -> object:
        seen.append((text, dict(so_far)))
        return "2024-05-01.csv"

    assert read_inputs(declared, {}, render)[0] == {"day": "2024-05-01", "file": "2024-05-01.csv"}
    assert seen == [("{{ inputs.day }}.csv", {"day": "2024-05-01"})]


def test_a_default_that_cannot_be_rendered_is_a_problem_of_its_input() -> None:
    def render(_text: str, _so_far: Mapping[str, JsonValue]) -> object:
        raise UndefinedNameError("there is no `nope`", hint="did you mean `now`?")

    declared = inputs({"id": "a", "type": "STRING", "defaults": "{{ nope }}"})
    problem = read_inputs(declared, {}, render)[1][0]
    assert (problem.path, problem.message, problem.hint) == ("inputs.a", "there is no `nope`", "did you mean `now`?")


@pytest.mark.parametrize(("answer", "expected"), [("true", {"kind": "b", "more": "x"}), ("false", {"kind": "b"})])
def test_an_input_is_left_out_when_its_condition_is_false(answer: str, expected: dict[str, JsonValue]) -> None:
    declared = inputs(
        {"id": "more", "type": "STRING", "dependsOn": {"inputs": ["kind"], "condition": "{{ inputs.kind == 'b' }}"}},
        {"id": "kind", "type": "STRING"},
    )
    values, problems, _ = read_inputs(declared, {"kind": "b", "more": "x"}, lambda _text, _so_far: answer)
    assert (values, problems) == (expected, [])


def test_an_input_is_left_out_when_its_condition_cannot_be_evaluated() -> None:
    def render(_text: str, _so_far: Mapping[str, JsonValue]) -> object:
        raise UndefinedNameError("there is no `dummy`")

    declared = inputs(
        {"id": "kind", "type": "STRING"},
        {"id": "more", "type": "STRING", "dependsOn": {"inputs": ["kind"], "condition": "{{ inputs.dummy == 'b' }}"}},
    )
    values, problems, _ = read_inputs(declared, {"kind": "b", "more": "x"}, render)
    assert (values, problems) == ({"kind": "b"}, [])


def test_the_default_of_a_file_names_one() -> None:
    with pytest.raises(ValidationError, match='must be a path or the URI of a stored file, got "something"'):
        declare(type="FILE", defaults="something")
    for names_one in ("kestra:///a/b.csv", "{{ kv('file') }}", "data/b.csv", "b.csv"):
        assert declare(type="FILE", defaults=names_one).defaults == names_one


def test_a_list_says_what_it_holds() -> None:
    with pytest.raises(ValidationError, match="itemType"):
        declare(type="ARRAY")


def test_values_to_choose_from_may_come_from_an_expression() -> None:
    declared = inputs({"id": "c", "type": "SELECT", "expression": "{{ kv('colours') }}"})
    assert read_inputs(declared, {"c": "red"}, lambda _text, _so_far: ["red", "blue"])[0] == {"c": "red"}
    problems = read_inputs(declared, {"c": "pink"}, lambda _text, _so_far: '["red"]')[1]
    assert problems[0].message == 'must be one of red, got "pink"'
    problems = read_inputs(declared, {"c": "pink"}, lambda _text, _so_far: 3)[1]
    assert problems[0].message == "the `expression` of its values must give a list, got 3"


def test_the_first_value_is_the_default_when_asked_for() -> None:
    declared = inputs({"id": "c", "type": "SELECT", "values": ["red", "blue"], "autoSelectFirst": True})
    assert read_inputs(declared, {}, unrendered)[0] == {"c": "red"}


@given(
    st.sampled_from(sorted(INPUT_TYPES)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.datetimes(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=5,
    ),
)
def test_reading_gives_json_or_a_value_error(name: str, value: object) -> None:
    needed = NEEDED.get(name, {})
    declared = declare(type=name, **needed, **({"allowCustomValue": True} if "values" in needed else {}))
    try:
        read = declared.read(value)
    except ValueError:
        return
    TypeAdapter(JsonValue).validate_python(read, strict=True)
