"""Finds the class of each part of a flow by its `type` and validates the part with it, noting every problem."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from nbflow.errors import PluginError, UnknownTypeError
from nbflow.model.condition import Condition
from nbflow.model.flow import Flow
from nbflow.model.input_values import shown
from nbflow.model.inputs import Input
from nbflow.model.plugin import RESOLVER, Plugin
from nbflow.model.task import Task
from nbflow.model.trigger import Trigger
from nbflow.nearest import did_you_mean
from nbflow.plugins.registry import Registry
from nbflow.plugins.runner import TaskRunner
from nbflow.source.defaults import Default, merge
from nbflow.source.document import Path
from nbflow.source.findings import Findings
from nbflow.source.layout import input_model, layout
from nbflow.source.wording import findings
from nbflow.types import JsonValue

PluginT = TypeVar("PluginT", bound=Plugin)

_USUAL = {
    "task": "io.kestra.plugin.core.log.Log, io.kestra.plugin.core.http.Request, io.kestra.plugin.scripts.python.Script",
    "trigger": "io.kestra.plugin.core.trigger.Schedule, .Webhook or .Flow",
    "condition": "io.kestra.plugin.core.condition.Expression",
    "runner": "io.kestra.plugin.core.runner.Process",
}
_DOES = {
    "task": "what the task does",
    "trigger": "what starts the flow",
    "condition": "what is asked",
    "runner": "where",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was found while validating: its kind, its class if known, and its mapping as written."""

    kind: str
    cls: type[Plugin] | None
    raw: Mapping[str, JsonValue]


class FlowResolver:
    """The resolver of one flow; `parts` lists what it has seen, parents before their children."""

    def __init__(self, registry: Registry, findings: Findings, defaults: Sequence[Default]) -> None:
        self._registry = registry
        self._findings = findings
        self._defaults = defaults
        self._context = {RESOLVER: self}
        self._open: list[Mapping[str, JsonValue]] = []
        self._taken: dict[int, set[str]] = {}
        self.parts: list[Part] = []
        self.classes: dict[tuple[type[Plugin], str], type[Plugin]] = {}

    def read_flow(self, raw: Mapping[str, JsonValue]) -> Flow | None:
        """The flow; None when it is not valid, with the problems noted."""
        self._note_older_spellings(Flow, raw, ())
        try:
            return Flow.model_validate(raw, context=self._context)
        except ValidationError as refused:
            self._note(refused, Flow, raw, ())
            return None

    def resolve(self, base: type[PluginT], value: object) -> PluginT:
        """The part of a mapping; a placeholder with its id and type when it is not valid."""
        if not isinstance(value, dict):
            raise PydanticCustomError(
                "part_shape",
                "must be a {kind}: a mapping with a `type`, got {found}",
                {"kind": base.plugin_kind, "found": shown(value) if value is not None else "nothing"},
            )
        cls = self._class_of(base, value)
        self.parts.append(Part(base.plugin_kind, cls, value))
        if cls is None:
            return _placeholder(base, value)
        given = self._with_defaults(cls, value)
        path = None
        if self._has_older(cls, given):
            path = self._path(value)
            self._note_older_spellings(cls, given, path)
        self._open.append(value)
        try:
            return cls.model_validate(given, context=self._context)
        except ValidationError as refused:
            self._note(refused, cls, given, path or self._path(value))
        except (TypeError, AttributeError, LookupError, ArithmeticError) as broken:  # a slip in somebody's plugin
            self._findings.error(
                (*self._path(value), "type"),
                f"the class of `{value['type']}` cannot read this: {type(broken).__name__}: {broken}",
                "tell the author of the plugin",
            )
        finally:
            self._open.pop()
        return _placeholder(cls, value)

    def _path(self, value: object) -> Path:
        """Where a part stands; one that a class has made of several properties stands where the part around it does."""
        for candidate in (value, *reversed(self._open)):
            path = self._findings.path_of(candidate)
            if path is not None:
                return path
        return ()

    def _class_of(self, base: type[PluginT], value: dict[str, JsonValue]) -> type[PluginT] | None:
        written = value.get("type")
        if not isinstance(written, str) or not written:
            path = self._path(value)
            kind = base.plugin_kind
            if written is None:
                self._findings.error(
                    path, f"`type` is missing: it says {_DOES[kind]}", f"usual ones are {_USUAL[kind]}"
                )
            else:
                self._findings.error((*path, "type"), f"must be the name of a {kind} type, got {shown(written)}")
            return None
        try:
            cls = self._registry.find(base, written)
        except PluginError as unknown:
            path = self._path(value)
            hint = unknown.hint
            if isinstance(unknown, UnknownTypeError) and not hint.startswith("did"):
                names = self._registry.names(base.plugin_kind)
                hint = did_you_mean(written, names) or f"usual ones are {_USUAL[base.plugin_kind]}; {hint}"
            self._findings.error((*path, "type"), unknown.message, hint)
            return None
        self.classes[(base, written)] = cls
        if written in cls.old_names:
            path = self._path(value)
            self._findings.warning((*path, "type"), f"`{written}` is an older name", f"write `{cls.type_name}`")
        return cls

    def _with_defaults(self, cls: type[Plugin], value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        written = str(value["type"])
        fitting = [default for default in self._defaults if default.fits(cls, written)]
        if not fitting:
            return value
        path = self._path(value)
        for default in fitting:
            # A default for exactly this type keeps all its properties: an unknown one is an error of the part.
            known = default.values if default.is_exact(cls, written) else layout(cls).fields
            self._taken.setdefault(id(default), set()).update(set(default.values) & set(known))

        def note(inside: Path, origin: Path | None) -> None:
            self._findings.came_from((*path, *inside), origin)

        merged = merge(value, path, fitting, cls, written, note)
        for name, item in merged.items():
            self._follow_copies(item, (*path, name))
        return merged

    def _follow_copies(self, value: object, path: Path) -> None:
        """Parts inside merged values are found by where they are in the flow, not by where a default wrote them."""
        if isinstance(value, dict):
            if self._findings.path_of(value) != path:
                self._findings.stands_for(value, path)
            for name, item in value.items():
                self._follow_copies(item, (*path, name))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                self._follow_copies(item, (*path, index))

    def note_idle_defaults(self) -> None:
        """Warn of defaults for a group of types that none of its parts has a property for."""
        for default in self._defaults:
            if default.path is None:
                continue
            taken = self._taken.get(id(default))
            if taken is None:
                self._check_unused(default, default.path)
                continue
            for name in default.values:
                if name not in taken:
                    whose = f"no part of a type `{default.prefix}…`" if default.prefix else "no task"
                    self._findings.warning((*default.path, name), f"{whose} here has a property `{name}`", at_key=True)

    def _check_unused(self, default: Default, path: Path) -> None:
        """The properties of a default must exist, also when no part here is of its type."""
        for base in (Task, Trigger, Condition, TaskRunner):
            with contextlib.suppress(PluginError):
                names = layout(self._registry.find(base, default.prefix)).fields
                for name in default.values:
                    if name not in names:
                        message = f"`{default.prefix}` has no property `{name}`"
                        self._findings.error((*path, name), message, did_you_mean(name, names), at_key=True)
                return

    def _note(self, refused: ValidationError, model: type[BaseModel], raw: Mapping[str, object], path: Path) -> None:
        for finding in findings(refused.errors(include_url=False), model, raw):
            self._findings.error((*path, *finding.path), finding.message, finding.hint, at_key=finding.at_key)

    def _has_older(self, cls: type[BaseModel], raw: Mapping[str, JsonValue]) -> bool:
        shape = layout(cls)
        return any(name in shape.older or name in shape.models for name in raw)

    def _note_older_spellings(self, cls: type[BaseModel], raw: Mapping[str, JsonValue], path: Path) -> None:
        shape = layout(cls)
        written = raw.get("type")
        if issubclass(cls, Input) and isinstance(written, str) and written != written.upper():
            self._findings.warning((*path, "type"), f"`{written}` is an older spelling", f"write `{written.upper()}`")
        for name, value in raw.items():
            newer = shape.older.get(name)
            if newer is not None and newer not in raw:
                self._findings.warning((*path, name), f"`{name}` is an older spelling", f"write `{newer}`", at_key=True)
            model = shape.models.get(name)
            if model is None:
                continue
            items = enumerate(value) if isinstance(value, list) else [(None, value)]
            for index, item in items:
                if isinstance(item, dict):
                    place = (*path, name) if index is None else (*path, name, index)
                    self._note_older_spellings(_specific(model, item), item, place)


def _specific(model: type[BaseModel], value: Mapping[str, JsonValue]) -> type[BaseModel]:
    return input_model(value) if model is Input else model


def _placeholder(cls: type[PluginT], value: Mapping[str, JsonValue]) -> PluginT:
    """Stands in for a part that is not valid, so that validation goes on; the flow it is in is never handed out."""
    known = {name: str(value[name]) for name in ("id", "type") if name in cls.model_fields and name in value}
    return cast("PluginT", cls.model_construct(None, **known))
