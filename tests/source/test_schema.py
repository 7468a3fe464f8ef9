"""The JSON Schema of flows: valid draft 7, one definition a type, and true of what the loader takes."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from nbflow.model.inputs import INPUT_TYPES
from nbflow.plugins.registry import Registry
from nbflow.source.schema import flow_schema, task_schema
from tests.source.parts import Group, Query


@pytest.fixture(scope="module")
def schema(registry: Registry) -> Any:  # Any: a nested JSON document
    return flow_schema(registry)


def test_it_is_valid_draft_7(schema: Any) -> None:
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_every_type_is_a_definition_under_its_name(schema: Any) -> None:
    log = schema["definitions"]["test.core.Log"]
    assert log["properties"]["type"]["const"] == "test.core.Log"
    assert log["x-aliases"] == ["log", "test.old.Log"]
    assert (log["title"], log["description"], log["required"]) == ("Log", "Write a line.", ["type", "id", "message"])


def test_lists_of_tasks_offer_every_task(schema: Any) -> None:
    wanted = [{"$ref": f"#/definitions/test.{name}"} for name in
              ("core.Dag", "core.Group", "core.Log", "core.Loop", "core.Script", "core.Switch", "core.Together",
               "db.one.Query")]  # fmt: skip
    assert schema["properties"]["tasks"]["items"] == {"anyOf": wanted}
    assert schema["definitions"]["Task"] == {"anyOf": wanted}
    nested = schema["definitions"]["test.core.Group"]["properties"]["tasks"]["items"]
    assert nested == {"$ref": "#/definitions/Task"}
    assert schema["properties"]["triggers"]["items"] == {"anyOf": [{"$ref": "#/definitions/test.core.Schedule"}]}
    assert schema["definitions"]["Condition"] == {"anyOf": [{"$ref": "#/definitions/test.core.Holds"}]}


def test_every_input_type_is_offered(schema: Any) -> None:
    references = [way["$ref"].rsplit("/", 1)[1] for way in schema["properties"]["inputs"]["items"]["oneOf"]]
    names = [schema["definitions"][name]["properties"]["type"]["const"] for name in references]
    assert names == list(INPUT_TYPES)


def test_every_reference_leads_somewhere(schema: Any) -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str):
                assert reference.removeprefix("#/definitions/") in schema["definitions"]
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(schema)


TASK: dict[str, Any] = {"id": "q", "type": "test.db.one.Query", "url": "u", "sql": "s"}
LOG: dict[str, Any] = {"id": "a", "type": "test.core.Log", "message": "m"}


@pytest.mark.parametrize(
    ("change", "is_valid"),
    [
        ({}, True),
        ({"tasks": [{**TASK, "rows": 3}]}, True),
        ({"tasks": [{**TASK, "rows": "{{ inputs.rows }}"}]}, True),
        ({"tasks": [{**TASK, "rows": "many"}]}, False),
        ({"tasks": [{**TASK, "unheardOf": 1}]}, False),
        ({"tasks": [{"id": "g", "type": "test.core.Group", "tasks": [LOG]}]}, True),
        ({"tasks": [{"id": "g", "type": "test.core.Group", "tasks": [{"id": "x"}]}]}, False),
        ({"tasks": []}, False),
        ({"inputs": [{"id": "n", "type": "INT", "min": 1}]}, True),
        ({"inputs": [{"id": "n", "type": "INT", "min": "x"}]}, False),
        ({"inputs": [{"id": "n"}]}, False),
        ({"labels": {"a": "b"}}, True),
        ({"nonsense": 1}, False),
    ],
)
def test_it_agrees_with_the_loader(schema: Any, change: dict[str, Any], is_valid: bool) -> None:
    flow = {"id": "f", "namespace": "n", "tasks": [LOG], **change}
    assert jsonschema.Draft7Validator(schema).is_valid(flow) is is_valid


def test_older_spellings_are_deprecated(schema: Any) -> None:
    maximum = schema["definitions"]["Retry"]["properties"]["maxAttempt"]
    assert (maximum["deprecated"], maximum["description"]) == (True, "Older spelling of `maxAttempts`.")


def test_the_schema_of_one_task_has_properties_and_outputs(registry: Registry) -> None:
    alone: Any = task_schema(Query, registry)
    assert alone["properties"]["properties"]["sql"] == {"type": "string", "description": "The question."}
    assert alone["outputs"]["type"] == "object"
    jsonschema.Draft7Validator.check_schema(alone["properties"])
    flowable: Any = task_schema(Group, registry)
    assert "test.core.Log" in flowable["definitions"]["Task"]["properties"]["type"]["examples"]
