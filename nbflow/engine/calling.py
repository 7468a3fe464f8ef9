"""Starting executions of other flows for an execution: subflows, and the next try of one that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nbflow.clock import Clock
from nbflow.engine.calls import FlowCalls
from nbflow.engine.execution import ExecutionRun
from nbflow.engine.fixtures import Fixtures
from nbflow.engine.flows import Flows
from nbflow.engine.following import wait_for_state
from nbflow.engine.starting import new_execution
from nbflow.errors import ConflictError
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State, StateHistory
from nbflow.store import Store
from nbflow.types import JsonValue, derived_id

SUBFLOW = "io.kestra.plugin.core.flow.Subflow"


class Starter(Protocol):
    """Who runs executions."""

    def get(self, execution_id: str) -> ExecutionRun | None: ...
    async def start(
        self, flow: Flow, execution: Execution, task_runs: Sequence[TaskRun] = (), fixtures: Fixtures | None = None
    ) -> ExecutionRun: ...
    async def restart(self, flow: Flow, execution: Execution) -> ExecutionRun | None: ...


class Calls(FlowCalls):
    """Starts executions for others. Each has an id that follows from who asked, so that none is started twice."""

    def __init__(self, starter: Starter, store: Store, clock: Clock, flows: Flows) -> None:
        self._starter = starter
        self._store = store
        self._clock = clock
        self._flows = flows

    async def call(
        self,
        caller: Execution,
        task_run: TaskRun,
        namespace: str,
        flow_id: str,
        inputs: Mapping[str, JsonValue],
        labels: Mapping[str, str],
        revision: int | None,
        wait: bool,
        key: str,
        schedule_date: datetime | None = None,
    ) -> Execution:
        retries = sum(state is State.RETRYING for state, _ in task_run.history.moves)
        child_id = derived_id(task_run.id, f"{key} retry {retries}" if retries else key)
        started = await asyncio.to_thread(self._store.executions.get, child_id)
        if started is None:
            flow = await asyncio.to_thread(self._flows.get, namespace, flow_id, revision)
            if flow.disabled or flow.draft:
                raise ConflictError(f"the flow {flow.uid} is {'disabled' if flow.disabled else 'a draft'}")
            trigger: dict[str, JsonValue] = {
                "id": task_run.task_id,
                "type": SUBFLOW,
                "variables": {
                    "executionId": caller.id,
                    "namespace": caller.namespace,
                    "flowId": caller.flow_id,
                    "flowRevision": caller.flow_revision,
                },
            }
            start = new_execution(
                flow,
                inputs,
                labels,
                self._store,
                self._clock,
                execution_id=child_id,
                trigger=trigger,
                parent=caller,
                parent_task_run_id=task_run.id,
                kind=caller.kind,
                schedule_date=schedule_date,
            )
            own = self._fixtures_of(caller)
            within = own.within(task_run.task_id) if own is not None else None
            run = await self._starter.start(flow, start.execution, fixtures=within)
            started = run.history.execution
        elif started.state.is_failure and _was_restarted_after(task_run, started):
            flow = await asyncio.to_thread(self._flows.of, started)
            await self._starter.restart(flow, started)
        return await self._ended(caller, started) if wait else started

    async def again(self, flow: Flow, execution: Execution) -> None:
        number = execution.attempt_number + 1
        following = Execution(
            id=derived_id(execution.id, f"attempt {number}"),
            namespace=execution.namespace,
            flow_id=execution.flow_id,
            flow_revision=execution.flow_revision,
            history=StateHistory.begin(self._clock.now()),
            inputs=execution.inputs,
            labels=execution.labels,
            trigger=execution.trigger,
            parent_id=execution.parent_id,
            parent_task_run_id=execution.parent_task_run_id,
            original_id=execution.id if execution.attempt_number == 1 else execution.original_id,
            schedule_date=execution.schedule_date,
            kind=execution.kind,
            attempt_number=number,
        )
        if await asyncio.to_thread(self._store.executions.get, following.id) is None:
            await self._starter.start(flow, following, fixtures=self._fixtures_of(execution))

    def _fixtures_of(self, execution: Execution) -> Fixtures | None:
        """What stands for tasks of an execution that runs here."""
        run = self._starter.get(execution.id)
        return run.fixtures if run is not None else None

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> Flow:
        return self._flows.get(namespace, flow_id, revision)

    async def _ended(self, caller: Execution, child: Execution) -> Execution:
        """The child once it has ended, and with it every try that took its place."""
        try:
            while True:
                run = self._starter.get(child.id)
                if run is not None:
                    await run.ended.wait()
                child = await wait_for_state(self._store, child.id, None)
                if child.state is not State.RETRIED:
                    return child
                following = derived_id(child.id, f"attempt {child.attempt_number + 1}")
                taken = await asyncio.to_thread(self._store.executions.get, following)
                if taken is None:
                    return child
                child = taken
        except asyncio.CancelledError:
            parent, run = self._starter.get(caller.id), self._starter.get(child.id)
            if parent is not None and parent.is_killed:
                if run is not None:
                    run.kill()
                else:  # another engine has it
                    await asyncio.to_thread(self._store.commands.send, child.id, "kill", {}, self._clock.now())
            raise


def _was_restarted_after(task_run: TaskRun, child: Execution) -> bool:
    """Whether a task run was restarted since the execution that it had started has ended."""
    restarts = [since for state, since in task_run.history.moves if state is State.RESTARTED]
    return bool(restarts) and child.end is not None and restarts[-1] >= child.end
