"""What a new execution starts with: its inputs, read and stored, and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from nbflow.errors import InputError, Problem
from nbflow.expressions import default_environment
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow
from nbflow.model.inputs import Input, read_inputs
from nbflow.model.state import StateHistory
from nbflow.plugins import FileStorage
from nbflow.types import JsonValue, new_id

CORRELATION = "system.correlationId"


def new_execution(
    flow: Flow,
    given: Mapping[str, object],
    labels: Mapping[str, str],
    files: FileStorage,
    now: datetime,
    *,
    execution_id: str | None = None,
    trigger: Mapping[str, JsonValue] | None = None,
    parent: Execution | None = None,
    parent_task_run_id: str | None = None,
    kind: str | None = None,
    schedule_date: datetime | None = None,
) -> tuple[Execution, list[str]]:
    """A new execution with its inputs read, and the ids of inputs that the flow does not declare.

    Raises: InputError with every problem of the inputs.
    """
    execution_id = execution_id or new_id()
    environment = default_environment()
    variables: dict[str, object] = {
        "flow": {"id": flow.id, "namespace": flow.namespace},
        "execution": {"id": execution_id},
        "trigger": (trigger or {}).get("variables") or {},
    }

    def render(text: str, inputs: Mapping[str, JsonValue]) -> object:
        return environment.render_typed(text, {**variables, "inputs": inputs, "vars": flow.variables})

    inputs, problems, unknown = read_inputs(flow.inputs, given, render)
    if not problems:
        problems = _store_files(flow, inputs, files, execution_id)
    if problems:
        raise InputError(f"the inputs of {flow.uid} are not valid", problems)
    correlation = dict(parent.labels).get(CORRELATION) if parent is not None else None
    all_labels = {**flow.label_map, **labels, CORRELATION: correlation or execution_id}
    execution = Execution(
        id=execution_id,
        namespace=flow.namespace,
        flow_id=flow.id,
        flow_revision=flow.revision or 1,
        history=StateHistory.begin(now),
        inputs=inputs,
        labels=tuple(all_labels.items()),
        trigger=trigger,
        parent_id=parent.id if parent is not None else None,
        parent_task_run_id=parent_task_run_id,
        kind=kind,
        schedule_date=schedule_date,
    )
    return execution, unknown


def secret_inputs(flow: Flow, execution: Execution) -> list[str]:
    """The values of SECRET inputs, to be hidden in logs."""
    values = (_lookup(execution.inputs, declared.id) for declared in flow.inputs if declared.type == "SECRET")
    return [value for value in values if isinstance(value, str)]


def _lookup(inputs: Mapping[str, JsonValue], input_id: str) -> JsonValue:
    value: object = inputs
    for part in input_id.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value  # type: ignore[return-value]  # a value out of a JSON mapping


def _store_files(flow: Flow, inputs: dict[str, JsonValue], files: FileStorage, execution_id: str) -> list[Problem]:
    """Put local files given for FILE inputs into the internal storage, and their URIs into `inputs`."""
    problems = []
    for declared in flow.inputs:
        value = _lookup(inputs, declared.id)
        if declared.type != "FILE" or not isinstance(value, str) or "://" in value:
            continue
        source = Path(value).expanduser()
        if not source.is_file():
            problems.append(
                Problem(f"there is no file {value!r}", path=f"inputs.{declared.id}", hint="give the path of a file")
            )
            continue
        folder = f"{flow.namespace.replace('.', '/')}/{flow.id}/executions/{execution_id}/inputs/{declared.id}"
        _put(inputs, declared, files.put_file(f"{folder}/{source.name}", source))
    return problems


def _put(inputs: dict[str, JsonValue], declared: Input, value: JsonValue) -> None:
    *path, last = declared.id.split(".")
    branch = inputs
    for part in path:
        step = branch[part]
        assert isinstance(step, dict)
        branch = step
    branch[last] = value
