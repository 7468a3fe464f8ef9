"""Tries expressions on an execution: with what it was given and has put out, whether it still runs or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbflow.clock import Clock
from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.engine.rendering import Renderer, variables_now
from nbflow.engine.services import ExecutionServices
from nbflow.engine.variables import task_run_variables
from nbflow.errors import NotFoundError
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.nearest import did_you_mean
from nbflow.store import Store


def render_in(
    text: str,
    flow: Flow,
    execution: Execution,
    task_runs: Sequence[TaskRun],
    store: Store,
    clock: Clock,
    *,
    task: str | None = None,
    extra: Mapping[str, object] | None = None,
) -> str:
    """What a text comes to in an execution as it stands; secrets in it are masked.

    `task` is the id of a task or task run: the text is then rendered as a property of that one.
    Raises: TemplateError; NotFoundError when there is no such task run.
    """
    history = History(execution, task_runs, owner="", last_seq=0, writer=store.writer, hub=Hub(), clock=clock)
    services = ExecutionServices(history, store, "")
    variables = variables_now(flow, history, store, services)
    if task is not None:
        run = _task_run(task_runs, task)
        kind = next((one.type for one in flow.all_tasks() if one.id == run.task_id), "")
        variables |= task_run_variables(run.task_id, kind, run, history.ancestors(run))
    return history.masked(Renderer(variables, services).text(text, extra))


def _task_run(task_runs: Sequence[TaskRun], wanted: str) -> TaskRun:
    for run in reversed(task_runs):
        if wanted in (run.id, run.task_id):
            return run
    known = list(dict.fromkeys(run.task_id for run in task_runs))
    hint = did_you_mean(wanted, known) or f"there are {', '.join(known) or 'none'}"
    raise NotFoundError(f"there is no task run `{wanted}` in this execution", hint=hint)
