"""The catalog and the classes agree, and every class is fit for the reference and for editors."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter

from nbflow.builtin import CATALOG
from nbflow.model.plugin import Plugin
from nbflow.plugins import FlowableTask, RunnableTask
from nbflow.plugins.registry import Registry

KINDS = ("task", "trigger", "condition", "runner")


def targets() -> list[tuple[str, str, set[str]]]:
    """Kind, class (as `module:Class`) and names of everything the catalog lists."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind in KINDS:
        for name, target in CATALOG.of(kind).items():
            found[kind, target].add(name)
    return [(kind, target, names) for (kind, target), names in found.items()]


def load(target: str) -> type[Plugin]:
    module, _, name = target.partition(":")
    cls = getattr(importlib.import_module(module), name)
    assert isinstance(cls, type)
    assert issubclass(cls, Plugin)
    return cls


CLASSES = [load(target) for _, target, _ in targets()]


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type is made of; other plugins are checked for themselves."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, Plugin):
            yield annotation
        return
    for part in get_args(annotation):
        yield from models_in(part)


def models_of(cls: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    if cls in seen:
        return
    seen.add(cls)
    yield cls
    for field in cls.model_fields.values():
        for inner in models_in(field.annotation):
            yield from models_of(inner, seen)
    output = getattr(cls, "Output", None)
    if output is not None:
        yield from models_of(output, seen)


@pytest.mark.parametrize(
    ("kind", "target", "names"), targets(), ids=lambda part: part if isinstance(part, str) else "names"
)
def test_the_catalog_lists_exactly_the_names_of_its_classes(kind: str, target: str, names: set[str]) -> None:
    cls = load(target)
    assert cls.plugin_kind == kind
    assert names == {cls.type_name, *cls.aliases, *cls.old_names}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.type_name)
def test_every_class_and_every_property_says_what_it_is_for(cls: type[Plugin]) -> None:
    for model in models_of(cls, set()):
        assert model.__doc__ or model.__name__ == "Output", model
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name} needs a description"
            assert field.description.rstrip().endswith((".", "…")), f"{model.__name__}.{name}: end it with a full stop"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.type_name)
def test_every_task_says_what_it_does(cls: type[Plugin]) -> None:
    if issubclass(cls, RunnableTask):
        assert cls.run is not RunnableTask.run
    if issubclass(cls, FlowableTask):
        assert cls.run is not FlowableTask.run


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.type_name)
def test_every_class_has_a_schema_of_its_properties(cls: type[Plugin]) -> None:
    cls.model_rebuild()
    assert TypeAdapter(cls).core_schema


def test_the_registry_finds_every_name_and_gives_one_class_for_all_of_them() -> None:
    registry = Registry(CATALOG, list)
    for kind, target, names in targets():
        base = next(base for base in load(target).__mro__ if base.__dict__.get("plugin_kind") == kind)
        found = {registry.find(base, name) for name in names}
        assert found == {load(target)}


def test_importing_the_catalog_imports_no_plugin() -> None:
    assert all(isinstance(target, str) for kind in KINDS for target in CATALOG.of(kind).values())
