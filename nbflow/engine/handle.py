"""The execution that users hold: live while it runs, fixed once it has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol, SupportsIndex, overload

from nbflow.engine.live import Outputs, TaskResult
from nbflow.engine.live.owning import reader_of
from nbflow.engine.live.views import Reader
from nbflow.errors import NotFoundError
from nbflow.model import execution as records
from nbflow.model.execution import LogEntry, Metric, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.store import Store
from nbflow.types import JsonValue


class Source(Protocol):
    """Where a handle reads from, and what it may ask for."""

    store: Store

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> Flow: ...
    def record(self, execution_id: str) -> records.Execution: ...
    def task_runs_of(self, execution_id: str) -> list[TaskRun]: ...
    def logs_of(
        self, execution_id: str, min_level: LogLevel | None, task_id: str | None, last: int | None
    ) -> list[LogEntry]: ...
    def metrics_of(self, execution_id: str) -> list[Metric]: ...
    def render(self, text: str, execution_id: str, *, task: str | None = None) -> str: ...
    def wait(self, execution_id: str, state: str | None = None, timeout: float | None = None) -> Execution: ...
    def kill(self, execution_id: str) -> Execution: ...
    def resume(self, execution_id: str, inputs: Mapping[str, object] | None = None) -> Execution: ...
    def restart(self, execution_id: str, *, revision: int | None = None) -> Execution: ...
    def replay(
        self,
        execution_id: str,
        task_run_id: str | None = None,
        *,
        revision: int | None = None,
        inputs: Mapping[str, object] | None = None,
    ) -> Execution: ...


class TaskRuns(list[TaskRun]):
    """Task runs in the order of their creation; `runs["query"]` is the last one of that task."""

    def __init__(self, runs: Iterable[TaskRun]) -> None:
        super().__init__(runs)

    @overload
    def __getitem__(self, key: str | SupportsIndex) -> TaskRun: ...
    @overload
    def __getitem__(self, key: slice) -> list[TaskRun]: ...
    def __getitem__(self, key: str | SupportsIndex | slice) -> TaskRun | list[TaskRun]:
        if not isinstance(key, str):
            return super().__getitem__(key)
        for run in reversed(self):
            if run.task_id == key:
                return run
        known = ", ".join(dict.fromkeys(run.task_id for run in self)) or "none"
        raise NotFoundError(f"there is no task run of `{key}`", hint=f"there are: {known}")


class Execution:
    """One run of a flow.

    Attributes are read from the history while the execution goes on; once it is terminal they stay as they are.
    Example: `ex = engine.run("company.team", "hello", wait=True); ex.state; ex.task_runs["query"].outputs`
    """

    def __init__(self, source: Source, record: records.Execution) -> None:
        self._source = source
        self._record = record
        self._task_runs: TaskRuns | None = None

    @property
    def record(self) -> records.Execution:
        """The execution as it stands now."""
        if not self._record.state.is_terminal:
            self._record = self._source.record(self._record.id)
        return self._record

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def namespace(self) -> str:
        return self._record.namespace

    @property
    def flow_id(self) -> str:
        return self._record.flow_id

    @property
    def flow_revision(self) -> int:
        return self._record.flow_revision

    @property
    def state(self) -> State:
        return self.record.state

    @property
    def inputs(self) -> Mapping[str, JsonValue]:
        return self._record.inputs

    @property
    def outputs(self) -> Outputs:
        """The flow's declared outputs, as a dictionary; those of a task as an attribute of its id, opened.

        Example: `ex.outputs["total"]`, `ex.outputs.extract.df`, `ex.outputs.export.outputFiles["a.csv"].df()`
        """
        return Outputs(self.record.outputs, self._reader, lambda: self.task_runs)

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.record.labels)

    @property
    def variables(self) -> Mapping[str, JsonValue]:
        return self.record.variables

    @property
    def trigger(self) -> Mapping[str, JsonValue] | None:
        return self._record.trigger

    @property
    def parent_id(self) -> str | None:
        return self._record.parent_id

    @property
    def original_id(self) -> str:
        return self._record.original_id or self._record.id

    @property
    def start(self) -> datetime:
        return self._record.start

    @property
    def end(self) -> datetime | None:
        return self.record.end

    @property
    def duration(self) -> timedelta:
        """How long it took, or has taken so far."""
        return self.record.history.duration(datetime.now(UTC))

    @property
    def task_runs(self) -> TaskRuns:
        """All task runs; `ex.task_runs["query"]` is the last one of the task `query`."""
        if self._task_runs is not None:
            return self._task_runs
        is_final = self.record.state.is_terminal
        runs = TaskRuns(self._source.task_runs_of(self.id))
        if is_final and all(run.state.is_terminal for run in runs):
            self._task_runs = runs
        return runs

    def __getitem__(self, task_id: str) -> TaskResult:
        """The last run of a task; `ex["extract"]["df"]` is what it put out, opened."""
        return TaskResult.of(self.task_runs[task_id], self._reader)

    @property
    def _reader(self) -> Reader:
        return reader_of(
            self._source.store.files, lambda: self._source.flow(self.namespace, self.flow_id, self.flow_revision)
        )

    def _ipython_key_completions_(self) -> list[str]:
        """What Tab offers behind `ex["`."""
        return list(dict.fromkeys(run.task_id for run in self.task_runs))

    def logs(
        self, min_level: LogLevel | str | None = None, task_id: str | None = None, last: int | None = None
    ) -> list[LogEntry]:
        """Log lines, oldest first: at or above a level, of one task, or only the `last` so many."""
        level = LogLevel(min_level.upper()) if isinstance(min_level, str) else min_level
        return self._source.logs_of(self.id, level, task_id, last)

    def metrics(self, task_id: str | None = None) -> list[Metric]:
        """Its numbers, of one task or of all: what tasks reported, and how long each took, waited and tried."""
        return [metric for metric in self._source.metrics_of(self.id) if task_id in (None, metric.task_id)]

    def render(self, text: str, *, task: str | None = None) -> str:
        """What a text with expressions comes to in it; as a property of a task when one is named."""
        return self._source.render(text, self.id, task=task)

    def wait(self, timeout: float | None = None) -> Execution:
        """Block until it has ended. Raises: WaitTimeoutError after `timeout` seconds; the execution goes on."""
        self._source.wait(self.id, timeout=timeout)
        return self

    def kill(self) -> Execution:
        """End it, and every process it started."""
        self._source.kill(self.id)
        return self

    def resume(self, inputs: Mapping[str, object] | None = None) -> Execution:
        """Let it go on after a pause, with the inputs that its Pause task asks for."""
        self._source.resume(self.id, inputs)
        return self

    def restart(self, *, revision: int | None = None) -> Execution:
        """Give its failed task runs another attempt."""
        self._source.restart(self.id, revision=revision)
        return self.refresh()

    def replay(
        self,
        task_run_id: str | None = None,
        *,
        revision: int | None = None,
        inputs: Mapping[str, object] | None = None,
    ) -> Execution:
        """Run it again as a new execution, from a task run on; returns that one."""
        return self._source.replay(self.id, task_run_id, revision=revision, inputs=inputs)

    def refresh(self) -> Execution:
        """Read everything again from the history, also when it had ended: it may have been restarted."""
        self._record = self._source.record(self.id)
        self._task_runs = None
        return self

    def snapshot(self) -> dict[str, JsonValue]:
        """Kestra's JSON of an execution as it stood when this was got, without its task runs; asks nobody."""
        return self._record.to_dict(datetime.now(UTC), [])

    def to_dict(self) -> dict[str, JsonValue]:
        """Kestra's JSON of an execution, with its task runs."""
        return self.record.to_dict(datetime.now(UTC), list(self.task_runs))

    def __repr__(self) -> str:
        return f"<Execution {self.id} {self.namespace}.{self.flow_id} {self.state}>"
