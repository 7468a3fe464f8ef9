"""What has just happened, for whoever watches: an engine publishes these in order."""

from __future__ import annotations

from dataclasses import dataclass

from nbflow.model.execution import Execution, LogEntry, Metric, TaskRun


@dataclass(frozen=True, slots=True)
class ExecutionChanged:
    """An execution was created or changed its state, outputs or labels."""

    execution: Execution

    @property
    def execution_id(self) -> str:
        return self.execution.id


@dataclass(frozen=True, slots=True)
class TaskRunChanged:
    """A task run was created, or changed its state, attempts or outputs."""

    task_run: TaskRun

    @property
    def execution_id(self) -> str:
        return self.task_run.execution_id


@dataclass(frozen=True, slots=True)
class LogWritten:
    """A task wrote a line."""

    entry: LogEntry

    @property
    def execution_id(self) -> str:
        return self.entry.execution_id


@dataclass(frozen=True, slots=True)
class MetricRecorded:
    """A task run reported a number."""

    metric: Metric

    @property
    def execution_id(self) -> str:
        return self.metric.execution_id


Event = ExecutionChanged | TaskRunChanged | LogWritten | MetricRecorded
