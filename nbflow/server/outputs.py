"""What executions and their tasks have produced, over REST."""

from __future__ import annotations

import asyncio

from nbflow.errors import NotFoundError
from nbflow.model.execution import TaskRun
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may


class ExecutionOutputs(ApiHandler):
    """`GET /outputs/executions/{id}`: the outputs that the flow declares."""

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        engine = await self.engine()
        self.answer(dict((await engine.aexecution(execution_id)).record.outputs))


class TaskOutputs(ApiHandler):
    """`GET /outputs/tasks/{id}`: one entry for each task run that has outputs."""

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        self.answer([_entry(run) for run in await self.task_runs(execution_id) if run.outputs])

    async def task_runs(self, execution_id: str) -> list[TaskRun]:
        engine = await self.engine()
        execution = await engine.aexecution(execution_id)
        return await asyncio.to_thread(lambda: list(execution.task_runs))


class TaskRunOutputs(TaskOutputs):
    """`GET /outputs/tasks/{id}/{taskRun}`: the outputs of one task run."""

    @may(Right.VIEW)
    async def get(self, execution_id: str, task_run_id: str = "") -> None:
        for run in await self.task_runs(execution_id):
            if run.id == task_run_id:
                self.answer(dict(run.outputs))
                return
        raise NotFoundError(f"the execution `{execution_id}` has no task run `{task_run_id}`")


def _entry(run: TaskRun) -> dict[str, object]:
    entry: dict[str, object] = {"taskId": run.task_id, "taskRunId": run.id, "inline": dict(run.outputs)}
    optional = {"value": run.value, "iteration": run.iteration}
    return entry | {key: value for key, value in optional.items() if value is not None}
