"""Records of executions for the tests of views: made by hand, so that every instant is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nbflow.model.execution import Attempt, Execution, LogEntry, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.types import JsonValue

START = datetime(2024, 5, 1, 8, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant so many seconds after the start of the execution."""
    return START + timedelta(seconds=seconds)


def history(*moves: tuple[State, float]) -> StateHistory:
    return StateHistory(tuple((state, at(seconds)) for state, seconds in moves))


def execution(state: State = State.SUCCESS, end: float = 10, **more: object) -> Execution:
    moves = [(State.CREATED, 0.0), (State.RUNNING, 0.0)]
    if state is not State.RUNNING:
        moves.append((state, end))
    known = {"id": "exec1", "namespace": "company.team", "flow_id": "etl", "flow_revision": 3}
    return Execution(history=history(*moves), **{**known, **more})  # type: ignore[arg-type]


def task_run(
    task_id: str,
    start: float,
    end: float | None,
    state: State = State.SUCCESS,
    *,
    parent: str | None = None,
    value: str | None = None,
    outputs: dict[str, JsonValue] | None = None,
    run_id: str | None = None,
) -> TaskRun:
    """A task run with one attempt, that ran from `start` to `end`; None: it still runs."""
    moves = [(State.CREATED, start), (State.RUNNING, start)]
    if end is not None:
        moves.append((state, end))
    run_id = run_id or (task_id if value is None else f"{task_id}-{value}")
    tried = Attempt(history(*moves))
    return TaskRun(run_id, "exec1", task_id, tried.history, parent, value, None, (tried,), outputs or {})


def entry(seq: int, message: str, level: LogLevel = LogLevel.INFO, task_id: str | None = "extract") -> LogEntry:
    return LogEntry("exec1", seq, at(seq), level, message, task_id)
