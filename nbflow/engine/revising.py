"""What stays of an execution's history when somebody outside moves it on: restart, replay, a state set by hand.

Pure decisions. An execution goes on by running its coroutine again: what has ended is not run again, so each of these
comes down to which task runs are kept as they are, which are opened again, and which are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from nbflow.errors import ConflictError, NotFoundError
from nbflow.model.execution import TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.nearest import did_you_mean
from nbflow.plugins import FlowableTask, RunnableTask
from nbflow.plugins.order import Block, FlowOrder, Relation
from nbflow.types import new_id


@dataclass(frozen=True, slots=True)
class Revision:
    """The task runs that an execution goes on with: those that changed among them, and the ids of those dropped."""

    kept: list[TaskRun] = field(default_factory=list)
    changed: list[TaskRun] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def restarted(flow: Flow, runs: Sequence[TaskRun], now: datetime) -> Revision:
    """Failed task runs get another attempt; those of `errors`, `finally` and `afterExecution` around them are dropped.

    A failure that something around it has forgiven stays as it is.
    """
    tree = _Tree(flow, runs)
    again = {run.id for run in runs if _is_unsettled(run) and all(_is_unsettled(above) for above in tree.above(run))}
    return tree.reopened(again, now)


def replayed(flow: Flow, runs: Sequence[TaskRun], task_run_id: str, execution_id: str, now: datetime) -> Revision:
    """The task runs of a new execution that starts at a task run of an old one: what came before it, and itself, to get
    another attempt; under new ids.

    Raises: NotFoundError.
    """
    tree = _Tree(flow, runs)
    start = tree.named(task_run_id)
    around = {above.id for above in tree.above(start)}
    dropped = {run.id for run in runs if not run.state.is_terminal and run.id not in around}
    dropped |= {run.id for run in runs if tree.follows(run, start)}
    again = {start.id} if tree.is_work(start) else set()  # a flowable begins anew: a Pause pauses again
    dropped |= {start.id} - again
    dropped |= {run.id for run in runs if tree.is_aftermath(run, around) or tree.is_part(run, again)}
    dropped |= {run.id for run in runs if any(above.id in dropped for above in tree.above(run))}
    ids = {run.id: new_id() for run in runs if run.id not in dropped}
    kept = []
    for run in runs:
        if run.id in dropped:
            continue
        copy = replace(
            tree.rewound(run, start) if run.id in around else run,
            id=ids[run.id],
            execution_id=execution_id,
            parent_task_run_id=ids[run.parent_task_run_id] if run.parent_task_run_id else None,
        )
        kept.append(_reopened(copy, now) if run.id in around | again else copy)
    return Revision(kept, kept)


def marked(flow: Flow, runs: Sequence[TaskRun], task_run_id: str, state: State, now: datetime) -> Revision:
    """The execution goes on as if a task run had ended in a state. Raises: NotFoundError, ConflictError."""
    if not state.is_terminal:
        raise ConflictError(f"a task run can be set to a state that ends it, not to {state}")
    tree = _Tree(flow, runs)
    run = tree.named(task_run_id)
    if not run.state.is_terminal and run.state is not State.PAUSED:
        raise ConflictError(f"the task run of `{run.task_id}` is {run.state}", hint="wait for its end, or kill it")
    around = {above.id for above in tree.above(run)}
    revision = tree.reopened(around, now)
    ended = _with_state(run, state, now)
    new = {run.id: ended, **{one.id: tree.rewound(one, run) for one in revision.kept if one.id in around}}
    changed = {one.id for one in revision.changed} | {run.id}
    kept = [new.get(one.id, one) for one in revision.kept]
    return Revision(kept, [one for one in kept if one.id in changed], revision.dropped)


class _Tree:
    """The task runs of an execution by where they lie in each other."""

    def __init__(self, flow: Flow, runs: Sequence[TaskRun]) -> None:
        self._order = FlowOrder(flow)
        self._runs = {run.id: run for run in runs}

    def named(self, task_run_id: str) -> TaskRun:
        found = self._runs.get(task_run_id)
        if found is None:
            raise NotFoundError(
                f"the execution has no task run `{task_run_id}`", hint=did_you_mean(task_run_id, self._runs)
            )
        return found

    def is_work(self, run: TaskRun) -> bool:
        """Whether a task run is of a task that does work itself."""
        return isinstance(self._order.task(run.task_id), RunnableTask)

    def above(self, run: TaskRun) -> list[TaskRun]:
        """The task runs that one lies in, the nearest first."""
        found = []
        while run.parent_task_run_id is not None:
            run = self._runs[run.parent_task_run_id]
            found.append(run)
        return found

    def rewound(self, run: TaskRun, start: TaskRun) -> TaskRun:
        """A task run as it is to go on from a task run in it: a loop is back in the round of that one."""
        task = self._order.task(run.task_id)
        path = [start, *self.above(start)]
        inner = next(one for one in path if one.parent_task_run_id == run.id)
        if not isinstance(task, FlowableTask) or inner.iteration is None:
            return run
        return replace(run, outputs=task.rewound(run.outputs, inner.iteration))

    def is_aftermath(self, run: TaskRun, reopened: set[str]) -> bool:
        """Whether a task run is of an `errors`, `finally` or `afterExecution` block of what is opened again."""
        place = self._order.place(run.task_id)
        if not place or place[-1].block is Block.TASKS:
            return False
        return run.parent_task_run_id is None or run.parent_task_run_id in reopened

    def is_part(self, run: TaskRun, reopened: set[str]) -> bool:
        """Whether a task run shows a part of the work of one that is opened again, and so does it anew."""
        parent = self._runs.get(run.parent_task_run_id or "")
        return parent is not None and parent.id in reopened and self.is_work(parent)

    def follows(self, run: TaskRun, other: TaskRun) -> bool:
        """Whether a task run came after another one because of it: a later task, or a later round of a loop."""
        ours, theirs = [run, *self.above(run)][::-1], [other, *self.above(other)][::-1]
        for mine, its in zip(ours, theirs, strict=False):
            if mine.id == its.id:
                continue
            if (mine.value, mine.iteration) != (its.value, its.iteration):
                return self._is_later_round(mine, its)
            return self._order.relation(mine.task_id, its.task_id) is Relation.AFTER
        return False

    def _is_later_round(self, run: TaskRun, other: TaskRun) -> bool:
        parent = self._runs.get(run.parent_task_run_id or "")
        loop = self._order.task(parent.task_id) if parent is not None else None
        if isinstance(loop, FlowableTask) and not loop.rounds_are_in_order:
            return False
        if run.iteration is not None and other.iteration is not None:
            return run.iteration > other.iteration
        ids = list(self._runs)
        return ids.index(run.id) > ids.index(other.id)

    def reopened(self, again: set[str], now: datetime) -> Revision:
        """These task runs open again, the aftermath of what they lie in dropped."""
        dropped = {run.id for run in self._runs.values() if self.is_aftermath(run, again) or self.is_part(run, again)}
        dropped |= {run.id for run in self._runs.values() if any(above.id in dropped for above in self.above(run))}
        revision = Revision(dropped=sorted(dropped))
        for run in self._runs.values():
            if run.id in dropped:
                continue
            kept = _reopened(run, now) if run.id in again else run
            revision.kept.append(kept)
            if kept is not run:
                revision.changed.append(kept)
        return revision


def _is_unsettled(run: TaskRun) -> bool:
    """Whether a restart has something to do for a task run."""
    return run.state.is_failure or not run.state.is_terminal


def _reopened(run: TaskRun, now: datetime) -> TaskRun:
    return run.move(State.RESTARTED, now) if run.state.is_terminal or run.state is State.PAUSED else run


def _with_state(run: TaskRun, state: State, now: datetime) -> TaskRun:
    attempts = run.attempts
    if attempts:
        attempts = (*attempts[:-1], attempts[-1].move(state, now))
    return replace(run, attempts=attempts).move(state, now)
