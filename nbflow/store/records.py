"""How records become rows and rows become records: JSON, instants, state histories.

Encoding is on the hot path of every task, so it avoids what it can: one JSON encoder is kept, an empty object is
NULL, histories are put together as text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from nbflow.errors import StoreError
from nbflow.model.execution import Attempt, Execution, LogEntry, Metric, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.types import JsonValue

Row = tuple[object, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STATES: dict[str, State] = {str(state): state for state in State}
_LEVELS = tuple(LogLevel)
_RANKS = {level: rank for rank, level in enumerate(_LEVELS)}


def to_micros(moment: datetime) -> int:
    """An instant as whole microseconds since 1970, UTC."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The instant of a number of microseconds since 1970, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def optional_micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def optional_instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _plain(value: object) -> object:
    """What the JSON encoder asks for a value that it does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is no JSON value")


# ASCII only: a lone surrogate or a NUL in a user's text then passes through every database as an escape.
_encode = json.JSONEncoder(separators=(",", ":"), default=_plain).encode


def to_json(value: object, what: str) -> str:
    """Compact JSON. Raises: StoreError naming `what` when the value cannot be written as JSON."""
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError) as cause:
        raise StoreError(f"{what} cannot be written as JSON: {cause}") from cause


def json_size(value: object) -> int:
    """How many bytes a value takes in the history. Raises: StoreError when it cannot be written as JSON."""
    return len(to_json(value, "what was put out"))


def object_to_json(value: Mapping[str, JsonValue], what: str) -> str | None:
    """A JSON object as text; None when it is empty."""
    return to_json(value, what) if value else None


def object_from_json(text: str | None) -> dict[str, JsonValue]:
    return {} if text is None else cast("dict[str, JsonValue]", json.loads(text))


def storable(text: str) -> str:
    """The text without what a database cannot hold: NUL characters and halves of surrogate pairs."""
    if "\x00" in text:
        text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def _history_to_json(history: StateHistory) -> str:
    return "[" + ",".join([f'["{state}",{to_micros(since)}]' for state, since in history.moves]) + "]"


def _history_from_lists(moves: list[Any]) -> StateHistory:  # Any: what json.loads gives for a text we wrote
    return StateHistory(tuple([(_STATES[state], from_micros(since)) for state, since in moves]))


def _attempt_to_json(attempt: Attempt) -> str:
    moves = _history_to_json(attempt.history)
    return moves if attempt.log_file is None else f'{{"moves":{moves},"logFile":{_encode(attempt.log_file)}}}'


def _attempt_from_json(attempt: Any) -> Attempt:  # Any: as above; an attempt is its moves, or says more beside them
    if isinstance(attempt, dict):
        return Attempt(_history_from_lists(attempt["moves"]), attempt["logFile"])
    return Attempt(_history_from_lists(attempt))


def execution_to_row(execution: Execution, seq: int, owner: str | None) -> Row:
    """A row in the order of the columns of `tables.executions`."""
    what = f"execution {execution.id}"
    history, trigger = execution.history, execution.trigger
    end = history.end
    return (
        execution.id,
        execution.namespace,
        execution.flow_id,
        execution.flow_revision,
        str(history.current),
        to_micros(history.start),
        None if end is None else to_micros(end),
        seq,
        owner,
        _history_to_json(history),
        to_json(execution.labels, f"the labels of {what}") if execution.labels else None,
        object_to_json(execution.inputs, f"the inputs of {what}"),
        object_to_json(execution.outputs, f"the outputs of {what}"),
        object_to_json(execution.variables, f"the variables of {what}"),
        None if trigger is None else to_json(trigger, f"the trigger of {what}"),
        None if trigger is None else _text_or_none(trigger.get("id")),
        execution.parent_id,
        execution.parent_task_run_id,
        execution.original_id,
        optional_micros(execution.schedule_date),
        _text_or_none(execution.kind),
        execution.attempt_number,
    )


def _text_or_none(value: JsonValue) -> str | None:
    return storable(value) if isinstance(value, str) else None


def execution_from_row(row: Any) -> Execution:  # Any: SQLAlchemy names a row's columns as attributes
    return Execution(
        id=row.id,
        namespace=row.namespace,
        flow_id=row.flow_id,
        flow_revision=row.flow_revision,
        history=_history_from_lists(json.loads(row.history)),
        inputs=object_from_json(row.inputs),
        outputs=object_from_json(row.outputs),
        labels=() if row.labels is None else tuple([(key, value) for key, value in json.loads(row.labels)]),
        variables=object_from_json(row.variables),
        trigger=None if row.trigger_data is None else object_from_json(row.trigger_data),
        parent_id=row.parent_id,
        parent_task_run_id=row.parent_task_run_id,
        original_id=row.original_id,
        schedule_date=optional_instant(row.schedule_date),
        kind=row.kind,
        attempt_number=row.attempt_number,
    )


def task_run_to_row(run: TaskRun, seq: int) -> Row:
    """A row in the order of the columns of `tables.task_runs`."""
    attempts = run.attempts
    return (
        run.execution_id,
        run.id,
        seq,
        run.task_id,
        str(run.history.current),
        _history_to_json(run.history),
        run.parent_task_run_id,
        None if run.value is None else storable(run.value),
        run.iteration,
        "[" + ",".join([_attempt_to_json(attempt) for attempt in attempts]) + "]" if attempts else None,
        to_json(run.outputs, f"the outputs of task {run.task_id}") if run.outputs else None,
        run.dynamic,
    )


def task_run_from_row(row: Any) -> TaskRun:  # Any: as for an execution
    return TaskRun(
        id=row.id,
        execution_id=row.execution_id,
        task_id=row.task_id,
        history=_history_from_lists(json.loads(row.history)),
        parent_task_run_id=row.parent_task_run_id,
        value=row.value,
        iteration=row.iteration,
        attempts=()
        if row.attempts is None
        else tuple([_attempt_from_json(attempt) for attempt in json.loads(row.attempts)]),
        outputs=object_from_json(row.outputs),
        dynamic=bool(row.dynamic),
    )


def log_to_row(entry: LogEntry) -> Row:
    """A row in the order of the columns of `tables.logs`."""
    return (
        entry.execution_id,
        entry.seq,
        to_micros(entry.timestamp),
        _RANKS[entry.level],
        storable(entry.message),
        entry.task_id,
        entry.task_run_id,
        entry.attempt_number,
    )


def log_from_row(row: Any) -> LogEntry:  # Any: as for an execution
    return LogEntry(
        execution_id=row.execution_id,
        seq=row.seq,
        timestamp=from_micros(row.at),
        level=_LEVELS[row.level],
        message=row.message,
        task_id=row.task_id,
        task_run_id=row.task_run_id,
        attempt_number=row.attempt_number,
    )


def metric_to_row(metric: Metric) -> Row:
    """A row in the order of the columns of `tables.metrics`, without its number."""
    return (
        metric.execution_id,
        metric.task_id,
        metric.task_run_id,
        metric.type,
        storable(metric.name),
        float(metric.value),
        to_micros(metric.timestamp),
        object_to_json(dict(metric.tags), f"the tags of metric {metric.name}"),
    )


def metric_from_row(row: Any) -> Metric:  # Any: as for an execution
    return Metric(
        execution_id=row.execution_id,
        task_id=row.task_id,
        task_run_id=row.task_run_id,
        type=row.type,
        name=row.name,
        value=row.value,
        timestamp=from_micros(row.at),
        tags=cast("dict[str, str]", object_from_json(row.tags)),
    )
