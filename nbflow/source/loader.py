"""Text → Flow: every problem of a flow at once, each with its place and how to mend it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from nbflow.errors import FlowValidationError, Problem
from nbflow.model.flow import Flow, PluginDefault
from nbflow.model.input_values import shown
from nbflow.model.plugin import Plugin
from nbflow.plugins.registry import Registry
from nbflow.plugins.registry import registry as default_registry
from nbflow.source.defaults import from_flow, from_settings
from nbflow.source.document import Document, read_document
from nbflow.source.findings import Findings
from nbflow.source.names import names_of
from nbflow.source.pools import check_pools
from nbflow.source.resolving import FlowResolver
from nbflow.source.rules import check_rules
from nbflow.source.templates import Expressions, check_templates
from nbflow.types import JsonValue

_KEPT = 256


@dataclass(frozen=True, slots=True)
class LoadedFlow:
    """A flow that can be deployed, its text as plain values, and what is wrong with it or could be better."""

    flow: Flow
    document: dict[str, JsonValue] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Kept:
    loaded: LoadedFlow
    classes: dict[tuple[type[Plugin], str], type[Plugin]]

    def is_current(self, registry: Registry) -> bool:
        """Whether every type still has the class it had: a class typed into a cell may have been replaced."""
        return all(registry.find(base, name) is cls for (base, name), cls in self.classes.items())


class _Cache:
    """The flows loaded last, by what they were loaded from."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], registry: Registry) -> LoadedFlow | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept.move_to_end(key)
        return kept.loaded if kept.is_current(registry) else None

    def put(self, key: tuple[object, ...], kept: _Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)


_cache = _Cache(_KEPT)


def load_flow(
    text: str,
    *,
    registry: Registry | None = None,
    defaults: Sequence[PluginDefault] = (),
    environment: Expressions | None = None,
    pools: Collection[str] | None = None,
    strict: bool = True,
) -> LoadedFlow:
    """The flow that a YAML text defines; the same text gives the same object again, which must not be changed.

    `defaults` are the plugin defaults that hold for all flows, `pools` the pools that are set (None: not known).
    Unless `strict`, a flow is let through whose expressions would fail only when a run gets there.

    Raises: FlowValidationError with every problem.
    """
    known = registry or default_registry()
    named_pools = None if pools is None else frozenset(pools)
    key = (text, known, environment, tuple(default.model_dump_json() for default in defaults), named_pools)
    kept = _cache.get(key, known)
    if kept is not None:
        _refuse_errors(kept.problems, strict)
        return kept
    flow, document, findings, classes = _read(text, known, defaults, environment, named_pools)
    problems = findings.in_order()
    _refuse_errors(problems, strict or flow is None)
    values = document.value
    assert isinstance(values, dict)
    assert flow is not None, "without a flow, there is an error"
    loaded = LoadedFlow(flow.with_source(text, values), values, problems)
    if not any(problem.is_error for problem in problems):  # a filter typed into a cell may mend an expression
        _cache.put(key, _Kept(loaded, classes))
    return loaded


def _refuse_errors(problems: list[Problem], strict: bool) -> None:
    """Raises: FlowValidationError when there are errors; unless `strict`, those of expressions alone are none."""
    errors = [problem for problem in problems if problem.is_error]
    count = len(errors)
    if any(strict or not problem.at_run for problem in errors):
        raise FlowValidationError(
            f"the flow is not valid: {count} problem{'s' if count != 1 else ''}", problems, hint=errors[0].hint
        )


def validate(
    text: str,
    *,
    registry: Registry | None = None,
    defaults: Sequence[PluginDefault] = (),
    environment: Expressions | None = None,
    pools: Collection[str] | None = None,
) -> list[Problem]:
    """Every problem of a flow's text, errors and warnings in the order of the text; empty when there is none."""
    try:
        loaded = load_flow(
            text, registry=registry, defaults=defaults, environment=environment, pools=pools, strict=False
        )
        return list(loaded.problems)
    except FlowValidationError as refused:
        return refused.problems


def split_documents(text: str) -> list[str]:
    """The documents of a text, apart by lines of `---`; each keeps its own text, empty ones are left out."""
    documents: list[list[str]] = [[]]
    for line in text.splitlines(keepends=True):
        if line.rstrip() == "---" or line.startswith("--- "):
            documents.append([line[4:]] if line.startswith("--- ") and line[4:].strip() else [])
        else:
            documents[-1].append(line)
    return [
        "".join(lines)
        for lines in documents
        if any(line.strip() and not line.lstrip().startswith("#") for line in lines)
    ]


# Written by exports of Kestra; the history keeps them, not the text.
_LEFT_OUT = ("tenantId", "deleted", "source", "updated")


def _read(
    text: str,
    registry: Registry,
    defaults: Sequence[PluginDefault],
    environment: Expressions | None,
    pools: Collection[str] | None,
) -> tuple[Flow | None, Document, Findings, dict[tuple[type[Plugin], str], type[Plugin]]]:
    document = read_document(text)
    findings = Findings(document)
    raw = _top(document, findings)
    if raw is None:
        return None, document, findings, {}
    resolver = FlowResolver(registry, findings, [*from_flow(*_entries(raw)), *from_settings(defaults)])
    flow = resolver.read_flow(raw)
    resolver.note_idle_defaults()
    check_rules(findings, raw, resolver.parts)
    check_pools(findings, resolver.parts, pools)
    is_valid = flow is not None and not findings.has_errors
    names = names_of(document.value, resolver.parts, flow if is_valid else None, findings)
    check_templates(findings, document.value, names, environment)
    return flow, document, findings, resolver.classes


def _top(document: Document, findings: Findings) -> dict[str, JsonValue] | None:
    """The properties of the flow, older spellings of the top level replaced; None when there are none."""
    value = document.value
    if not isinstance(value, dict):
        if not findings.problems:
            found = "" if value is None else f", got {shown(value)}"
            findings.error((), f"a flow is a mapping with `id`, `namespace` and `tasks`{found}")
        return None
    if document.count > 1:
        findings.error(
            (),
            f"the text holds {document.count} documents, and a flow is one",
            "put each flow into a text of its own",
            place=document.second(),
        )
    if set(value) == {"kestra"}:
        findings.error((), "this is a configuration of Kestra, not a flow", "a flow has `id`, `namespace` and `tasks`")
        return None
    raw = {name: item for name, item in value.items() if name not in _LEFT_OUT}
    if "taskDefaults" in raw:
        _rename_task_defaults(raw, findings)
    return raw


def _rename_task_defaults(raw: dict[str, JsonValue], findings: Findings) -> None:
    findings.warning(("taskDefaults",), "`taskDefaults` is an older spelling", "write `pluginDefaults`", at_key=True)
    if "pluginDefaults" in raw:
        findings.error(
            ("taskDefaults",), "stands beside `pluginDefaults`, its newer name", "merge the two", at_key=True
        )
        return
    older = raw.pop("taskDefaults")
    if isinstance(older, dict):  # a mapping of properties is meant for every task that has them
        findings.came_from(("pluginDefaults", 0, "values"), ("taskDefaults",))
        raw["pluginDefaults"] = [{"type": "", "values": older}]
    else:
        findings.came_from(("pluginDefaults",), ("taskDefaults",))
        raw["pluginDefaults"] = older


def _entries(raw: dict[str, JsonValue]) -> tuple[JsonValue, tuple[str | int, ...]]:
    return raw.get("pluginDefaults"), ("pluginDefaults",)
