"""How a model looks in YAML: the names of its properties, older spellings, and which models are inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel

from nbflow.model.inputs import INPUT_TYPES, Input
from nbflow.model.plugin import Plugin
from nbflow.source.document import Path

# Accepted beside the first spelling without being older: 2.x says `when`, Kestra's triggers say `minLogLevel`.
_EQUAL_SPELLINGS = {"when", "minLogLevel"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The properties of a model, by their names in YAML."""

    names: list[str]
    descriptions: dict[str, str]
    fields: dict[str, str]
    """Any spelling → field name."""
    older: dict[str, str]
    """Older spelling → the one to write."""
    models: dict[str, type[BaseModel]] = field(default_factory=dict)
    """Property → the model of its value, its items or its entries; plugins left out, they are found by `type`."""


@lru_cache(maxsize=1024)
def layout(model: type[BaseModel]) -> Layout:
    """The layout of a model class."""
    result = Layout([], {}, {}, {})
    for name, info in model.model_fields.items():
        choices = _spellings(name, info.validation_alias, info.alias)
        result.names.append(choices[0])
        result.fields[name] = name
        for choice in choices:
            result.fields[choice] = name
            result.descriptions[choice] = info.description or ""
            if choice != choices[0] and choice not in _EQUAL_SPELLINGS:
                result.older[choice] = choices[0]
        inner = next(_models(info.annotation), None)
        if inner is not None:
            for choice in choices:
                result.models[choice] = inner
    return result


def model_at(model: type[BaseModel], path: Path, raw: object) -> type[BaseModel] | None:
    """The model of the value at a path inside a part; None when it is free, such as a mapping of variables."""
    current: type[BaseModel] | None = model
    value = raw
    for step in path:
        if isinstance(step, str):  # an item of a list has the model of its list
            if current is Input:
                current = input_model(value)
            current = layout(current).models.get(step) if current is not None else None
        value = _inside(value, step)
    return input_model(value) if current is Input else current


def input_model(value: object) -> type[BaseModel]:
    """The class of an input as written."""
    written = value.get("type") if isinstance(value, Mapping) else None
    return INPUT_TYPES.get(written.upper(), Input) if isinstance(written, str) else Input


def _inside(value: object, step: str | int) -> object:
    if isinstance(value, Mapping) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _spellings(name: str, validation_alias: object, alias: str | None) -> list[str]:
    if isinstance(validation_alias, AliasChoices):
        return [choice for choice in validation_alias.choices if isinstance(choice, str)]
    return [validation_alias if isinstance(validation_alias, str) else alias or name]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # Any: a type form
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Plugin):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _models(part)
