"""What a paused execution goes on with: the inputs that its Pause task asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbflow.clock import Clock
from nbflow.engine.starting import read_answers
from nbflow.errors import ConflictError
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.inputs import Input
from nbflow.model.state import State
from nbflow.store import Store
from nbflow.types import JsonValue


def resumption(
    flow: Flow,
    execution: Execution,
    task_runs: Sequence[TaskRun],
    inputs: Mapping[str, object],
    store: Store,
    clock: Clock,
) -> dict[str, JsonValue]:
    """What to tell the owner of an execution: which task run goes on, and what it puts out.

    Raises: InputError with every problem of the inputs; ConflictError when nothing asks for them.
    """
    paused = next((run for run in task_runs if run.state is State.PAUSED), None)
    if paused is None:  # it was paused as a whole
        if inputs:
            raise ConflictError(f"execution {execution.id} was paused from outside: nothing asks for inputs")
        return {}
    task = next((task for task in flow.all_tasks() if task.id == paused.task_id), None)
    asked: list[Input] = getattr(task, "on_resume", None) or []
    answers = read_answers(flow, execution, asked, inputs, store, clock)
    return {"taskRunId": paused.id, "outputs": {"onResume": answers} if asked else {}}
