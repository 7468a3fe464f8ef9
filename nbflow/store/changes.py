"""What the writer can be given to write: one frozen record for each kind of change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nbflow.model.execution import Execution, LogEntry, Metric, TaskRun


@dataclass(frozen=True, slots=True)
class SaveExecution:
    """An execution as it now is. `owner` is the engine that moves it, None when nobody does.

    `seq` counts the changes of one execution, its task runs and log lines together, from 1.
    """

    execution: Execution
    seq: int
    owner: str | None


@dataclass(frozen=True, slots=True)
class SaveTaskRun:
    """A task run as it now is; `seq` as for SaveExecution."""

    task_run: TaskRun
    seq: int


@dataclass(frozen=True, slots=True)
class AppendLog:
    """One more log line; its own `seq` places it among the changes of its execution."""

    entry: LogEntry


@dataclass(frozen=True, slots=True)
class AddMetric:
    """One more metric."""

    metric: Metric


@dataclass(frozen=True, slots=True)
class NoteStateChange:
    """An execution came to another state, the `number`-th it went through: Flow triggers are to be asked about it.

    `engine` is the one that asks them.
    """

    execution_id: str
    number: int
    at: datetime
    engine: str


Change = SaveExecution | SaveTaskRun | AppendLog | AddMetric | NoteStateChange
