"""Doing: the execution that a trigger starts, with the trigger's inputs and labels rendered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.starting import CORRELATION, Start, new_execution
from nbflow.engine.triggers.warning import warn
from nbflow.errors import NbflowError
from nbflow.expressions import Services, default_environment
from nbflow.model.flow import Flow
from nbflow.plugins import Trigger
from nbflow.store import Store
from nbflow.types import JsonValue


class Scene:
    """What the expressions of a trigger see: `variables`, and the `services` that functions reach for."""

    def __init__(self, variables: Mapping[str, object], services: Services) -> None:
        self.variables = variables
        self._services = services

    def text(self, text: str) -> str:
        """Raises: TemplateError."""
        return default_environment().render(text, self.variables, self._services)

    def value(self, value: object) -> object:
        """A value rendered deep; single prints keep their type. Raises: TemplateError."""
        return default_environment().render_value_typed(value, self.variables, self._services)


def fired(
    flow: Flow,
    trigger: Trigger,
    output: Mapping[str, JsonValue],
    scene: Scene,
    store: Store,
    clock: Clock,
    *,
    execution_id: str | None = None,
    correlation: str | None = None,
    requires_inputs: bool = True,
    schedule_date: datetime | None = None,
) -> Start:
    """The execution that a trigger starts; `output` is what `trigger.*` sees in it.

    Raises: TemplateError when an input cannot be rendered, InputError, ConflictError when a check blocks it.
    """
    if not requires_inputs and any(declared.required for declared in flow.inputs):
        optional = [declared.model_copy(update={"required": False}) for declared in flow.inputs]
        flow = flow.model_copy(update={"inputs": optional})
    given = {name: scene.value(value) for name, value in trigger.inputs.items()}
    start = new_execution(
        flow,
        given,
        _labels(flow, trigger, scene),
        store,
        clock,
        execution_id=execution_id,
        trigger={"id": trigger.id, "type": trigger.type, "variables": dict(output)},
        schedule_date=schedule_date,
    )
    if correlation is None:
        return start
    labels = {**dict(start.execution.labels), CORRELATION: correlation}
    return replace(start, execution=replace(start.execution, labels=tuple(labels.items())))


def _labels(flow: Flow, trigger: Trigger, scene: Scene) -> dict[str, str]:
    """The trigger's labels; one that cannot be rendered is left out."""
    written = trigger.labels
    if isinstance(written, list):
        written = {label.get("key", ""): label.get("value", "") for label in written}
    labels = {}
    for key, value in written.items():
        try:
            labels[key] = scene.text(value)
        except NbflowError as error:
            warn(flow, trigger, "label_failed", f"its label `{key}` is left out: {error}")
    return labels
