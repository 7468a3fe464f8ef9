"""The order in which the tasks of a flow run, as far as the flow itself tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from nbflow.model.flow import Flow
from nbflow.model.task import Task
from nbflow.plugins.graph import top_branch
from nbflow.plugins.task import Branch, FlowableTask, Order


class Relation(Enum):
    """How one task stands to another."""

    SAME = auto()
    AROUND = auto()
    """The other one lies inside it."""
    INSIDE = auto()
    BEFORE = auto()
    AFTER = auto()
    BESIDE = auto()
    """Both may run at once."""
    INSTEAD = auto()
    """They lie in different branches of one task."""


class Block(Enum):
    """The blocks of a flow; those of a flowable task are of the first three kinds."""

    TASKS = 0
    ERRORS = 1
    FINALLY = 2
    AFTER_EXECUTION = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One level of a task's place: in which block, branch and position of which container ("" for the flow)."""

    container: str
    block: Block
    branch_number: int
    index: int
    branch: Branch
    is_looped: bool

    @property
    def task(self) -> Task:
        return self.branch.tasks[self.index]


class FlowOrder:
    """The places of a flow's tasks, and how they stand to each other."""

    def __init__(self, flow: Flow) -> None:
        self._places: dict[str, tuple[Step, ...]] = {}
        self._add((), "", Block.TASKS, 0, top_branch(flow.tasks), is_looped=False)
        for block, tasks in (
            (Block.ERRORS, flow.errors),
            (Block.FINALLY, flow.finally_),
            (Block.AFTER_EXECUTION, flow.after_execution),
        ):
            self._add((), "", block, 0, Branch(tasks), is_looped=False)

    @property
    def task_ids(self) -> set[str]:
        """The ids of all tasks, those that a task makes of itself included."""
        return set(self._places)

    def place(self, task_id: str) -> Sequence[Step]:
        """The levels of a task's place, the outermost first; empty for a task that lies in no block of the flow."""
        return self._places.get(task_id, ())

    def task(self, task_id: str) -> Task | None:
        """The task of an id, if it lies in one of the flow's blocks."""
        place = self.place(task_id)
        return place[-1].task if place else None

    def is_looped(self, task_id: str) -> bool:
        """Whether a task may run more than once in an execution, each time with a value of its own."""
        return any(step.is_looped for step in self.place(task_id))

    def parting(self, one: str, other: str) -> tuple[Step, Step] | None:
        """The first level at which the places of two tasks differ; None where one lies in the other."""
        for mine, theirs in zip(self.place(one), self.place(other), strict=False):
            if (mine.block, mine.branch_number, mine.index) != (theirs.block, theirs.branch_number, theirs.index):
                return mine, theirs
        return None

    def relation(self, one: str, other: str) -> Relation:
        """How `one` stands to `other`, loops left aside: BEFORE means that `one` has ended before `other` starts."""
        if one == other:
            return Relation.SAME
        parting = self.parting(one, other)
        if parting is None:
            return Relation.AROUND if len(self.place(one)) < len(self.place(other)) else Relation.INSIDE
        return _siblings(*parting)

    def _add(
        self, above: tuple[Step, ...], container: str, block: Block, number: int, branch: Branch, *, is_looped: bool
    ) -> None:
        for index, task in enumerate(branch.tasks):
            place = (*above, Step(container, block, number, index, branch, is_looped))
            self._places[task.id] = place
            if isinstance(task, FlowableTask):
                for inner_number, inner in enumerate(task.branches()):
                    self._add(place, task.id, Block.TASKS, inner_number, inner, is_looped=task.is_loop)
                for inner_block, tasks in ((Block.ERRORS, task.errors), (Block.FINALLY, task.finally_)):
                    self._add(place, task.id, inner_block, 0, Branch(tasks), is_looped=False)


def _siblings(one: Step, other: Step) -> Relation:
    """How two places in the same container stand to each other."""
    if one.block is not other.block:
        return Relation.BEFORE if one.block.value < other.block.value else Relation.AFTER
    if one.branch_number != other.branch_number:
        return Relation.INSTEAD
    match one.branch.order:
        case Order.SEQUENCE:
            return Relation.BEFORE if one.index < other.index else Relation.AFTER
        case Order.PARALLEL:
            return Relation.BESIDE
        case Order.DAG:
            needs = one.branch.needs
            if one.task.id in _needed(other.task.id, needs):
                return Relation.BEFORE
            return Relation.AFTER if other.task.id in _needed(one.task.id, needs) else Relation.BESIDE


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
