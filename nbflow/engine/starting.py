"""What a new execution starts with: its inputs, read and stored, and its labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nbflow.clock import Clock
from nbflow.engine.services import NamespaceServices
from nbflow.engine.variables import NamespaceVariables, execution_variables
from nbflow.errors import InputError, Problem
from nbflow.expressions import default_environment
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow
from nbflow.model.inputs import input_value, read_inputs, with_input
from nbflow.model.state import StateHistory
from nbflow.plugins import FileStorage
from nbflow.store import Store
from nbflow.types import JsonValue, new_id

CORRELATION = "system.correlationId"


def new_execution(
    flow: Flow,
    given: Mapping[str, object],
    labels: Mapping[str, str],
    store: Store,
    clock: Clock,
    *,
    trigger: Mapping[str, JsonValue] | None = None,
    parent: Execution | None = None,
    parent_task_run_id: str | None = None,
    kind: str | None = None,
    schedule_date: datetime | None = None,
) -> tuple[Execution, list[str]]:
    """A new execution with its inputs read, and the ids of inputs that the flow does not declare.

    Files given for FILE inputs are stored, the values of SECRET inputs encrypted.
    Raises: InputError with every problem of the inputs.
    """
    execution_id = new_id()
    correlation = dict(parent.labels).get(CORRELATION) if parent is not None else None
    all_labels = {**flow.label_map, **labels, CORRELATION: correlation or execution_id}
    execution = Execution(
        id=execution_id,
        namespace=flow.namespace,
        flow_id=flow.id,
        flow_revision=flow.revision or 1,
        history=StateHistory.begin(clock.now()),
        labels=tuple(all_labels.items()),
        trigger=trigger,
        parent_id=parent.id if parent is not None else None,
        parent_task_run_id=parent_task_run_id,
        kind=kind,
        schedule_date=schedule_date,
    )
    inputs, problems, unknown = _read(flow, execution, given, store, clock)
    if not problems:
        inputs, problems = _store_files(flow, inputs, store.files, execution_id)
    if problems:
        raise InputError(f"the inputs of {flow.uid} are not valid", problems)
    return replace(execution, inputs=_with_secrets_encrypted(flow, inputs, store.secrets.encrypt)), unknown


def _read(
    flow: Flow, execution: Execution, given: Mapping[str, object], store: Store, clock: Clock
) -> tuple[dict[str, JsonValue], list[Problem], list[str]]:
    """The inputs, problems and unknown ids; defaults see what expressions see before the first task."""
    environment = default_environment()
    services = NamespaceServices(flow.namespace, store, clock, lambda secret: None)
    variables = {
        **execution_variables(flow, execution, {}, {}, store.settings),
        "namespace": NamespaceVariables(flow.namespace, store.namespaces.variables),
    }

    def render(text: str, inputs: Mapping[str, JsonValue]) -> object:
        return environment.render_typed(text, {**variables, "inputs": inputs}, services)

    return read_inputs(flow.inputs, given, render)


def _store_files(
    flow: Flow, inputs: dict[str, JsonValue], files: FileStorage, execution_id: str
) -> tuple[dict[str, JsonValue], list[Problem]]:
    """Put local files given for FILE inputs into the internal storage; returns the inputs with their URIs."""
    problems = []
    for declared in flow.inputs:
        value = input_value(inputs, declared.id)
        if declared.type != "FILE" or not isinstance(value, str) or "://" in value:
            continue
        source = Path(value).expanduser()
        if not source.is_file():
            problems.append(
                Problem(f"there is no file {value!r}", path=f"inputs.{declared.id}", hint="give the path of a file")
            )
            continue
        folder = f"{flow.namespace.replace('.', '/')}/{flow.id}/executions/{execution_id}/inputs/{declared.id}"
        inputs = with_input(inputs, declared.id, files.put_file(f"{folder}/{source.name}", source))
    return inputs, problems


def _with_secrets_encrypted(
    flow: Flow, inputs: dict[str, JsonValue], encrypt: Callable[[str], str]
) -> dict[str, JsonValue]:
    for declared in flow.inputs:
        value = input_value(inputs, declared.id) if declared.type == "SECRET" else None
        if isinstance(value, str):
            inputs = with_input(inputs, declared.id, encrypt(value))
    return inputs
