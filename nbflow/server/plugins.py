"""The types that flows can use, over REST: lists, JSON schemas, reference pages."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from operator import attrgetter

from nbflow import __version__
from nbflow.errors import NotFoundError, UnknownTypeError
from nbflow.model.inputs import INPUT_TYPES
from nbflow.model.plugin import Plugin
from nbflow.model.task import Task
from nbflow.nearest import did_you_mean
from nbflow.plugins import Condition, TaskRunner, Trigger, registry
from nbflow.plugins.pages import markdown
from nbflow.plugins.reference import reference_of
from nbflow.server.filters import read_page
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may
from nbflow.source.schema import DRAFT, flow_schema, task_schema
from nbflow.types import JsonValue

_FAMILIES: tuple[tuple[str, type[Plugin]], ...] = (
    ("tasks", Task),
    ("triggers", Trigger),
    ("conditions", Condition),
    ("taskRunners", TaskRunner),
)


class Plugins(ApiHandler):
    """`GET /plugins`: a page of groups of types."""

    @may(Right.VIEW)
    async def get(self) -> None:
        page = read_page(self.query_values(), default_size=100)
        groups = await asyncio.to_thread(_groups)
        self.answer({"results": groups[page.offset : page.offset + page.size], "total": len(groups)})


class PluginGroups(ApiHandler):
    """`GET /plugins/groups/subgroups`: all groups of types."""

    @may(Right.VIEW)
    async def get(self) -> None:
        self.answer(await asyncio.to_thread(_groups))


class Schemas(ApiHandler):
    """`GET /plugins/schemas/{flow|task|trigger}`: JSON Schema for editors."""

    @may(Right.VIEW)
    async def get(self, kind: str) -> None:
        schema = await asyncio.to_thread(flow_schema)
        definitions = schema.get("definitions", {})
        if kind == "dashboard":
            definitions = {}
            schema = {"$schema": DRAFT, "type": "object", "definitions": definitions}
        elif kind != "flow":
            name = "Task" if kind == "task" else "Trigger"
            schema = {"$schema": DRAFT, "$ref": f"#/definitions/{name}", "definitions": definitions}
        if self.query_flag("arrayOf"):
            items = {key: value for key, value in schema.items() if key not in ("$schema", "definitions")}
            schema = {"$schema": DRAFT, "type": "array", "items": items, "definitions": definitions}
        self.answer(schema)


class InputTypes(ApiHandler):
    """`GET /plugins/inputs`, and of one type: the types of inputs, and the JSON Schema of each."""

    @may(Right.VIEW)
    async def get(self, name: str | None = None) -> None:
        if name is None:
            self.answer([{"type": kind, "cls": f"nbflow.inputs.{cls.__name__}"} for kind, cls in INPUT_TYPES.items()])
            return
        cls = INPUT_TYPES.get(name.upper())
        if cls is None:
            raise NotFoundError(f"there is no input type `{name}`", hint=did_you_mean(name.upper(), INPUT_TYPES))
        schema = {"properties": cls.model_json_schema(by_alias=True), "outputs": {}, "definitions": {}}
        self.answer({"markdown": inspect.cleandoc(cls.__doc__ or ""), "schema": schema})


class Icons(ApiHandler):
    """`GET /plugins/icons`: there are none, and clients draw their own."""

    @may(Right.VIEW)
    async def get(self) -> None:
        self.answer({})


class PluginReference(ApiHandler):
    """`GET /plugins/{type}`: what a type is for, its properties and outputs."""

    @may(Right.VIEW)
    async def get(self, type_name: str) -> None:
        self.answer(await asyncio.to_thread(_reference, type_name))


def _classes() -> Iterator[tuple[str, type[Plugin]]]:
    """Every type with its family, by name: the registry's own order depends on what was looked up before."""
    for family, base in _FAMILIES:
        for cls in sorted(registry().classes(base), key=attrgetter("type_name")):
            yield family, cls


def _groups() -> list[JsonValue]:
    """One entry for each package of types, with the types of each family."""
    groups: dict[str, dict[str, JsonValue]] = {}
    for family, cls in _classes():
        group = _group_of(cls.type_name)
        entry = groups.setdefault(
            group,
            {
                "name": group.rsplit(".", 1)[-1],
                "title": group.rsplit(".", 1)[-1].capitalize(),
                "group": group,
                "version": __version__,
                **{name: [] for name, _ in _FAMILIES},
            },
        )
        members = entry[family]
        assert isinstance(members, list)
        members.append({"cls": cls.type_name, "title": _first_line(cls), "deprecated": False})
    return [groups[name] for name in sorted(groups)]


def _group_of(type_name: str) -> str:
    """The package of a type name; Kestra's own lie in groups of four parts."""
    parts = type_name.split(".")[:-1]
    return ".".join(parts[:4]) if parts[:2] == ["io", "kestra"] else ".".join(parts) or "nbflow"


def _first_line(cls: type[Plugin]) -> str:
    return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]


def _find(type_name: str) -> type[Plugin]:
    advice = ""
    for _, base in _FAMILIES:
        try:
            return registry().find(base, type_name)
        except UnknownTypeError as unknown:
            advice = advice or unknown.hint
    raise NotFoundError(f"there is no type `{type_name}`", hint=advice)


def _reference(type_name: str) -> dict[str, JsonValue]:
    cls = _find(type_name)
    return {"markdown": markdown(reference_of(cls)), "schema": task_schema(cls)}
