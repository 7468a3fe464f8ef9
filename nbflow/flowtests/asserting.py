"""Asks the assertions of a case about the execution that it led to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbflow.clock import Clock
from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.engine.rendering import Renderer, variables_now
from nbflow.engine.services import ExecutionServices
from nbflow.engine.variables import task_run_variables
from nbflow.errors import NbflowError, UndefinedNameError
from nbflow.flowtests.comparing import CHECKS, WORDS, plain, text_of
from nbflow.flowtests.loading import LoadedSuite
from nbflow.flowtests.results import Checked
from nbflow.flowtests.suite import Assertion
from nbflow.model.base import yaml_name
from nbflow.model.execution import Execution, LogEntry, TaskRun, instant
from nbflow.model.flow import Flow
from nbflow.source.document import Path
from nbflow.store import Store
from nbflow.types import JsonValue


@dataclass(frozen=True, slots=True)
class Ran:
    """An execution that has ended, with all that happened in it."""

    flow: Flow
    execution: Execution
    task_runs: Sequence[TaskRun]
    logs: Sequence[LogEntry]
    files: Mapping[str, str]


class Judge:
    """Renders and compares with what expressions see after an execution.

    Beside what a task sees these are `states` (state by task; of rounds of a loop by value), `taskruns`, `logs`,
    `files`, and in `execution` also `outputs` and `state`.
    """

    def __init__(self, ran: Ran, store: Store, clock: Clock) -> None:
        self._ran = ran
        self._history = History(
            ran.execution, ran.task_runs, owner="", last_seq=0, writer=store.writer, hub=Hub(), clock=clock
        )
        self._services = ExecutionServices(self._history, store, "")
        variables = variables_now(ran.flow, self._history, store, self._services)
        execution = variables["execution"]
        assert isinstance(execution, dict)
        runs = [_run_shape(run) for run in ran.task_runs]
        self._variables: dict[str, object] = {
            **variables,
            "execution": {**execution, "outputs": dict(ran.execution.outputs), "end": _moment(ran.execution)},
            "states": _states(self._history.states.tree),
            "taskruns": runs,
            "taskRuns": runs,
            "logs": [entry.to_dict(ran.execution) for entry in ran.logs],
            "files": dict(ran.files),
        }

    def checked(self, assertion: Assertion, loaded: LoadedSuite, path: Path) -> Iterator[Checked]:
        """The outcome of each operator of an assertion; `path` is where that is written."""
        renderer = self._renderer(assertion.task_id)
        for name in assertion.asked:
            place = loaded.place((*path, yaml_name(name)), at_key=True)
            if name == "equal_to" or name == "not_equal_to":
                place = loaded.place((*path, _spelled(loaded, path, name)), at_key=True)
            expected: JsonValue = getattr(assertion, name)
            subject, actual, holds, message = "", None, False, ""
            try:
                if name in CHECKS:
                    subject = text_of(assertion.value)
                    actual = self._value(renderer, assertion.value, may_miss=name in ("is_null", "is_not_null"))
                    expected = plain(renderer.value(expected, keeps_types=True))
                    holds = CHECKS[name](actual, expected)
                    if not holds:
                        message = _message(name, subject, expected, actual)
                else:
                    subject, actual, holds, message = self._short(name, assertion)
                    expected = plain(expected)
            except NbflowError as error:
                message = f"cannot be rendered: {error}"
            except ValueError as error:
                message = str(error)
            yield Checked(
                operator=yaml_name(name),
                expected=self._masked(expected),
                actual=self._masked(actual),
                is_success=holds,
                subject=subject,
                message="" if holds else self._history.masked(self._said(renderer, assertion) or message),
                description=assertion.description,
                task_id=assertion.task_id,
                line=place.line,
                column=place.column,
            )

    def _renderer(self, task_id: str | None) -> Renderer:
        run = next((run for run in reversed(self._ran.task_runs) if run.task_id == task_id), None)
        if run is None:
            return Renderer(self._variables, self._services)
        kind = next((task.type for task in self._ran.flow.all_tasks() if task.id == task_id), "")
        own = task_run_variables(run.task_id, kind, run, self._history.ancestors(run))
        return Renderer({**self._variables, **own}, self._services)

    def _value(self, renderer: Renderer, value: JsonValue, *, may_miss: bool) -> JsonValue:
        try:
            return plain(renderer.value(value, keeps_types=True))
        except UndefinedNameError:
            if may_miss:
                return None
            raise

    def _said(self, renderer: Renderer, assertion: Assertion) -> str:
        """What the author wants to be said."""
        try:
            return renderer.text(assertion.error_message)
        except NbflowError:
            return assertion.error_message

    def _short(self, name: str, assertion: Assertion) -> tuple[str, JsonValue, bool, str]:
        """What a short form is about, what is there, whether it holds, and what to say if not."""
        task = assertion.task_id
        runs = [run for run in self._ran.task_runs if task in (None, run.task_id)]
        of_task = f" of {task}" if task else ""
        if name == "task_runs":
            message = f"expected {assertion.task_runs} task runs{of_task}, there are {len(runs)}"
            return f"task runs{of_task}", len(runs), len(runs) == assertion.task_runs, message
        if name == "state":
            return self._state(assertion, runs)
        wanted = str(assertion.log if name == "log" else assertion.no_log)
        lines = [entry.message for entry in self._ran.logs if task in (None, entry.task_id)]
        found: list[JsonValue] = [line for line in lines if wanted in line]
        last: list[JsonValue] = [*lines[-5:]]
        if name == "log":
            message = f"expected a line of the log{of_task} with {wanted!r}, there are {len(lines)} others"
            return f"log{of_task}", found[:1] or last, bool(found), message
        message = f"expected no line of the log{of_task} with {wanted!r}, there are {len(found)}"
        return f"log{of_task}", found[:5], not found, message

    def _state(self, assertion: Assertion, runs: Sequence[TaskRun]) -> tuple[str, JsonValue, bool, str]:
        wanted = assertion.state if isinstance(assertion.state, list) else [assertion.state]
        words = " or ".join(str(state) for state in wanted)
        if assertion.task_id is None:
            state = self._ran.execution.state
            return "state of the execution", str(state), state in wanted, f"expected {words}, it ended as {state}"
        subject = f"state of {assertion.task_id}"
        if not runs:
            return subject, None, False, f"expected {words}, but {assertion.task_id} was not reached"
        states = list(dict.fromkeys(str(run.state) for run in runs))
        actual: JsonValue = states[0] if len(states) == 1 else list(states)
        is_so = all(run.state in wanted for run in runs)
        return subject, actual, is_so, f"expected {words}, it ended as {', '.join(states)}"

    def _masked(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self._history.masked(value)
        if isinstance(value, list):
            return [self._masked(item) for item in value]
        if isinstance(value, dict):
            return {key: self._masked(item) for key, item in value.items()}
        return value


def _message(name: str, subject: str, expected: JsonValue, actual: JsonValue) -> str:
    if name in ("is_null", "is_not_null"):
        wanted = "null" if (name == "is_null") is bool(expected) else "not null"
        return f"expected {subject} to be {wanted}, it is {text_of(actual)}"
    return f"expected {subject} {WORDS[name]} {text_of(expected)}, it is {text_of(actual)}"


def _spelled(loaded: LoadedSuite, path: Path, name: str) -> str:
    """The spelling of `equalTo` in the text: `equalsTo` is as good."""
    value: object = loaded.document.value
    for step in path:
        value = value[step]  # type: ignore[index]  # the path is one of this document
    plain_name = yaml_name(name)
    other = plain_name.replace("qualTo", "qualsTo")
    return other if isinstance(value, Mapping) and other in value else plain_name


def _states(tree: Mapping[str, object]) -> dict[str, object]:
    """State by task id; of a task in rounds, by value below that."""
    found: dict[str, object] = {}
    for name, branch in tree.items():
        if isinstance(branch, Mapping):
            state = branch.get("state")
            found[name] = state if isinstance(state, str) else _states(branch)
    return found


def _run_shape(run: TaskRun) -> dict[str, object]:
    return {
        "id": run.id,
        "taskId": run.task_id,
        "state": str(run.state),
        "value": run.value,
        "iteration": run.iteration,
        "parentTaskRunId": run.parent_task_run_id,
        "outputs": dict(run.outputs),
        "attemptsCount": len(run.attempts),
    }


def _moment(execution: Execution) -> str | None:
    return instant(execution.end) if execution.end is not None else None
