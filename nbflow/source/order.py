"""Which tasks of a flow may have ended by the time another one starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbflow.model.flow import Flow
from nbflow.model.task import Task
from nbflow.plugins.graph import top_branch
from nbflow.plugins.task import Branch, FlowableTask, Order


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a task cannot (`is_certain`), or may not, have ended before another one starts; and what to do."""

    message: str
    hint: str
    is_certain: bool


@dataclass(frozen=True, slots=True)
class _Step:
    """One level of a task's place: in which block, branch and position of which container."""

    container: str
    block: int
    branch_number: int
    index: int
    branch: Branch
    is_looped: bool


class RunOrder:
    """The order in which the tasks of a flow start, as far as it is known before they run."""

    def __init__(self, flow: Flow) -> None:
        self._places: dict[str, list[_Step]] = {}
        blocks = (top_branch(flow.tasks), *map(Branch, (flow.errors, flow.finally_, flow.after_execution)))
        self._tasks: dict[str, Task] = {}
        for number, branch in enumerate(blocks):
            self._add([], "", number, 0, branch, is_looped=False)

    def task(self, task_id: str) -> Task | None:
        """The task of an id, if it lies in one of the flow's blocks."""
        return self._tasks.get(task_id)

    def is_looped(self, task_id: str) -> bool:
        """Whether a task may run more than once in an execution, each time with a value of its own."""
        return any(step.is_looped for step in self._places.get(task_id, ()))

    def doubt(self, reader: str, read: str) -> Doubt | None:
        """What speaks against `reader` finding outputs of `read`; None when nothing does."""
        ours, theirs = self._places.get(reader), self._places.get(read)
        if ours is None or theirs is None:
            return None
        if reader == read:
            return None if self.is_looped(reader) else Doubt(f"`{read}` has no outputs before it has run", "", True)
        for mine, other in zip(ours, theirs, strict=False):
            if mine.is_looped:
                return None  # an earlier round may have run it
            if (mine.block, mine.branch_number, mine.index) != (other.block, other.branch_number, other.index):
                return _between(mine, other, read)
        return None  # one lies in the other

    def _add(
        self, above: list[_Step], container: str, block: int, number: int, branch: Branch, *, is_looped: bool
    ) -> None:
        for index, task in enumerate(branch.tasks):
            place = [*above, _Step(container, block, number, index, branch, is_looped)]
            self._places[task.id], self._tasks[task.id] = place, task
            if isinstance(task, FlowableTask):
                for inner_number, inner in enumerate(task.branches()):
                    self._add(place, task.id, 0, inner_number, inner, is_looped=task.is_loop)
                for inner_block, tasks in enumerate((task.errors, task.finally_), 1):
                    self._add(place, task.id, inner_block, 0, Branch(tasks), is_looped=False)


def _between(mine: _Step, other: _Step, read: str) -> Doubt | None:
    """The doubt between two places in the same container."""
    later = Doubt(f"`{read}` runs only after this task", "move one of the two, or write `??` and a default", True)
    if mine.block != other.block:
        return later if other.block > mine.block else None
    if mine.branch_number != other.branch_number:
        return Doubt(f"`{read}` lies in another branch of `{mine.container}`", "write `??` and a default", False)
    ours, theirs = mine.branch.tasks[mine.index].id, mine.branch.tasks[other.index].id
    match mine.branch.order:
        case Order.SEQUENCE:
            return later if other.index > mine.index else None
        case Order.PARALLEL:
            return Doubt(f"`{read}` runs at the same time as this task", "run them one after another", False)
        case Order.DAG:
            if theirs in _needed(ours, mine.branch.needs):
                return None
            if ours in _needed(theirs, mine.branch.needs):
                return later
            return Doubt(f"nothing says that `{theirs}` runs before `{ours}`", f"add `dependsOn: [{theirs}]`", False)


def _needed(task: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Every task that one waits for, directly or through others."""
    found: set[str] = set()
    waiting = [task]
    while waiting:
        for name in needs.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found
