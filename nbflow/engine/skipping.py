"""Whether a task is to run at all: `runIf` and `conditions`."""

from __future__ import annotations

from dataclasses import replace

from nbflow.engine.history import History
from nbflow.engine.rendering import Renderer
from nbflow.errors import NbflowError
from nbflow.model.flow import Listener
from nbflow.model.state import State, StateHistory, worst
from nbflow.model.task import Task
from nbflow.plugins import Facts, Question, TaskLog
from nbflow.plugins.truth import is_true


def listens(listener: Listener, renderer: Renderer, history: History, log: TaskLog) -> bool:
    """Whether a listener is to run, now that the execution has ended."""
    facts = Facts(history.now(), renderer.text, history.execution, history.outputs.tree, tuple(history.task_runs()))
    try:
        return all(condition.holds(facts) for condition in listener.conditions if isinstance(condition, Question))
    except NbflowError as error:
        log.error("it cannot be told whether a listener is to run: %s", error)
        return False


def may_run(task: Task, renderer: Renderer, history: History, log: TaskLog) -> State | None:
    """None when the task is to run; otherwise the state it ends in: SKIPPED, or FAILED when this cannot be told."""
    try:
        if task.run_if is not None and not is_true(renderer.value(task.run_if, keeps_types=True)):
            return State.SKIPPED
        if task.conditions:
            # They ask how the execution stands so far: as it would end if it ended here.
            runs = tuple(history.task_runs())
            so_far = worst(run.state for run in runs if run.state.is_terminal)
            execution = replace(history.execution, history=StateHistory.begin(history.execution.start, so_far))
            facts = Facts(history.now(), renderer.text, execution, history.outputs.tree, runs)
            if not all(condition.holds(facts) for condition in task.conditions if isinstance(condition, Question)):
                return State.SKIPPED
    except NbflowError as error:
        log.error("it cannot be told whether the task is to run: %s", error)
        return State.FAILED
    return None
