"""What a type says of itself, read off its model: properties, outputs, examples. Pages are made of it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from nbflow.errors import UnknownTypeError
from nbflow.model.base import yaml_name
from nbflow.model.condition import Condition
from nbflow.model.durations import format_duration
from nbflow.model.dynamic import dynamic_fields
from nbflow.model.example import Example
from nbflow.model.inputs import Input
from nbflow.model.plugin import Plugin
from nbflow.model.task import Task
from nbflow.model.trigger import Trigger
from nbflow.plugins.registry import Registry
from nbflow.plugins.registry import registry as default_registry
from nbflow.plugins.runner import TaskRunner
from nbflow.types import JsonValue

KINDS: dict[str, type[Plugin]] = {"task": Task, "trigger": Trigger, "condition": Condition, "runner": TaskRunner}
"""The kinds of types, and the base of each."""

_NAMES: dict[object, str] = {
    str: "text",
    bool: "boolean",
    int: "whole number",
    float: "number",
    timedelta: "duration",
    datetime: "date and time",
    date: "date",
    time: "time",
    Path: "path",
    bytes: "bytes",
    dict: "map",
    list: "list",
    object: "any value",
    Any: "any value",
    JsonValue: "any value",
}
_SHARED_TWICE = ("id", "type")
"""What every part has and no page needs to explain."""
_LAST = ("errors", "finally")
"""What every task with tasks in it has."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property, or an output: how it is written, what may stand there, what it means.

    `default` is None when there is none that can be written down; `inside` are the properties of its value, or of
    the items of a list.
    """

    name: str
    type: str
    about: str
    required: bool = False
    default: str | None = None
    dynamic: bool = False
    also: tuple[str, ...] = ()
    inside: tuple[Property, ...] = ()

    def to_dict(self) -> dict[str, JsonValue]:
        """As JSON."""
        return {
            "description": self.about,
            "type": self.type,
            "required": self.required,
            "default": self.default,
            "dynamic": self.dynamic,
            "also": list(self.also),
            "properties": {each.name: each.to_dict() for each in self.inside},
        }


@dataclass(frozen=True, slots=True)
class Reference:
    """A type as its page shows it; `shared` are the properties that all types of its kind have."""

    kind: str
    name: str
    aliases: tuple[str, ...]
    old_names: tuple[str, ...]
    about: str
    properties: tuple[Property, ...]
    shared: tuple[Property, ...]
    outputs: tuple[Property, ...]
    examples: tuple[Example, ...]

    @property
    def title(self) -> str:
        """The first line of what it is for."""
        return self.about.partition("\n")[0]

    def to_dict(self) -> dict[str, JsonValue]:
        """As JSON; the properties of its own come first."""
        return {
            "type": self.name,
            "kind": self.kind,
            "aliases": [*self.aliases, *self.old_names],
            "description": self.about,
            "properties": {each.name: each.to_dict() for each in (*self.properties, *self.shared)},
            "outputs": {each.name: each.to_dict() for each in self.outputs},
            "examples": [
                {"title": example.title, "yaml": example.text, "needs": example.needs} for example in self.examples
            ],
        }


def types_of(kind: str, known: Registry | None = None) -> list[type[Plugin]]:
    """The classes of a kind, sorted by type name; one whose extra is missing is left out."""
    return sorted((known or default_registry()).classes(KINDS[kind]), key=lambda cls: cls.type_name)


def find_type(name: str, known: Registry | None = None) -> type[Plugin]:
    """The class of a type name of any kind. Raises: UnknownTypeError; MissingExtraError."""
    first: UnknownTypeError | None = None
    for base in KINDS.values():
        try:
            return (known or default_registry()).find(base, name)
        except UnknownTypeError as unknown:
            first = first or unknown
    assert first is not None
    raise UnknownTypeError(f"there is no type `{name}`", hint=first.hint)


def reference_of(cls: type[Plugin]) -> Reference:
    """What a class says of itself."""
    base = KINDS[cls.plugin_kind]
    fields = {name: field for name, field in cls.model_fields.items() if name not in _SHARED_TWICE}
    own = {name: field for name, field in fields.items() if _is_own(cls, base, name)}
    shared = {name: field for name, field in fields.items() if name not in own}
    output: object = getattr(cls, "Output", None)
    return Reference(
        kind=cls.plugin_kind,
        name=cls.type_name,
        aliases=cls.aliases,
        old_names=cls.old_names,
        about=inspect.cleandoc(cls.__doc__ or ""),
        properties=_properties(cls, own),
        shared=_properties(cls, shared),
        outputs=(
            _properties(output, output.model_fields)
            if isinstance(output, type) and issubclass(output, BaseModel)
            else ()
        ),
        examples=cls.examples,
    )


def _is_own(cls: type[Plugin], base: type[Plugin], name: str) -> bool:
    """Whether a property is the class's own: one that all have may mean something else in it, as `conditions` do."""
    return name not in base.model_fields or cls.model_fields[name].description != base.model_fields[name].description


def _properties(
    model: type[BaseModel], fields: dict[str, FieldInfo], around: tuple[type[BaseModel], ...] = ()
) -> tuple[Property, ...]:
    dynamic = dynamic_fields(model)
    around = (*around, model)
    found = []
    for name, field in fields.items():
        spellings = _spellings(name, field)
        inner = {each for each in _models(field.annotation) if each not in around}
        found.append(
            Property(
                name=spellings[0],
                type=type_text(field.annotation),
                about=field.description or "",
                required=field.is_required(),
                default=_default(field),
                dynamic=name in dynamic,
                also=tuple(spellings[1:]),
                inside=tuple(
                    each
                    for model in sorted(inner, key=lambda model: model.__name__)
                    for each in _properties(model, model.model_fields, around)
                ),
            )
        )
    return tuple(sorted(found, key=lambda each: (not each.required, each.name in _LAST)))


def _spellings(name: str, field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [alias if isinstance(alias, str) else field.alias or yaml_name(name)]


def _default(field: FieldInfo) -> str | None:
    """A default as it would be written in YAML; None when there is none, or nothing is."""
    if field.is_required() or field.default_factory is not None or field.default is None:
        return None
    value = field.default
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BaseModel):
        return None
    return str(to_jsonable_python(value))


def type_text(annotation: Any) -> str:  # Any: a type form
    """What may stand in a property, in words: `text`, `list of text`, `map of any value`, `INFO or WARN`."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation in _NAMES:
        return _NAMES[annotation]
    if origin is Annotated:
        return type_text(parts[0])
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (Union, types.UnionType):
        # `typing` keeps one form of unions that are equal, so their order depends on what was imported before.
        ways = {type_text(part) for part in parts if part is not type(None)}
        return " or ".join(sorted(ways, key=lambda way: (way.startswith(("list", "map")), way)))
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, list | set | frozenset)):
        return f"list of {type_text(parts[0])}"
    if isinstance(origin, type) and parts:
        return f"map of {type_text(parts[-1])}"
    if isinstance(annotation, type):
        return _class_text(annotation)
    return str(getattr(annotation, "__name__", annotation))


def _class_text(cls: type) -> str:
    if issubclass(cls, Enum):
        return " or ".join(f"`{member.value}`" for member in cls)
    if issubclass(cls, Plugin):
        return {"runner": "task runner"}.get(cls.plugin_kind, cls.plugin_kind)
    if issubclass(cls, Input):
        return "input"
    if issubclass(cls, BaseModel):
        return "map"
    return next((name for known, name in _NAMES.items() if isinstance(known, type) and issubclass(cls, known)), "")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # Any: a type form
    """The models that a type is made of, without parts that are found by their `type`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Plugin | Input):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _models(part)
