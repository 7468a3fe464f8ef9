"""Names that fit inside `{{ … }}` in a flow: its inputs, its variables, and what its tasks put out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import BaseModel

from nbflow.errors import NbflowError
from nbflow.model.task import Task
from nbflow.plugins.registry import registry
from nbflow.source.layout import layout

_TYPED = re.compile(r"[\w.\[\]'\"-]*$")
_FIXED: dict[str, tuple[str, ...]] = {
    "flow": ("id", "namespace", "revision"),
    "execution": ("id", "startDate", "originalId", "state"),
    "taskrun": ("id", "value", "iteration", "startDate", "attemptsCount"),
    "trigger": ("date", "next", "previous", "body"),
    "task": ("id", "type"),
}
"""What every execution knows."""


@dataclass(slots=True)
class Names:
    """What a flow declares: ids of inputs, keys of variables, ids of tasks with their types."""

    inputs: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    tasks: dict[str, str] = field(default_factory=dict)


def complete_expression(typed: str, names: Names) -> tuple[list[str], str]:
    """What can follow the text behind `{{`, and the part of it that is replaced."""
    found = _TYPED.search(typed)
    fragment = found.group() if found else ""
    root, dot, rest = fragment.partition(".")
    if not dot:
        roots = ["inputs.", "outputs.", "vars.", *(f"{name}." for name in _FIXED)]
        return [name for name in roots if name.startswith(fragment)], fragment
    return [f"{root}.{name}" for name in _after(root, rest, names) if name.startswith(rest)], fragment


def _after(root: str, rest: str, names: Names) -> Iterable[str]:
    if root == "inputs":
        return names.inputs
    if root == "vars":
        return names.variables
    if root == "outputs":
        task_id, dot, _ = rest.partition(".")
        return [f"{task_id}.{name}" for name in _outputs(names.tasks.get(task_id, ""))] if dot else names.tasks
    return _FIXED.get(root, ())


def _outputs(type_name: str) -> Iterable[str]:
    """What a type puts out."""
    try:
        output = getattr(registry().find(Task, type_name), "Output", None) if type_name else None
    except NbflowError:
        return ()
    return layout(output).names if isinstance(output, type) and issubclass(output, BaseModel) else ()
