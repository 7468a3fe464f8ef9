"""A new execution that takes up where an old one was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nbflow.clock import Clock
from nbflow.engine.revising import replayed
from nbflow.engine.starting import CORRELATION, new_execution
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State, StateHistory
from nbflow.store import Store
from nbflow.types import new_id

REPLAY = "system.replay"


def replay(
    flow: Flow,
    execution: Execution,
    task_runs: Sequence[TaskRun],
    task_run_id: str | None,
    inputs: Mapping[str, object] | None,
    store: Store,
    clock: Clock,
) -> tuple[Execution, list[TaskRun]]:
    """The new execution and the task runs it starts from; `inputs` replace those of the old one when given.

    Raises: NotFoundError, InputError.
    """
    new = replace(
        execution,
        id=new_id(),
        flow_revision=flow.revision or execution.flow_revision,
        history=StateHistory.begin(clock.now()),
        outputs={},
        parent_id=execution.id,
        parent_task_run_id=None,
        original_id=execution.original_id or execution.id,
        attempt_number=1,
    )
    labels = {**dict(execution.labels), REPLAY: "true", CORRELATION: new.id}
    new = replace(new, labels=tuple(labels.items()))
    if inputs is not None:
        read = new_execution(flow, inputs, {}, store, clock, execution_id=new.id, trigger=execution.trigger)
        new = replace(new, inputs=read.execution.inputs)
    if task_run_id is None:
        return replace(new, variables={}), []
    new = new.move(State.RESTARTED, clock.now())
    return new, replayed(flow, task_runs, task_run_id, new.id, clock.now()).kept
