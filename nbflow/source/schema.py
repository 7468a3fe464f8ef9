"""JSON Schema (draft 7) of flows and of single types, for editors, forms and reference pages.

Every class of a type is a definition under its canonical name. The shared definitions `Task`, `Trigger`, `Condition`
and `TaskRunner` list the types of a family, so that nested lists of tasks need no copy of that list.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import cast

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from nbflow.model.condition import Condition
from nbflow.model.dynamic import dynamic_fields
from nbflow.model.flow import Flow
from nbflow.model.inputs import INPUT_TYPES, Input
from nbflow.model.plugin import Plugin
from nbflow.model.policies import Retry
from nbflow.model.task import Task
from nbflow.model.trigger import Trigger
from nbflow.plugins.registry import Registry
from nbflow.plugins.registry import registry as default_registry
from nbflow.plugins.runner import TaskRunner
from nbflow.source.layout import layout
from nbflow.types import JsonValue

DRAFT = "http://json-schema.org/draft-07/schema#"
_EXPRESSION: dict[str, JsonValue] = {"type": "string", "pattern": r"\{\{|\{%", "description": "An expression."}
_FAMILIES: tuple[type[Plugin], ...] = (Task, Trigger, Condition, TaskRunner)
_MODE: JsonSchemaMode = "validation"

Schema = dict[str, JsonValue]


def flow_schema(registry: Registry | None = None) -> Schema:
    """The schema of a whole flow. Imports the class of every type."""
    known = registry or default_registry()
    families = {base.__name__: list(known.classes(base)) for base in _FAMILIES}
    plugins = [cls for classes in families.values() for cls in classes]
    models: list[type[BaseModel]] = [Flow, Retry, *INPUT_TYPES.values(), *plugins]
    definitions, names = _definitions(models)
    for base, classes in families.items():
        definitions[base] = _any_of(cls.type_name for cls in classes)
    flow = cast("Schema", definitions.pop(names[Flow]))
    properties = cast("dict[str, Schema]", flow["properties"])
    for name, base in (("tasks", "Task"), ("triggers", "Trigger")):
        properties[name]["items"] = definitions[base]
    return {"$schema": DRAFT, "title": "Flow", **flow, "definitions": definitions}


def task_schema(cls: type[Plugin], registry: Registry | None = None) -> Schema:
    """The schema of one type: its `properties`, its `outputs`, and the `definitions` that these refer to.

    Other parts inside it (tasks of a flowable, conditions) are listed by name, not described.
    """
    known = registry or default_registry()
    output = getattr(cls, "Output", None)
    models = [model for model in (cls, output) if isinstance(model, type) and issubclass(model, BaseModel)]
    definitions, names = _definitions(models)
    for base in _FAMILIES:
        if base.__name__ in definitions:
            definitions[base.__name__] = {
                "type": "object",
                "properties": {"type": {"type": "string", "examples": list(known.names(base.plugin_kind))}},
                "required": ["type"],
            }
    properties = definitions.pop(names[cls])
    outputs = definitions.pop(names[models[1]]) if len(models) == 2 else {}
    return {"$schema": DRAFT, "properties": properties, "outputs": outputs, "definitions": definitions}


def _definitions(models: Iterable[type[BaseModel]]) -> tuple[Schema, dict[type[BaseModel], str]]:
    """The schemas of models by name, plugins under their type names, and which name each model has."""
    wanted = list(dict.fromkeys(models))
    try:
        references, generated = _generate(wanted)
    except PydanticInvalidForJsonSchema:  # one class with a field that no schema can say must not hide all others
        wanted = [model for model in wanted if _has_schema(model)]
        references, generated = _generate(wanted)
    found = cast("Schema", generated.get("$defs") or generated.get("definitions") or {})
    names: dict[type[BaseModel], str] = {}
    renamed: dict[str, str] = {}
    for model in wanted:
        given = references[model].removeprefix("#/definitions/")
        names[model] = model.type_name if issubclass(model, Plugin) and model.type_name else given
        renamed[given] = names[model]
    definitions: Schema = {}
    for given, schema in found.items():
        definitions[renamed.get(given, given)] = _tidy(schema, renamed)
    for model in wanted:
        _complete(cast("Schema", definitions[names[model]]), model)
    return definitions, names


def _generate(models: list[type[BaseModel]]) -> tuple[dict[type[BaseModel], str], Schema]:
    by_model, generated = models_json_schema([(model, _MODE) for model in models], ref_template="#/definitions/{model}")
    references = {cast("type[BaseModel]", model): str(schema["$ref"]) for (model, _), schema in by_model.items()}
    return references, cast("Schema", generated)


def _has_schema(model: type[BaseModel]) -> bool:
    try:
        model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return False
    return True


def _tidy(schema: JsonValue, renamed: dict[str, str], *, is_properties: bool = False) -> JsonValue:
    """Point references at the new names, and drop what says nothing: titles of properties, null for none."""
    if isinstance(schema, list):
        return [_tidy(item, renamed) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if is_properties:
        return {name: _tidy(item, renamed) for name, item in schema.items()}
    tidy: Schema = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            name = value.removeprefix("#/definitions/")
            tidy[key] = f"#/definitions/{renamed.get(name, name)}"
        elif key == "title" or (key == "default" and value is None):
            continue
        elif key in ("default", "const", "enum", "examples"):
            tidy[key] = value
        elif key == "anyOf" and isinstance(value, list):
            ways = [_tidy(way, renamed) for way in value if way != {"type": "null"}]
            if len(ways) == 1 and isinstance(ways[0], dict):
                tidy = {**ways[0], **tidy}
            else:
                tidy[key] = ways
        elif key == "discriminator":  # of OpenAPI, not of JSON Schema
            continue
        else:
            tidy[key] = _tidy(value, renamed, is_properties=key == "properties")
    if "$ref" in tidy and len(tidy) > 1:  # draft 7 ignores what stands beside a reference
        tidy["allOf"] = [{"$ref": tidy.pop("$ref")}]
    return tidy


def _complete(schema: Schema, model: type[BaseModel]) -> None:
    """Add what only the class knows: its type name and aliases, expressions, older spellings."""
    properties = cast("dict[str, Schema]", schema.setdefault("properties", {}))
    shape = layout(model)
    for name in dynamic_fields(model):
        for spelling, field_name in shape.fields.items():
            if field_name == name and spelling in properties:
                properties[spelling] = _or_expression(properties[spelling])
    for older, newer in shape.older.items():
        if newer in properties:
            properties[older] = {
                **properties[newer],
                "deprecated": True,
                "description": f"Older spelling of `{newer}`.",
            }
    schema["description"] = (inspect.getdoc(model) or "").split("\n\n")[0].replace("\n", " ")
    if issubclass(model, Input):
        schema["required"] = ["id", "type"]
    if issubclass(model, Plugin) and model.type_name:
        schema["title"] = model.__name__
        schema["x-aliases"] = [*model.aliases, *model.old_names]
        properties["type"] = {"const": model.type_name, "description": "Name of the class that does the work."}
        required = cast("list[JsonValue]", schema.get("required", []))
        schema["required"] = ["type", *(name for name in required if name != "type")]


def _or_expression(schema: Schema) -> Schema:
    if schema.get("type") == "string" and not {"pattern", "format", "enum"} & set(schema):
        return schema
    outer: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in outer}
    ways = cast("list[JsonValue]", inner["anyOf"]) if list(inner) == ["anyOf"] else [cast("JsonValue", inner)]
    return {**outer, "anyOf": [*ways, _EXPRESSION]}


def _any_of(type_names: Iterable[str]) -> Schema:
    ways: list[JsonValue] = [{"$ref": f"#/definitions/{name}"} for name in sorted(type_names)]
    return {"anyOf": ways} if ways else {"type": "object"}  # an empty choice is no valid schema
