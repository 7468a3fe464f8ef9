"""One execution as a coroutine tree: its tasks, then `errors`, `finally`, outputs, and `afterExecution`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace

from nbflow.engine.context import TaskLogger
from nbflow.engine.limits import FlowSlots
from nbflow.engine.rendering import Renderer
from nbflow.engine.scope import TaskScope, Workings
from nbflow.errors import NbflowError
from nbflow.model.flow import Flow
from nbflow.model.state import State, worst
from nbflow.model.task import Task
from nbflow.types import JsonValue

_log = logging.getLogger(__name__)


class ExecutionRun:
    """Runs one execution to its end; run again after a crash, it goes on from its history."""

    def __init__(self, flow: Flow, workings: Workings, slots: FlowSlots) -> None:
        self.flow = flow
        self.history = workings.history
        self.ended = asyncio.Event()
        """Set once the execution is terminal, durably, and nothing of it is left to do."""
        self._workings = workings
        self._slots = slots
        self._block: asyncio.Task[State] | None = None

    @property
    def id(self) -> str:
        return self.history.execution.id

    @property
    def is_killed(self) -> bool:
        """Whether it is being killed."""
        return self._workings.is_killing

    async def run(self) -> None:
        """Run to the end. Raises: asyncio.CancelledError when the engine stops; the execution then goes on later."""
        try:
            if not self.history.execution.state.is_terminal:
                await self._run_to_its_state()
            await self._sequence(self.flow.after_execution)
            await self.history.durable()
        except Exception as error:  # the outermost handler of an execution: it must not take others along
            _log.exception("execution %s broke", self.id, extra={"action": "execution_broke", "execution_id": self.id})
            self._logger().error(f"the engine could not go on: {type(error).__name__}: {error}")
            if not self.history.execution.state.is_terminal:
                self.history.move(State.FAILED)
            await self.history.durable()
        finally:
            self._slots.leave(self.flow)
            self.ended.set()

    def kill(self) -> None:
        """End what runs and then the execution, as KILLED; call this on the engine's loop."""
        if self.history.execution.state.is_terminal or self._workings.is_killing:
            return
        self._workings.is_killing = True
        self.history.move(State.KILLING)
        if self._block is not None:
            self._block.cancel()

    async def _run_to_its_state(self) -> None:
        if self._workings.is_killing or self.history.execution.state is State.KILLING:
            state = State.KILLED
        else:
            state = await self._killable(self._admitted())
        if state is State.CANCELLED:
            self.history.move(State.CANCELLED)
            await self.history.durable()
            return
        self._workings.is_killing = False  # what runs now runs to its end, also after a kill
        final = await self._sequence(self.flow.finally_)
        if state is not State.KILLED:
            state = worst([state, final])
        outputs, can_be_rendered = self._outputs(state)
        if not can_be_rendered and not state.is_failure:
            state = State.FAILED
        execution = replace(self.history.execution, outputs=outputs)
        self.history.change(execution.move(state, self.history.now()))
        await self.history.durable()

    async def _admitted(self) -> State:
        admitted = await self._slots.enter(self.flow, self.history)
        if admitted is not State.RUNNING:
            self._logger().warning(f"{self.flow.uid} runs as often as its `concurrency` allows: {admitted}")
            return admitted
        self.history.move(State.RUNNING)
        return await self._tasks_and_errors()

    async def _tasks_and_errors(self) -> State:
        scope = TaskScope(self._workings)
        tasks = [task for task in self.flow.tasks if not task.disabled]
        if any(task.depends_on for task in tasks):
            present = {task.id for task in tasks}
            needs = {task.id: [needed for needed in task.depends_on if needed in present] for task in tasks}
            state = await scope.run_dag(tasks, needs)
        else:
            state = await scope.run_sequence(tasks)
        if state is State.FAILED and self.flow.errors:
            self._workings.refresh()
            await scope.run_sequence(self.flow.errors)
        return state

    async def _killable(self, work: Coroutine[None, None, State]) -> State:
        """Run a block that `kill` may cancel; a cancellation from outside goes through."""
        async with asyncio.TaskGroup() as group:
            self._block = group.create_task(work)
        block, self._block = self._block, None
        return State.KILLED if block.cancelled() else block.result()

    async def _sequence(self, tasks: Sequence[Task]) -> State:
        if not tasks:
            return State.SUCCESS
        self._workings.refresh()
        return await TaskScope(self._workings).run_sequence(tasks)

    def _outputs(self, state: State) -> tuple[dict[str, JsonValue], bool]:
        """The flow's declared outputs, and whether every one that is required could be rendered."""
        renderer = Renderer(self._workings.variables, self._workings.services)
        outputs: dict[str, JsonValue] = {}
        complete = True
        for declared in self.flow.outputs:
            try:
                value = renderer.value(declared.value, keeps_types=True)
                outputs[declared.id] = declared.read(value)
            except (NbflowError, ValueError) as error:
                if state.is_failure or not declared.required:
                    continue
                self._logger().error(f"output `{declared.id}`: {error}")
                complete = False
        return outputs, complete

    def _logger(self) -> TaskLogger:
        return TaskLogger(self.history, None, None, None)
