"""Executions of a home and their logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict

from nbflow.cli.live import KILL_SECONDS
from nbflow.cli.options import UsageError
from nbflow.cli.places import LogQuery, Row, Wanted
from nbflow.engine import Engine
from nbflow.errors import WaitTimeoutError
from nbflow.model.events import LogWritten
from nbflow.model.execution import Execution as Record
from nbflow.model.state import State
from nbflow.model.task import LogLevel


class LocalExecutions:
    """What can be asked about the executions of a home, wherever they run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, wanted: Wanted, limit: int) -> list[Row]:
        states: list[str] = [_state(name) for name in wanted.states]
        found = self._engine.executions(wanted.namespace, wanted.flow, states or None, dict(wanted.labels), limit=limit)
        return [execution.to_dict() for execution in found]

    def get(self, execution_id: str) -> Row:
        return self._engine.execution(execution_id).to_dict()

    def kill(self, execution_id: str) -> Row:
        execution = self._engine.kill(execution_id)
        with suppress(WaitTimeoutError):  # it is asked to end; its state says how far that has come
            self._engine.wait(execution.id, timeout=KILL_SECONDS)
        return execution.refresh().to_dict()

    def pause(self, execution_id: str) -> Row:
        return self._engine.pause(execution_id).to_dict()

    def delete(self, execution_id: str) -> None:
        self._engine.delete_execution(execution_id)

    def logs(self, execution_id: str, level: str | None = None, task: str | None = None) -> list[Row]:
        execution = self._engine.execution(execution_id)
        least = None if level is None else LogLevel(level)
        return [entry.to_dict(execution.record) for entry in execution.logs(least, task)]

    def follow_logs(self, execution_id: str) -> Iterator[Row]:
        execution = self._engine.execution(execution_id)
        for _, event in self._engine.events(execution.id):
            if isinstance(event, LogWritten):
                yield event.entry.to_dict(execution.record)

    def set_labels(self, execution_id: str, labels: Mapping[str, str]) -> Row:
        return self._engine.set_labels(execution_id, labels).to_dict()

    def change_status(self, execution_id: str, state: str) -> Row:
        return self._engine.change_status(execution_id, _state(state)).to_dict()

    def evaluate(self, execution_id: str, text: str, task: str | None) -> str:
        return self._engine.render(text, execution_id, task=task)

    def read_file(self, execution_id: str, uri: str) -> bytes:
        self._engine.execution(execution_id)
        return self._engine.read_file(uri)

    def metrics(self, execution_id: str, task: str | None) -> list[Row]:
        found = self._engine.execution(execution_id).metrics(task)
        return [{**asdict(metric), "taskId": metric.task_id, "taskRunId": metric.task_run_id} for metric in found]


def search_logs(engine: Engine, query: LogQuery) -> list[Row]:
    """Log lines of all executions, newest first."""
    found = engine.store.logs.search(
        namespace_prefix=query.namespace,
        flow_id=query.flow,
        execution_id=query.execution,
        task_id=query.task,
        trigger_id=query.trigger,
        min_level=None if query.level is None else LogLevel(query.level),
        after=query.start,
        before=query.end,
        q=query.text,
        limit=query.limit,
        offset=(query.page - 1) * query.limit,
    )
    records: dict[str, Record] = {}
    for entry in found:
        if entry.execution_id not in records:
            records[entry.execution_id] = engine.record(entry.execution_id)
    return [entry.to_dict(records[entry.execution_id]) for entry in found]


def _state(name: str) -> State:
    try:
        return State(name.upper())
    except ValueError:
        raise UsageError(f"there is no state `{name}`", hint=f"there are {', '.join(State)}") from None
