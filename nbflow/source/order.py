"""Whether the outputs of one task can be there when another one reads them."""

from __future__ import annotations

from dataclasses import dataclass

from nbflow.plugins.order import FlowOrder, Relation
from nbflow.plugins.task import FlowableTask, Order


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a task cannot (`is_certain`), or may not, have ended before another one starts; and what to do."""

    message: str
    hint: str
    is_certain: bool


def doubt(order: FlowOrder, reader: str, read: str) -> Doubt | None:
    """What speaks against `reader` finding outputs of `read`; None when nothing does."""
    ours, theirs = order.place(reader), order.place(read)
    if not ours or not theirs:
        return None
    if any(mine.is_looped and mine.container == other.container for mine, other in zip(ours, theirs, strict=False)):
        return None  # an earlier round of the same loop may have run it
    match order.relation(read, reader):
        case Relation.SAME:
            task = order.task(reader)
            if isinstance(task, FlowableTask) and task.is_loop:
                return None  # it reports after each round
            return Doubt(f"`{read}` has no outputs before it has run", "", is_certain=True)
        case Relation.AFTER:
            return Doubt(
                f"`{read}` runs only after this task", "move one of the two, or write `??` and a default", True
            )
        case Relation.INSTEAD:
            parting = order.parting(reader, read)
            assert parting is not None
            return Doubt(
                f"`{read}` lies in another branch of `{parting[0].container}`", "write `??` and a default", False
            )
        case Relation.BESIDE:
            return _beside(order, reader, read)
    return None


def _beside(order: FlowOrder, reader: str, read: str) -> Doubt:
    parting = order.parting(reader, read)
    assert parting is not None
    mine, other = (step.task.id for step in parting)
    if parting[0].branch.order is Order.DAG:
        return Doubt(f"nothing says that `{other}` runs before `{mine}`", f"add `dependsOn: [{other}]`", False)
    return Doubt(f"`{read}` runs at the same time as this task", "run them one after another", False)
