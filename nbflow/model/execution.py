"""What has happened: executions, task runs, attempts, log lines and metrics, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from nbflow.model.durations import format_duration
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.types import JsonValue

NO_OUTPUTS: Mapping[str, JsonValue] = {}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a task run. `log_file` is the URI of its log, when that is not in the history."""

    history: StateHistory
    log_file: str | None = None

    @property
    def state(self) -> State:
        return self.history.current

    @property
    def start(self) -> datetime:
        return self.history.start

    @property
    def end(self) -> datetime | None:
        return self.history.end

    def move(self, state: State, now: datetime) -> Attempt:
        return replace(self, history=self.history.move(state, now))

    def to_dict(self, now: datetime) -> dict[str, JsonValue]:
        shape: dict[str, JsonValue] = {"state": state_to_dict(self.history, now)}
        return shape if self.log_file is None else {**shape, "logFile": self.log_file}


@dataclass(frozen=True, slots=True)
class TaskRun:
    """A task within one execution.

    `value` is the item of a loop's direct child, `iteration` its number from 0.
    """

    id: str
    execution_id: str
    task_id: str
    history: StateHistory
    parent_task_run_id: str | None = None
    value: str | None = None
    iteration: int | None = None
    attempts: tuple[Attempt, ...] = ()
    outputs: Mapping[str, JsonValue] = field(default_factory=dict)
    dynamic: bool = False

    @property
    def state(self) -> State:
        return self.history.current

    @property
    def start(self) -> datetime:
        return self.history.start

    @property
    def end(self) -> datetime | None:
        return self.history.end

    def move(self, state: State, now: datetime) -> TaskRun:
        return replace(self, history=self.history.move(state, now))

    def to_dict(self, execution: Execution, now: datetime) -> dict[str, JsonValue]:
        """Kestra's JSON of a task run."""
        shape: dict[str, JsonValue] = {
            "id": self.id,
            "tenantId": "main",
            "executionId": self.execution_id,
            "namespace": execution.namespace,
            "flowId": execution.flow_id,
            "taskId": self.task_id,
            "state": state_to_dict(self.history, now),
            "attempts": [attempt.to_dict(now) for attempt in self.attempts],
            "outputs": dict(self.outputs),
            "dynamic": self.dynamic,
        }
        optional = {"parentTaskRunId": self.parent_task_run_id, "value": self.value, "iteration": self.iteration}
        shape.update({key: value for key, value in optional.items() if value is not None})
        return shape


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of a flow, without its task runs: those are records of their own."""

    id: str
    namespace: str
    flow_id: str
    flow_revision: int
    history: StateHistory
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    outputs: Mapping[str, JsonValue] = field(default_factory=dict)
    labels: tuple[tuple[str, str], ...] = ()
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    trigger: Mapping[str, JsonValue] | None = None
    parent_id: str | None = None
    parent_task_run_id: str | None = None
    original_id: str | None = None
    schedule_date: datetime | None = None
    kind: str | None = None
    attempt_number: int = 1

    @property
    def state(self) -> State:
        return self.history.current

    @property
    def start(self) -> datetime:
        return self.history.start

    @property
    def end(self) -> datetime | None:
        return self.history.end

    def move(self, state: State, now: datetime) -> Execution:
        return replace(self, history=self.history.move(state, now))

    def to_dict(self, now: datetime, task_runs: list[TaskRun] | None = None) -> dict[str, JsonValue]:
        """Kestra's JSON of an execution; without `taskRunList` when `task_runs` is None."""
        shape: dict[str, JsonValue] = {
            "id": self.id,
            "tenantId": "main",
            "namespace": self.namespace,
            "flowId": self.flow_id,
            "flowRevision": self.flow_revision,
            "state": state_to_dict(self.history, now),
            "originalId": self.original_id or self.id,
            "deleted": False,
            "metadata": {"attemptNumber": self.attempt_number, "originalCreatedDate": instant(self.start)},
            "labels": [{"key": key, "value": value} for key, value in self.labels],
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "variables": dict(self.variables),
        }
        optional: dict[str, JsonValue] = {
            "trigger": dict(self.trigger) if self.trigger is not None else None,
            "parentId": self.parent_id,
            "scheduleDate": instant(self.schedule_date) if self.schedule_date else None,
            "kind": self.kind,
        }
        shape.update({key: value for key, value in optional.items() if value is not None})
        if task_runs is not None:
            shape["taskRunList"] = [run.to_dict(self, now) for run in task_runs]
        return shape


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line that a task wrote. `seq` counts the entries of an execution from 1."""

    execution_id: str
    seq: int
    timestamp: datetime
    level: LogLevel
    message: str
    task_id: str | None = None
    task_run_id: str | None = None
    attempt_number: int | None = None

    def to_dict(self, execution: Execution) -> dict[str, JsonValue]:
        """Kestra's JSON of a log entry."""
        shape: dict[str, JsonValue] = {
            "tenantId": "main",
            "namespace": execution.namespace,
            "flowId": execution.flow_id,
            "executionId": self.execution_id,
            "timestamp": instant(self.timestamp),
            "level": str(self.level),
            "message": self.message,
        }
        optional = {"taskId": self.task_id, "taskRunId": self.task_run_id, "attemptNumber": self.attempt_number}
        shape.update({key: value for key, value in optional.items() if value is not None})
        return shape


@dataclass(frozen=True, slots=True)
class Metric:
    """A number that a task run reported: a counter, or a timer in milliseconds."""

    execution_id: str
    task_id: str
    task_run_id: str
    type: str
    name: str
    value: float
    timestamp: datetime
    tags: Mapping[str, str] = field(default_factory=dict)


def instant(moment: datetime) -> str:
    """An instant as ISO 8601 UTC with milliseconds or finer and `Z`."""
    return moment.isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds").replace(
        "+00:00", "Z"
    )


def state_to_dict(history: StateHistory, now: datetime) -> dict[str, JsonValue]:
    """Kestra's JSON of a state. The `get…` keys repeat others: one line of its clients requires them."""
    start, end = instant(history.start), history.end
    duration = format_duration(history.duration(now))
    shape: dict[str, JsonValue] = {
        "current": str(history.current),
        "histories": [{"state": str(state), "date": instant(since)} for state, since in history.moves],
        "duration": duration,
        "startDate": start,
        "getDuration": duration,
        "getStartDate": start,
        "getEndDate": instant(end or now),
    }
    if end is not None:
        shape["endDate"] = instant(end)
    return shape
