"""One execution as a coroutine tree: its tasks, then `errors`, `finally`, outputs, and `afterExecution`."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from nbflow.engine.context import TaskLogger
from nbflow.engine.fixtures import Fixtures
from nbflow.engine.limits import FlowSlots
from nbflow.engine.output_limits import check_size
from nbflow.engine.promises import Promises
from nbflow.engine.rendering import Renderer
from nbflow.engine.retries import next_attempt
from nbflow.engine.revising import restarted
from nbflow.engine.scope import TaskScope, end_as, end_killed
from nbflow.engine.skipping import listens
from nbflow.engine.workings import Workings
from nbflow.errors import NbflowError, TaskFailedError
from nbflow.model.execution import TaskRun
from nbflow.model.flow import Flow
from nbflow.model.policies import Retry, RetryBehavior
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
        self._stopped_as = State.KILLED
        self._is_closing = False
        """Whether what runs now runs to its end, whatever happens: `finally`."""
        self._is_forced = False
        self.history.end = self._end
        if self.history.execution.state is State.PAUSED and not workings.paused:
            workings.passage.clear()  # it had been paused as a whole

    @property
    def id(self) -> str:
        return self.history.execution.id

    @property
    def is_killed(self) -> bool:
        """Whether it is being killed."""
        return self._workings.is_killing

    @property
    def fixtures(self) -> Fixtures | None:
        """What stands for tasks of it in a test."""
        return self._workings.fixtures

    async def run(self) -> None:
        """Run to the end. Raises: asyncio.CancelledError when the engine stops; the execution then goes on later."""
        try:
            if not self.history.execution.state.is_terminal:
                await self._run_to_its_state()
            await self._after()
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
        """End what runs and then the execution, as KILLED; call this, as all below, on the engine's loop."""
        if self.history.execution.state.is_terminal or self._workings.is_killing:
            return
        self.history.move(State.KILLING)
        if self._is_closing:
            self._workings.passage.set()
        else:
            self._stop(State.KILLED)

    def pause(self) -> bool:
        """Let no task begin until `resume`; those that run go on to their end. False when it is not running."""
        if self.history.execution.state is not State.RUNNING:
            return False
        self._workings.passage.clear()
        self.history.move(State.PAUSED)
        return True

    def resume(self, task_run_id: str | None, outputs: Mapping[str, JsonValue]) -> bool:
        """Go on after a pause: of a task run, or of the execution as a whole. False when there is no such pause."""
        if task_run_id is not None:
            return self._workings.resume(task_run_id, outputs)
        if self._workings.passage.is_set():
            return False
        self._workings.passage.set()
        if self.history.execution.state is State.PAUSED and not self._workings.paused:
            self.history.move(State.RESTARTED)
            self.history.move(State.RUNNING)
        return True

    def force(self) -> bool:
        """Run although the flow's `concurrency` has no slot left. False when it is not queued."""
        if self.history.execution.state is not State.QUEUED:
            return False
        self._is_forced = True
        self._slots.leave(self.flow)
        return True

    def _end(self, run: TaskRun, state: State) -> bool:
        """Let the execution end in a state at the wish of a task run of its own; False when it is ending already."""
        if self._is_closing or self._workings.is_killing or self.history.execution.state.is_terminal:
            return False
        if state is State.KILLED:
            self.kill()
            return True
        for each in (self.history.by_id(run.id), *self.history.ancestors(run)):
            end_as(self.history, each.id, state)
        self._stop(state)
        return True

    def _left_as(self) -> State | None:
        """What a task that ends the execution wanted it to end in, before the engine that ran it came to its end."""
        ending = {task.id for task in self.flow.all_tasks() if task.ends_execution}
        ended = [run for run in self.history.task_runs() if run.task_id in ending and run.state.is_terminal]
        return next((run.state for run in ended if run.state is not State.SKIPPED), None) if ending else None

    def _stop(self, state: State) -> None:
        """Cancel the tasks; the execution ends in a state."""
        self._workings.is_killing = True
        self._stopped_as = state
        if self._block is not None:
            self._block.cancel()

    async def _run_to_its_state(self) -> None:
        if self.history.execution.state is State.KILLING:
            self._stop(State.KILLED)  # as the engine before this one did
        elif (left := self._left_as()) is not None:
            self._stop(left)
        refusal = await self._killable(self._admitted())
        if refusal in (State.CANCELLED, State.FAILED):
            self.history.move(refusal)
            await self.history.durable()
            return
        state = refusal if refusal.is_failure else await self._killable(self._kept_promises())
        if state is State.RETRIED:
            self.history.move(State.RETRIED)
            await self.history.durable()
            return
        self._settle()
        if state is State.FAILED:
            await self._killable(self._sequence(self.flow.errors))
            if self._workings.is_killing:
                state = self._stopped_as
                self._settle()
        self._is_closing = True
        final = await self._sequence(self.flow.finally_)
        if not state.is_failure or state is State.FAILED:
            state = worst([state, final])
        await self._workings.passage.wait()
        outputs, can_be_rendered = self._outputs(state)
        if not can_be_rendered and not state.is_failure:
            state = State.FAILED
        execution = replace(self.history.execution, outputs=outputs)
        self.history.change(execution.move(state, self.history.now()))
        await self.history.durable()

    def _settle(self) -> None:
        """After the tasks were stopped: end those of them that no coroutine has ended, and let others begin."""
        if not self._workings.is_killing:
            return
        final = {task.id for task in self.flow.finally_}  # an engine before this one may have begun them
        for run in reversed(self.history.task_runs()):
            if [run, *self.history.ancestors(run)][-1].task_id not in final:
                end_killed(self.history, run.id)
        self._workings.is_killing = False
        self._workings.passage.set()

    async def _admitted(self) -> State:
        date = self.history.execution.schedule_date
        if date is not None and self.history.execution.state is State.CREATED:
            await self.history.clock.sleep(max((date - self.history.now()).total_seconds(), 0))
        admitted = await self._slots.enter(self.flow, self.history, lambda: self._is_forced)
        if admitted is not State.RUNNING:
            self._logger().warning(f"{self.flow.uid} runs as often as its `concurrency` allows: {admitted}")
        elif self.history.execution.state not in (State.PAUSED, State.RETRYING):
            self.history.move(State.RUNNING)
        return admitted

    async def _kept_promises(self) -> State:
        """The tasks, while the flow's SLAs are watched."""
        promises = Promises(self.flow.sla, self._workings, self._stop)
        with promises.watched():
            return await self._tasks_with_retries()

    async def _tasks_with_retries(self) -> State:
        while True:
            state = State.FAILED
            if self.history.execution.state is not State.RETRYING:  # it is when an engine before this one waited
                state = await self._tasks()
                await self._workings.passage.wait()  # the end of the last one is no way out of a pause
            if state is not State.FAILED:
                return state
            retry = self.flow.retry or self._retry_of_task()
            if retry is None or not await self._waited_for_retry(retry):
                return state
            if retry.behavior is RetryBehavior.CREATE_NEW_EXECUTION:
                await self._workings.calls.again(self.flow, self.history.execution)
                return State.RETRIED
            await self._reopen_failed()

    def _retry_of_task(self) -> Retry | None:
        """What a task asks for that has failed and wants a new execution then."""
        failed = {run.task_id for run in self.history.task_runs() if run.state is State.FAILED}
        asked = (task.retry for task in self.flow.all_tasks() if task.id in failed and task.retry is not None)
        return next((retry for retry in asked if retry.behavior is RetryBehavior.CREATE_NEW_EXECUTION), None)

    async def _waited_for_retry(self, retry: Retry) -> bool:
        """Wait until the execution is to be tried again; False when it is not."""
        history, number = self.history, self.history.execution.attempt_number
        now, (state, since) = history.now(), history.execution.history.moves[-1]
        if state is not State.RETRYING:  # otherwise an engine before this one began to wait
            since = now
        wait = next_attempt(retry, number, await self._first_start(retry), since, random.random())
        if wait is None:
            return False
        history.move(State.RETRYING)
        await history.durable()
        await history.clock.sleep(max((since + wait - now).total_seconds(), 0))
        return True

    async def _first_start(self, retry: Retry) -> datetime:
        """When this execution began, or the first of those that it is a retry of."""
        execution = self.history.execution
        is_later = retry.behavior is RetryBehavior.CREATE_NEW_EXECUTION and execution.attempt_number > 1
        first = None
        if is_later and execution.original_id is not None:
            first = await asyncio.to_thread(self._workings.store.executions.get, execution.original_id)
        return (first or execution).start

    async def _reopen_failed(self) -> None:
        history = self.history
        revision = restarted(self.flow, history.task_runs(), history.now())
        await self._workings.store.executions.drop_task_runs(self.id, revision.dropped)
        history.revise(revision.kept)
        for run in revision.changed:
            history.save(run)
        number = history.execution.attempt_number + 1
        history.change(replace(history.execution, attempt_number=number).move(State.RUNNING, history.now()))
        self._workings.refresh()

    async def _tasks(self) -> State:
        scope = TaskScope(self._workings)
        tasks = [task for task in self.flow.tasks if not task.disabled]
        if any(task.depends_on for task in tasks):
            present = {task.id for task in tasks}
            needs = {task.id: [needed for needed in task.depends_on if needed in present] for task in tasks}
            return await scope.run_dag(tasks, needs)
        return await scope.run_sequence(tasks)

    async def _killable(self, work: Coroutine[None, None, State]) -> State:
        """Run a block that `kill` may cancel, or keep from beginning; a cancellation from outside goes through."""
        if self._workings.is_killing:
            work.close()
            return self._stopped_as
        async with asyncio.TaskGroup() as group:
            self._block = group.create_task(work)
        block, self._block = self._block, None
        return self._stopped_as if self._workings.is_killing else block.result()

    async def _after(self) -> None:
        """What runs once the final state is known."""
        await self._sequence(self.flow.after_execution)
        for listener in self.flow.listeners:
            self._workings.refresh()
            renderer = Renderer(self._workings.variables, self._workings.services)
            if listens(listener, renderer, self.history, self._logger()):
                await self._sequence(listener.tasks)

    async def _sequence(self, tasks: Sequence[Task]) -> State:
        if not tasks:
            return State.SUCCESS
        self._workings.refresh()
        return await TaskScope(self._workings).run_sequence(tasks)

    def _outputs(self, state: State) -> tuple[dict[str, JsonValue], bool]:
        """The flow's declared outputs; and whether each that is required could be rendered and none is too large."""
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
        try:
            check_size(outputs, self._workings.store.settings.max_output_bytes)
        except TaskFailedError as too_much:
            self._logger().error(f"outputs of the flow: {too_much}")
            return {}, False
        return outputs, complete

    def _logger(self) -> TaskLogger:
        return TaskLogger(self.history, None, None, None)
