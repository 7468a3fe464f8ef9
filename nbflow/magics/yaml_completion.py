"""Keys, types and values that fit at a place in a flow's YAML, from the models of the flow and of its parts.

The text need not be valid: it is being typed. Indentation alone says what lies in what.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from nbflow.errors import NbflowError
from nbflow.magics.expression_completion import Names, complete_expression
from nbflow.model.condition import Condition
from nbflow.model.flow import Flow
from nbflow.model.inputs import INPUT_TYPES
from nbflow.model.plugin import Plugin
from nbflow.model.task import Task
from nbflow.model.trigger import Trigger
from nbflow.plugins.registry import registry
from nbflow.plugins.runner import TaskRunner
from nbflow.source.layout import input_model, layout

_LINE = re.compile(r"^(?P<indent> *)(?P<dashes>(?:- +)*(?:-$)?)(?P<key>[\w.$-]*)(?P<colon>:(?= |$))?(?P<value>.*)$")
_FAMILIES: dict[str, type[Plugin]] = {
    "tasks": Task,
    "errors": Task,
    "finally": Task,
    "afterExecution": Task,
    "then": Task,
    "else": Task,
    "defaults": Task,
    "task": Task,
    "triggers": Trigger,
    "conditions": Condition,
    "taskRunner": TaskRunner,
}
"""Which family of types lies under a key."""


@dataclass(slots=True)
class _Place:
    """A mapping around the cursor: the key it lies under, and the keys and texts it holds already."""

    key: str
    entries: dict[str, str] = field(default_factory=dict)


def complete_yaml(lines: Sequence[str], row: int, column: int) -> tuple[list[str], str]:
    """What fits at a place (from 0) in the lines of a flow, and the text before the cursor that it replaces."""
    before = lines[row][:column]
    typed = _LINE.match(before)
    if before.lstrip().startswith("#"):
        return [], ""
    if before.rfind("{{") > before.rfind("}}"):
        return complete_expression(before[before.rfind("{{") + 2 :], known_names(lines))
    if typed is None:
        return [], ""
    indent = len(typed["indent"]) + len(typed["dashes"])
    path = _around(lines, row, indent)
    if typed["colon"]:
        fragment = typed["value"].lstrip().lstrip("\"'")
        return _fitting(_values(path, typed["key"]), fragment), fragment
    if typed["value"]:
        return [], ""
    fragment = typed["key"]
    used = path[-1].entries
    return _fitting((f"{key}: " for key in _keys(path) if key not in used or key == fragment), fragment), fragment


def _fitting(found: Iterable[str], fragment: str) -> list[str]:
    """Those that begin with what is typed; type names also by any of their parts."""
    names = list(dict.fromkeys(found))
    begins = [name for name in names if name.startswith(fragment)]
    lowered = fragment.lower()
    within = [name for name in names if lowered and lowered in name.lower() and name not in begins]
    return [*begins, *within]


def _around(lines: Sequence[str], row: int, indent: int) -> list[_Place]:
    """The mappings around a line, outermost first; the last one is the line's own."""
    places = [_Place("")]
    places[0].entries = _siblings(lines, row, indent)
    level, current = indent, row
    while level > 0:
        owner = _owner(lines, current, level)
        if owner is None:
            break
        current, level, key = owner
        places[-1].key = key
        places.append(_Place("", _siblings(lines, current, level)))
    return list(reversed(places))


def _owner(lines: Sequence[str], row: int, indent: int) -> tuple[int, int, str] | None:
    """The nearest line above that lies further out and opens a mapping or list: its row, indentation and key."""
    starts_item = _is_item(lines[row], indent)
    for above in range(row - 1 if starts_item else row, -1, -1):
        found = _LINE.match(lines[above])
        if found is None or not lines[above].strip() or lines[above].lstrip().startswith("#"):
            continue
        width = len(found["indent"]) + len(found["dashes"])
        opens = found["colon"] and not found["value"].strip()
        # A list may stand at the indentation of its key: `tasks:` and below it `- id: …`.
        limit = indent - 2 if _first_of_item(lines, row, indent) else indent - 1
        if above < row and opens and width <= max(limit, 0) and width < indent:
            return above, width, found["key"]
    return None


def _is_item(line: str, indent: int) -> bool:
    found = _LINE.match(line)
    return bool(found and found["dashes"] and len(found["indent"]) + len(found["dashes"]) == indent)


def _first_of_item(lines: Sequence[str], row: int, indent: int) -> bool:
    """Whether the mapping that a line is in is an item of a list."""
    for above in range(row, -1, -1):
        if not lines[above].strip():
            continue
        if _is_item(lines[above], indent):
            return True
        found = _LINE.match(lines[above])
        if found is None or len(found["indent"]) + len(found["dashes"]) < indent:
            return False
    return False


def _siblings(lines: Sequence[str], row: int, indent: int) -> dict[str, str]:
    """The keys of the mapping that a line is in, with the texts behind them."""
    entries: dict[str, str] = {}
    for step, start in ((-1, row), (1, row + 1)):
        number = start
        while 0 <= number < len(lines):
            line = lines[number]
            found = _LINE.match(line)
            if line.strip() and found is not None and not line.lstrip().startswith("#"):
                width = len(found["indent"]) + len(found["dashes"])
                if width < indent or (step == 1 and found["dashes"] and width == indent):
                    break
                if width == indent and found["colon"]:
                    entries[found["key"]] = found["value"].strip().strip("\"'")
                if width == indent and found["dashes"] and step == -1:
                    break
            number += step
    return entries


def _keys(path: Sequence[_Place]) -> Iterable[str]:
    """A part's own properties come before those that every part has."""
    model = _model_at(path)
    if model is None:
        return ()
    names = layout(model).names
    family = next((base for base in _FAMILIES.values() if issubclass(model, base) and model is not base), None)
    return sorted(names, key=set(layout(family).names).__contains__) if family is not None else names


def _newest_first(type_name: str) -> tuple[bool, bool, str]:
    """Types of today, then short names, then those of old."""
    return type_name.startswith("io.kestra.core."), "." not in type_name, type_name


def known_names(lines: Sequence[str]) -> Names:
    """The inputs, variables and tasks that a text declares."""
    names = Names()
    for row, line in enumerate(lines):
        found = _LINE.match(line)
        if found is None or not found["colon"] or line.lstrip().startswith("#"):
            continue
        indent = len(found["indent"]) + len(found["dashes"])
        place = _around(lines, row, indent)[-1] if indent else _Place("")
        if place.key == "variables":
            names.variables.append(found["key"])
        elif found["key"] == "id" and place.key == "inputs":
            names.inputs.append(place.entries.get("id", ""))
        elif found["key"] == "id" and _FAMILIES.get(place.key) is Task:
            names.tasks[place.entries.get("id", "")] = place.entries.get("type", "")
    return names


def _values(path: Sequence[_Place], key: str) -> Iterable[str]:
    owner = path[-1].key
    if key == "type":
        family = _FAMILIES.get(owner)
        if family is not None:
            return sorted(registry().names(family.plugin_kind), key=_newest_first)
        return INPUT_TYPES if owner in ("inputs", "outputs") else ()
    model = _model_at(path)
    name = layout(model).fields.get(key) if model is not None else None
    return _choices(model.model_fields[name].annotation) if model is not None and name is not None else ()


def _choices(annotation: Any) -> Iterable[str]:  # Any: a type form
    """The values that a type lists."""
    if annotation is bool:
        return ["true", "false"]
    if isinstance(annotation, type):
        return [str(member.value) for member in annotation] if issubclass(annotation, Enum) else ()
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _model_at(path: Sequence[_Place]) -> type[BaseModel] | None:
    """The model of the innermost mapping; None where nothing is known of it."""
    for number in range(len(path) - 1, -1, -1):
        model = _own_model(path[number], is_top=number == 0)
        for inner in path[number + 1 :]:
            model = layout(model).models.get(inner.key) if model is not None else None
        if model is not None:
            return model
    return None


def _own_model(place: _Place, *, is_top: bool) -> type[BaseModel] | None:
    """The model that a mapping has by itself: the flow, a part with a type, an input."""
    if is_top and not place.key:
        return Flow
    if place.key == "inputs":
        return input_model(place.entries)
    family = _FAMILIES.get(place.key)
    if family is None:
        return None
    type_name = place.entries.get("type", "")
    try:
        return registry().find(family, type_name) if type_name else family
    except NbflowError:  # half of a type name, or a package that is not installed
        return family
