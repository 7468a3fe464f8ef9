"""An execution as a view sees it: read once, then kept up to date with what the history says has changed."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.model.execution import Execution, LogEntry, TaskRun
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.widgets.values import Shown, outputs_of

LOG_LINES = 200
"""How many of the last lines a view keeps."""

LEAST_LEVEL = LogLevel.INFO
"""What a view shows of the log; `%flow logs` shows everything."""

_AFTER_EXECUTION = timedelta(seconds=10)
"""How long to wait for the next task of `afterExecution` to begin."""


@dataclass(slots=True)
class Changes:
    """What is new since the last look."""

    execution: bool = False
    task_runs: dict[str, TaskRun] = field(default_factory=dict)
    entries: list[LogEntry] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.execution or bool(self.task_runs) or bool(self.entries)


class Snapshot:
    """The records of one execution; `look` brings them up to date and says what is new.

    It reads the history, not the engine's events: that way it shows what other processes run as well, and nothing
    that could still be lost.
    """

    def __init__(self, engine: Engine, execution_id: str) -> None:
        self._engine = engine
        self._version = -1
        self._seq = engine.store.executions.last_seq(execution_id)
        self.execution: Execution = engine.record(execution_id)
        self._after = _tasks_after(engine, self.execution)
        self._runs = {run.id: run for run in engine.task_runs_of(execution_id)}
        lines = engine.logs_of(execution_id, LEAST_LEVEL, last=LOG_LINES)
        self.entries: deque[LogEntry] = deque(lines, maxlen=LOG_LINES)
        self._last_entry = self.entries[-1].seq if self.entries else 0

    @property
    def task_runs(self) -> list[TaskRun]:
        """In the order of their creation."""
        return list(self._runs.values())

    @property
    def outputs(self) -> list[Shown]:
        return outputs_of(self.execution.outputs, self.task_runs)

    @property
    def counts(self) -> dict[State, int]:
        """How many task runs stand in each state."""
        return dict(Counter(run.state for run in self._runs.values()))

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come: the execution has ended, and what runs after it has as well."""
        if self.execution.end is None:
            return False
        if not self._after:
            return True
        late = [run for run in self._runs.values() if run.task_id in self._after]
        if any(not run.state.is_terminal for run in late):
            return False
        if len(late) >= len(self._after) or any(run.state.is_failure for run in late):
            return True
        return datetime.now(UTC) - self.execution.end > _AFTER_EXECUTION  # whoever ran it is gone

    def look(self) -> Changes:
        """Read what has changed. Cheap when nothing has."""
        changes = Changes()
        version = self._engine.store.data_version()
        if version == self._version:
            return changes
        self._version = version
        for seq, record in self._engine.store.executions.changes(self.execution.id, self._seq):
            self._seq = max(self._seq, seq)
            if isinstance(record, Execution):
                self.execution = record
                changes.execution = True
            elif isinstance(record, TaskRun):
                self._runs[record.id] = record
                changes.task_runs[record.id] = record
            elif record.seq > self._last_entry and record.level.rank >= LEAST_LEVEL.rank:
                self._last_entry = record.seq
                self.entries.append(record)
                changes.entries.append(record)
        return changes


def _tasks_after(engine: Engine, execution: Execution) -> set[str]:
    """The tasks that run once the execution has its final state."""
    try:
        flow = engine.flow(execution.namespace, execution.flow_id, execution.flow_revision)
    except NbflowError:  # it ran without being deployed, or its type is gone: what is there is shown
        return set()
    return {task.id for task in flow.after_execution if not task.disabled}
