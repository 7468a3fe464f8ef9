"""What the expressions of a flow may refer to, read off the flow itself."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from nbflow.model.flow import Flow
from nbflow.model.plugin import Plugin
from nbflow.model.trigger import Trigger
from nbflow.plugins.order import FlowOrder
from nbflow.plugins.task import FlowableTask, RunnableTask
from nbflow.source.document import Path
from nbflow.source.findings import Findings
from nbflow.source.resolving import Part
from nbflow.types import JsonValue


@dataclass(slots=True)
class Names:
    """What a flow declares; None where that is not known for certain.

    `tasks` maps the path of each task to its id. `order` is None for a flow that is not valid.
    """

    outputs: set[str] | None = field(default_factory=set)
    inputs: set[str] | None = field(default_factory=set)
    vars: Mapping[str, JsonValue] | None = field(default_factory=dict)
    triggers: set[str] | None = field(default_factory=set)
    tasks: dict[Path, str] = field(default_factory=dict)
    order: FlowOrder | None = None

    def task_at(self, path: Path) -> str | None:
        """The innermost task that a value lies in."""
        for length in range(len(path), 0, -1):
            task = self.tasks.get(path[:length])
            if task is not None:
                return task
        return None

    def output_names(self, task_id: str) -> set[str] | None:
        """The outputs that a task may have, by its type; None when the type does not tell."""
        task = self.order.task(task_id) if self.order is not None else None
        return None if task is None else output_names(type(task))


def names_of(document: JsonValue, parts: Sequence[Part], flow: Flow | None, findings: Findings) -> Names:
    """The names that a flow declares; `parts` are those found in it, `flow` is None when it is not valid."""
    raw = document if isinstance(document, dict) else {}
    inputs, variables = raw.get("inputs"), raw.get("variables")
    declared = {
        str(item.get("id", item.get("name"))).split(".")[0]
        for item in (inputs if isinstance(inputs, list) else [])
        if isinstance(item, dict)
    }
    is_known = all(part.cls is not None for part in parts)
    tasks = [part for part in parts if part.kind == "task"]
    order = FlowOrder(flow) if flow is not None else None
    written = {str(part.raw.get("id")) for part in tasks}
    return Names(
        outputs=written | (order.task_ids if order is not None else set()) if is_known else None,
        inputs=declared if inputs is None or isinstance(inputs, list) else None,
        vars=variables if isinstance(variables, dict) else ({} if variables is None else None),
        triggers=_trigger_variables([part.cls for part in parts if part.kind == "trigger"]),
        tasks={path: str(part.raw.get("id")) for part in tasks if (path := findings.path_of(part.raw)) is not None},
        order=order,
    )


@functools.lru_cache(maxsize=512)
def output_names(cls: type[Plugin]) -> set[str] | None:
    """What `{{ outputs.id.… }}` may name of a task of this class, in the spelling of YAML; None: anything."""
    if not issubclass(cls, RunnableTask | FlowableTask):
        return None
    return _names(cls.Output)


def _names(model: type[BaseModel]) -> set[str] | None:
    if model.model_config.get("extra") == "allow":
        return None
    return {info.alias or name for name, info in model.model_fields.items()}


def _trigger_variables(classes: Sequence[type[Plugin] | None]) -> set[str] | None:
    """What `{{ trigger.… }}` may name in executions that any of these triggers started; None: anything."""
    found: set[str] = set()
    for cls in classes:
        known = _names(cls.Output) if cls is not None and issubclass(cls, Trigger) else None
        if known is None:
            return None
        found |= known
    return found
