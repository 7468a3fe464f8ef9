"""Executions, task runs and log lines for tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nbflow.model.execution import Attempt, Execution, LogEntry, Metric, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.types import new_id

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant so many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def history(*states: State, start: datetime = NOW) -> StateHistory:
    """A history that begins with CREATED and takes a second for each state."""
    moves = StateHistory.begin(start)
    for number, state in enumerate(states, start=1):
        moves = moves.move(state, start + timedelta(seconds=number))
    return moves


def execution(*states: State, id: str | None = None, start: datetime = NOW, **fields: Any) -> Execution:
    return Execution(
        **{
            "id": id or new_id(),
            "namespace": "company.team",
            "flow_id": "etl",
            "flow_revision": 1,
            "history": history(*states, start=start),
            **fields,
        }
    )


def task_run(execution_id: str, *states: State, id: str | None = None, **fields: Any) -> TaskRun:
    return TaskRun(
        **{
            "id": id or new_id(),
            "execution_id": execution_id,
            "task_id": "extract",
            "history": history(*states),
            **fields,
        }
    )


def log_entry(execution_id: str, seq: int, message: str = "hello", **fields: Any) -> LogEntry:
    return LogEntry(
        **{
            "execution_id": execution_id,
            "seq": seq,
            "timestamp": at(seq),
            "level": LogLevel.INFO,
            "message": message,
            **fields,
        }
    )


FULL_EXECUTION = execution(
    State.RUNNING,
    State.SUCCESS,
    inputs={"name": "Ada", "nested": {"list": [1, 2.5, None, True]}},
    outputs={"rows": 3},
    labels=(("team", "x"), ("ünïcode", "ß\N{SNOWMAN}")),
    variables={"v": 1},
    trigger={"id": "daily", "type": "schedule"},
    parent_id="parent",
    parent_task_run_id="parent-run",
    original_id="original",
    schedule_date=at(-60),
    kind="TEST",
    attempt_number=2,
)
FULL_TASK_RUN = task_run(
    FULL_EXECUTION.id,
    State.RUNNING,
    State.FAILED,
    parent_task_run_id="p",
    value="item \N{SNOWMAN}",
    iteration=7,
    attempts=(Attempt(history(State.RUNNING, State.FAILED)), Attempt(history(State.RUNNING), "kestra:///log")),
    outputs={"uri": "kestra:///a"},
    dynamic=True,
)
FULL_METRIC = Metric(FULL_EXECUTION.id, "extract", FULL_TASK_RUN.id, "timer", "duration", 12.5, NOW, {"unit": "ms"})
