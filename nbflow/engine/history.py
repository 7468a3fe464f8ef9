"""What an execution has done so far: looked up before anything is run, written as it happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Protocol

from nbflow.clock import Clock
from nbflow.engine.hub import Hub
from nbflow.engine.variables import OutputTree, StateTree
from nbflow.model.events import ExecutionChanged, LogWritten, MetricRecorded, TaskRunChanged
from nbflow.model.execution import Attempt, Execution, LogEntry, Metric, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.store import AddMetric, AppendLog, Change, SaveExecution, SaveTaskRun
from nbflow.types import JsonValue, new_id

Key = tuple[str | None, str, str | None, int | None]
"""A place in the coroutine tree: parent task run, task id, value and iteration of a loop's round."""

_MASK = "********"  # of one length, whatever it hides


class Sink(Protocol):
    """Where changes go: the store's writer, as a rule."""

    @property
    def is_behind(self) -> bool: ...
    def defer(self, change: Change, *beside: Change) -> None: ...
    def flush(self) -> None: ...
    async def committed(self) -> None: ...


class History:
    """The records of one execution, in memory while it runs and in the store for good.

    Every change gets the next number of the execution's sequence, so that followers can ask for what came after.
    """

    def __init__(
        self,
        execution: Execution,
        task_runs: Iterable[TaskRun],
        *,
        owner: str,
        last_seq: int,
        writer: Sink,
        hub: Hub,
        clock: Clock,
    ) -> None:
        self.execution = execution
        self.clock = clock
        self.reveal: Callable[[str], str] = str
        """Decrypts an output that is encrypted; whoever renders expressions of this execution sets it."""
        self.end: Callable[[TaskRun, State], bool] = lambda run, state: False
        """Ends the execution at the wish of a task of its own; whoever runs the execution sets it."""
        self.outputs = OutputTree(lambda token: self.reveal(token))
        self.states = StateTree()
        self.failure: TaskRun | None = None
        """The task run that failed last: the innermost one, where those around it failed with it."""
        self._owner = owner
        self._writer = writer
        self._hub = hub
        self._seq = count(last_seq + 1)
        self._by_key: dict[Key, TaskRun] = {}
        self._by_id: dict[str, TaskRun] = {}
        self._masked: tuple[str, ...] = ()
        self._errors: dict[str, str] = {}
        self._load(task_runs)

    def now(self) -> datetime:
        return self.clock.now()

    def change(self, execution: Execution) -> Execution:
        """Replace the execution's record."""
        self.execution = execution
        self._writer.defer(SaveExecution(execution, next(self._seq), self._owner), *self._hub.noted(execution))
        self._hub.publish(ExecutionChanged(execution))
        return execution

    def move(self, state: State) -> Execution:
        """Bring the execution to another state."""
        return self.change(self.execution.move(state, self.now()))

    async def durable(self) -> None:
        """Return once everything changed so far is committed."""
        await self._writer.committed()

    async def room(self) -> None:
        """Return once the writer has little left to write. Raises: StoreError."""
        if self._writer.is_behind:
            await self._writer.committed()

    def make_room(self) -> None:
        """As `room`, for a thread without an event loop."""
        if self._writer.is_behind:
            self._writer.flush()

    def revise(self, runs: Iterable[TaskRun]) -> None:
        """Forget all task runs but these; writing them is the caller's."""
        self.outputs, self.states, self.failure = OutputTree(lambda token: self.reveal(token)), StateTree(), None
        self._by_key, self._by_id = {}, {}
        self._load(runs)

    def find(self, parent: str | None, task_id: str, value: str | None, iteration: int | None) -> TaskRun | None:
        return self._by_key.get((parent, task_id, value, iteration))

    def task_runs(self) -> list[TaskRun]:
        """All task runs, in the order of their creation."""
        return list(self._by_id.values())

    def find_id(self, run_id: str) -> TaskRun | None:
        """The record of a task run, if there is one of this id."""
        return self._by_id.get(run_id)

    def by_id(self, run_id: str) -> TaskRun:
        """The record of a task run as it stands now."""
        return self._by_id[run_id]

    def create(self, parent: str | None, task_id: str, value: str | None, iteration: int | None) -> TaskRun:
        run = TaskRun(
            id=new_id(),
            execution_id=self.execution.id,
            task_id=task_id,
            history=StateHistory.begin(self.now()),
            parent_task_run_id=parent,
            value=value,
            iteration=iteration,
        )
        return self.save(run)

    def child(
        self,
        parent: TaskRun,
        name: str,
        moves: Sequence[tuple[State, datetime]],
        outputs: Mapping[str, JsonValue],
    ) -> TaskRun:
        """Show a part of a task's own work as a task run below it, in place of the one of that name before."""
        known, states = self.find(parent.id, name, None, None), StateHistory(tuple(moves))
        return self.save(
            TaskRun(
                id=known.id if known is not None else new_id(),
                execution_id=self.execution.id,
                task_id=name,
                history=states,
                parent_task_run_id=parent.id,
                attempts=(Attempt(states),),
                outputs=outputs,
                dynamic=True,
            )
        )

    def save(self, run: TaskRun) -> TaskRun:
        """Replace a task run's record; what it put out is seen by expressions once it has ended."""
        self._keep(run)
        if run.state.is_terminal:
            self.outputs.put(run, self._loop_values(run))
        self._writer.defer(SaveTaskRun(run, next(self._seq)))
        self._hub.publish(TaskRunChanged(run))
        return run

    def ancestors(self, run: TaskRun) -> list[TaskRun]:
        """The task runs that one lies in, the nearest first."""
        found = []
        parent = run.parent_task_run_id
        while parent is not None:
            above = self._by_id[parent]
            found.append(above)
            parent = above.parent_task_run_id
        return found

    def error_of(self, run: TaskRun) -> str:
        """The last error that a task run has logged since this engine runs it; empty when there is none."""
        return self._errors.get(run.id, "")

    def _load(self, runs: Iterable[TaskRun]) -> None:
        for run in runs:
            self._keep(run)
        for run in self._by_id.values():
            self.outputs.put(run, self._loop_values(run))
        self.failure = None  # which one failed last does not follow from the order of their creation
        for run in sorted(self._by_id.values(), key=lambda run: run.history.moves[-1][1]):
            self._note_failure(run)

    def _keep(self, run: TaskRun) -> None:
        self._by_id[run.id] = run
        self._by_key[(run.parent_task_run_id, run.task_id, run.value, run.iteration)] = run
        self.states.put(run)
        self._note_failure(run)

    def _note_failure(self, run: TaskRun) -> None:
        if run.state is State.FAILED and (self.failure is None or run.id not in self._around(self.failure)):
            self.failure = run

    def _around(self, run: TaskRun) -> set[str]:
        return {above.id for above in self.ancestors(run)}

    def _loop_values(self, run: TaskRun) -> list[str]:
        if run.parent_task_run_id is None:
            return [run.value] if run.value is not None else []
        around = [above.value for above in reversed(self.ancestors(run)) if above.value is not None]
        return [*around, run.value] if run.value is not None else around

    def mask(self, secrets: Iterable[str]) -> None:
        """Hide these texts in every log line from here on."""
        found = [secret for secret in secrets if len(secret) >= 3]
        # Within a value that is printed as JSON, a secret is spelled with escapes.
        hidden = {*self._masked, *found, *(json.dumps(secret, ensure_ascii=False)[1:-1] for secret in found)}
        self._masked = tuple(sorted(hidden, key=len, reverse=True))

    @property
    def hidden(self) -> tuple[str, ...]:
        """The texts that are hidden so far."""
        return self._masked

    def masked(self, text: str) -> str:
        """A text, the secrets in it hidden."""
        for secret in self._masked:
            text = text.replace(secret, _MASK)
        return text

    def noted(self, level: LogLevel, message: str, run: TaskRun | None) -> str:
        """A line as it may be shown; an error is remembered as the last one of its task run."""
        message = self.masked(message)
        if run is not None and level is LogLevel.ERROR:
            self._errors[run.id] = message
        return message

    def log(self, level: LogLevel, message: str, run: TaskRun | None = None, attempt: int | None = None) -> LogEntry:
        message = self.noted(level, message, run)
        entry = LogEntry(
            execution_id=self.execution.id,
            seq=next(self._seq),
            timestamp=self.now(),
            level=level,
            message=message,
            task_id=run.task_id if run else None,
            task_run_id=run.id if run else None,
            attempt_number=attempt,
        )
        self._writer.defer(AppendLog(entry))
        self._hub.publish(LogWritten(entry))
        return entry

    def metric(self, run: TaskRun, kind: str, name: str, value: float, tags: Mapping[str, str]) -> None:
        metric = Metric(self.execution.id, run.task_id, run.id, kind, name, value, self.now(), dict(tags))
        self._writer.defer(AddMetric(metric))
        self._hub.publish(MetricRecorded(metric))
