"""Looks types up for `nbflow plugins`: behind the registry, so that listing commands start quickly."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from nbflow.errors import UnknownTypeError
from nbflow.model.base import yaml_name
from nbflow.model.plugin import Plugin
from nbflow.model.task import Task
from nbflow.plugins import Condition, RunnableTask, TaskRunner, Trigger, registry

KINDS: dict[str, type[Plugin]] = {"task": Task, "trigger": Trigger, "condition": Condition, "runner": TaskRunner}


def types_of(kind: str) -> Iterator[type[Plugin]]:
    """The types of a kind, by name."""
    return iter(sorted(registry().classes(KINDS[kind]), key=lambda cls: cls.type_name))


def find_type(type_name: str) -> type[Plugin]:
    """The class of a type name of any kind. Raises: UnknownTypeError."""
    first: UnknownTypeError | None = None
    for base in KINDS.values():
        try:
            return registry().find(base, type_name)
        except UnknownTypeError as unknown:
            first = first or unknown
    assert first is not None
    raise UnknownTypeError(f"there is no type `{type_name}`", hint=first.hint)


def properties_of(cls: type[Plugin]) -> dict[str, dict[str, object]]:
    """The properties of a type's own, then those that all types of its kind have; `type` and `id` aside."""
    own = [name for name in cls.model_fields if name not in _shared(cls)]
    shared = [name for name in cls.model_fields if name in _shared(cls) and name not in ("id", "type")]
    return _entries(cls, [*own, *shared])


def outputs_of(cls: type[Plugin]) -> dict[str, dict[str, object]]:
    """What `{{ outputs.id.… }}` sees of a task of this type."""
    return _entries(cls.Output, list(cls.Output.model_fields)) if issubclass(cls, RunnableTask) else {}


def _shared(cls: type[Plugin]) -> set[str]:
    base = next((base for base in KINDS.values() if issubclass(cls, base)), Plugin)
    return set(base.model_fields)


def _entries(model: type[BaseModel], names: list[str]) -> dict[str, dict[str, object]]:
    found = {}
    for name in names:
        field = model.model_fields[name]
        entry: dict[str, object] = {"description": field.description or "", "required": field.is_required()}
        found[field.alias or yaml_name(name)] = entry
    return found
