"""Kestra's JSON of an execution as records, so that what a server tells is shown as what a home holds."""

from __future__ import annotations

from datetime import UTC, datetime

from nbflow.cli.places import Row
from nbflow.model.execution import Attempt, Execution, Metric, TaskRun
from nbflow.model.state import State, StateHistory


def read_instant(text: str) -> datetime:
    """An instant of JSON: ISO 8601."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def read_execution(shape: Row) -> tuple[Execution, list[TaskRun]]:
    """The records of an execution and its task runs."""
    execution = Execution(
        shape["id"],
        shape["namespace"],
        shape["flowId"],
        int(shape["flowRevision"]),
        _history(shape["state"]),
        inputs=shape.get("inputs") or {},
        outputs=shape.get("outputs") or {},
        labels=tuple((label["key"], label["value"]) for label in shape.get("labels") or ()),
        trigger=shape.get("trigger"),
    )
    return execution, [_task_run(run) for run in shape.get("taskRunList") or ()]


def read_metric(shape: Row, execution_id: str) -> Metric:
    """The record of a number that a task reported."""
    return Metric(
        execution_id,
        shape["taskId"],
        shape["taskRunId"],
        shape["type"],
        shape["name"],
        float(shape["value"]),
        read_instant(shape["timestamp"]),
        shape.get("tags") or {},
    )


def _task_run(shape: Row) -> TaskRun:
    return TaskRun(
        shape["id"],
        shape["executionId"],
        shape["taskId"],
        _history(shape["state"]),
        parent_task_run_id=shape.get("parentTaskRunId"),
        value=shape.get("value"),
        iteration=shape.get("iteration"),
        attempts=tuple(Attempt(_history(attempt["state"])) for attempt in shape.get("attempts") or ()),
        outputs=shape.get("outputs") or {},
    )


def _history(shape: Row) -> StateHistory:
    moves = [(State(move["state"]), read_instant(move["date"])) for move in shape.get("histories") or ()]
    return StateHistory(tuple(moves) or ((State(shape["current"]), read_instant(shape["startDate"])),))
