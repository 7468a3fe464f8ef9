"""What a new execution starts with: its inputs, read and stored, and its labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nbflow.clock import Clock
from nbflow.engine.live.given import handed_in
from nbflow.engine.services import NamespaceServices
from nbflow.engine.variables import execution_variables, namespace_variables
from nbflow.errors import ConflictError, InputError, Problem
from nbflow.expressions import default_environment
from nbflow.model.execution import Execution
from nbflow.model.flow import Check, CheckBehavior, CheckStyle, Flow
from nbflow.model.inputs import Input, input_value, read_inputs, with_input
from nbflow.model.labels import SYSTEM
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.plugins import FileStorage
from nbflow.plugins.truth import is_true
from nbflow.store import Store
from nbflow.types import JsonValue, new_id

CORRELATION = "system.correlationId"
_LEVELS = {
    CheckStyle.ERROR: LogLevel.ERROR,
    CheckStyle.WARNING: LogLevel.WARN,
    CheckStyle.SUCCESS: LogLevel.INFO,
    CheckStyle.INFO: LogLevel.INFO,
}


@dataclass(frozen=True, slots=True)
class Start:
    """A new execution, and what its log begins with."""

    execution: Execution
    notes: list[tuple[LogLevel, str]] = field(default_factory=list)


def check_labels(labels: Mapping[str, str]) -> None:
    """Raises: InputError for labels that only the engine may give; a correlation id may come from outside."""
    problems = [
        Problem(
            f"the label `{key}` cannot be set: `{SYSTEM}*` belongs to nbflow", path="labels", hint="choose another key"
        )
        for key in labels
        if key.startswith(SYSTEM) and key != CORRELATION
    ]
    if problems:
        raise InputError("the labels are not valid", problems)


def new_execution(
    flow: Flow,
    given: Mapping[str, object],
    labels: Mapping[str, str],
    store: Store,
    clock: Clock,
    *,
    execution_id: str | None = None,
    trigger: Mapping[str, JsonValue] | None = None,
    parent: Execution | None = None,
    parent_task_run_id: str | None = None,
    kind: str | None = None,
    schedule_date: datetime | None = None,
) -> Start:
    """A new execution with its inputs read.

    Files given for FILE inputs are stored, the values of SECRET inputs encrypted.
    Raises: InputError with every problem of the inputs; ConflictError when a check of the flow blocks it.
    """
    execution_id = execution_id or new_id()
    correlation = dict(parent.labels).get(CORRELATION) if parent is not None else None
    all_labels = {**flow.label_map, **labels, CORRELATION: correlation or labels.get(CORRELATION) or execution_id}
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
    if not (flow.inputs or flow.checks or given):  # nothing to read, and nothing to render
        return Start(execution)
    render = _renderer(flow, execution, store, clock)
    with handed_in(flow.inputs, given) as (plain, refused):  # data frames and the like become files, or JSON
        inputs, problems, unknown = read_inputs(flow.inputs, plain, render)
        problems = [*refused, *(problem for problem in problems if problem.path not in {one.path for one in refused})]
        if not problems:
            inputs, problems = _store_files(flow.inputs, inputs, store.files, f"{_folder(execution)}/inputs")
    if problems:
        raise InputError(f"the inputs of {flow.uid} are not valid", problems)
    start = Start(replace(execution, inputs=_with_secrets_encrypted(flow, inputs, store.secrets.encrypt)))
    start.notes.extend((LogLevel.WARN, f"the flow has no input `{name}`: it was left out") for name in unknown)
    for check in flow.checks:
        start = _checked(start, check, lambda text: render(text, inputs), clock)
    return start


def try_inputs(
    flow: Flow, given: Mapping[str, object], store: Store, clock: Clock
) -> tuple[dict[str, JsonValue], list[Problem], Callable[[Input], bool]]:
    """What inputs would be read as, every problem, and whether an input is asked for; nothing is stored."""
    now = clock.now()
    execution = Execution(new_id(), flow.namespace, flow.id, flow.revision or 1, StateHistory.begin(now))
    with handed_in(flow.inputs, given) as (plain, refused):
        values, problems, _ = read_inputs(flow.inputs, plain, _renderer(flow, execution, store, clock))
    found = [*refused, *problems]
    wrong = {problem.path for problem in found}

    def is_asked(declared: Input) -> bool:
        first = declared.id.partition(".")[0]
        return declared.depends_on is None or first in values or f"inputs.{declared.id}" in wrong

    return values, found, is_asked


def read_answers(
    flow: Flow, execution: Execution, asked: Sequence[Input], given: Mapping[str, object], store: Store, clock: Clock
) -> dict[str, JsonValue]:
    """What somebody answers to inputs that a task asks for; local files given for FILE inputs are stored.

    Raises: InputError with every problem.
    """
    render = _renderer(flow, execution, store, clock)
    everything = dict(execution.inputs)
    with handed_in(asked, given) as (plain, refused):
        answers, problems, unknown = read_inputs(
            asked, plain, lambda text, inputs: render(text, {**everything, **inputs})
        )
        problems = [*refused, *(problem for problem in problems if problem.path not in {one.path for one in refused})]
        problems += [Problem(f"there is no input `{name}` here", path=f"inputs.{name}") for name in unknown]
        if not problems:
            answers, problems = _store_files(asked, answers, store.files, f"{_folder(execution)}/onResume")
    if problems:
        raise InputError("the inputs to resume with are not valid", problems)
    return answers


def _renderer(
    flow: Flow, execution: Execution, store: Store, clock: Clock
) -> Callable[[str, Mapping[str, JsonValue]], object]:
    """Renders texts with what expressions see before the first task, and the inputs so far."""
    environment = default_environment()
    services = NamespaceServices(flow.namespace, store, clock, lambda secret: None)
    variables = {
        **execution_variables(flow, execution, {}, {}, store.settings),
        "namespace": namespace_variables(flow.namespace, store.namespaces.variables),
    }

    def render(text: str, inputs: Mapping[str, JsonValue]) -> object:
        return environment.render_typed(text, {**variables, "inputs": inputs}, services)

    return render


def _checked(start: Start, check: Check, render: Callable[[str], object], clock: Clock) -> Start:
    """What a check of the flow makes of a new execution. Raises: ConflictError when it blocks it."""
    if is_true(render(check.condition)):
        return start
    said = str(render(check.message)) if check.message else f"the check `{check.condition}` does not hold"
    if check.behavior is CheckBehavior.BLOCK_EXECUTION:
        raise ConflictError(said, hint="a check of the flow refuses this execution")
    start.notes.append((_LEVELS[check.style], said))
    if check.behavior is CheckBehavior.FAIL_EXECUTION and not start.execution.state.is_terminal:
        return replace(start, execution=start.execution.move(State.FAILED, clock.now()))
    return start


def _folder(execution: Execution) -> str:
    """Where files of an execution are stored."""
    return f"{execution.namespace.replace('.', '/')}/{execution.flow_id}/executions/{execution.id}"


def _store_files(
    asked: Sequence[Input], inputs: dict[str, JsonValue], files: FileStorage, folder: str
) -> tuple[dict[str, JsonValue], list[Problem]]:
    """Put local files given for FILE inputs into the internal storage; returns the inputs with their URIs."""
    problems = []
    for declared in asked:
        value = input_value(inputs, declared.id)
        if declared.type != "FILE" or not isinstance(value, str) or "://" in value:
            continue
        source = Path(value).expanduser()
        if not source.is_file():
            problems.append(
                Problem(f"there is no file {value!r}", path=f"inputs.{declared.id}", hint="give the path of a file")
            )
            continue
        stored = files.put_file(f"{folder}/{declared.id}/{source.name}", source)
        inputs = with_input(inputs, declared.id, stored)
    return inputs, problems


def _with_secrets_encrypted(
    flow: Flow, inputs: dict[str, JsonValue], encrypt: Callable[[str], str]
) -> dict[str, JsonValue]:
    for declared in flow.inputs:
        value = input_value(inputs, declared.id) if declared.type == "SECRET" else None
        if isinstance(value, str):
            inputs = with_input(inputs, declared.id, encrypt(value))
    return inputs
