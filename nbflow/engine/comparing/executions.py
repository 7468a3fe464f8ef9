"""How two executions differ, and which two are meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from nbflow.engine.comparing.result import Change, ExecutionDiff, TaskDiff
from nbflow.engine.comparing.values import compare_values
from nbflow.engine.handle import Execution
from nbflow.errors import ExecutionNotFoundError
from nbflow.model.execution import TaskRun
from nbflow.plugins import FileStorage

LAST, PREVIOUS = "last", "previous"


class Executions(Protocol):
    """Where executions are found: the engine."""

    def execution(self, execution_id: str) -> Execution: ...
    def executions(
        self,
        namespace: str | None = None,
        flow_id: str | None = None,
        *,
        limit: int = 100,
        before_id: str | None = None,
    ) -> list[Execution]: ...


def pick(engine: Executions, before: str = PREVIOUS, after: str = LAST) -> tuple[Execution, Execution]:
    """The two that are meant: ids, `last`, or `previous`: the one of the same flow before the other.

    Raises: ExecutionNotFoundError.
    """
    if before == after == PREVIOUS:
        after = LAST
    if after == PREVIOUS:
        older, newer = pick(engine, after, before)
        return newer, older
    if before == PREVIOUS:
        newer = _one(engine, after)
        found = engine.executions(newer.namespace, newer.flow_id, limit=1, before_id=newer.id)
        if not found:
            raise ExecutionNotFoundError(
                f"{newer.namespace}.{newer.flow_id} has no execution before {newer.id}", hint="run it once more"
            )
        return found[0], newer
    return _one(engine, before), _one(engine, after)


def _one(engine: Executions, wanted: str) -> Execution:
    if wanted != LAST:
        return engine.execution(wanted)
    found = engine.executions(limit=1)
    if not found:
        raise ExecutionNotFoundError("nothing has run yet", hint="run a flow first")
    return found[0]


def compare(before: Execution, after: Execution, files: FileStorage) -> ExecutionDiff:
    """What is different in `after`; files are compared by what is in them, wherever they lie."""
    flows = tuple(f"{each.namespace}.{each.flow_id}" for each in (before, after))
    about = [
        Change(name, "changed", str(one), str(other))
        for name, one, other in (
            ("flow", flows[0], flows[1]),
            ("revision", before.flow_revision, after.flow_revision),
            ("state", before.state, after.state),
        )
        if one != other
    ]
    return ExecutionDiff(
        before=before.id,
        after=after.id,
        flows=(flows[0], flows[1]),
        about=tuple(about),
        durations=(before.duration.total_seconds(), after.duration.total_seconds()),
        inputs=compare_values("", before.inputs, after.inputs, files),
        outputs=compare_values("", before.record.outputs, after.record.outputs, files),
        tasks=tuple(_tasks(list(before.task_runs), list(after.task_runs), files)),
    )


def _tasks(before: list[TaskRun], after: list[TaskRun], files: FileStorage) -> list[TaskDiff]:
    """The task runs side by side, in the order of the second execution, then those that it has not."""
    left, right = _by_place(before), _by_place(after)
    now = datetime.now(UTC)
    found = []
    for place in dict.fromkeys([*right, *left]):
        one, other = left.get(place), right.get(place)
        outputs = compare_values("", one.outputs, other.outputs, files) if one and other else ()
        found.append(
            TaskDiff(
                task=_name(place),
                kind="both" if one and other else "removed" if one else "added",
                states=(str(one.state) if one else "", str(other.state) if other else ""),
                durations=(_seconds(one, now), _seconds(other, now)),
                outputs=outputs,
            )
        )
    return found


Place = tuple[tuple[str, str | None, int | None], ...]
"""A task run by what it is and what it lies in: (task id, value, iteration) from the outside in."""


def _by_place(runs: list[TaskRun]) -> dict[Place, TaskRun]:
    places: dict[str, Place] = {}
    found: dict[Place, TaskRun] = {}
    for run in runs:  # parents come first
        place = (*places.get(run.parent_task_run_id or "", ()), (run.task_id, run.value, run.iteration))
        places[run.id] = place
        found[place] = run
    return found


def _name(place: Place) -> str:
    return ".".join(f"{task}[{value}]" if value is not None else task for task, value, _ in place)


def _seconds(run: TaskRun | None, now: datetime) -> float | None:
    return None if run is None else run.history.duration(now).total_seconds()
