"""Look up or run a child: the window through which a flowable task runs the tasks inside it.

run(child) ── ended in the history? ──► its record
          └── else: create ─► skip? ─► runnable: attempts until one ends it
                                     └► flowable: its coroutine, then `errors`, then `finally`
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from nbflow.engine.attempt import Result
from nbflow.engine.attempts import run_attempts, run_calls
from nbflow.engine.calls import CalledHistory
from nbflow.engine.context import TaskContext, TaskLogger
from nbflow.engine.fixtures import mocked
from nbflow.engine.history import History
from nbflow.engine.output_limits import check_size
from nbflow.engine.rendering import Renderer, variables_now
from nbflow.engine.services import ExecutionServices
from nbflow.engine.skipping import may_run
from nbflow.engine.variables import RoundOutputs, task_run_shape, task_run_variables
from nbflow.engine.workings import Workings
from nbflow.errors import NbflowError, TaskFailedError
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.policies import Retry
from nbflow.model.state import State, worst
from nbflow.model.task import Task, walk
from nbflow.plugins import FlowableTask, Outcome, RunContext, RunnableTask, TaskLog
from nbflow.source import unknown_pool
from nbflow.types import JsonValue

_NOT_BEGUN = (State.CREATED, State.RESTARTED)
"""Only then is it asked whether a task is to run: what had begun before a crash goes on, whatever has come since."""


class TaskScope:
    """The place of one flowable task run, or of the flow itself; implements `nbflow.plugins.Scope`."""

    def __init__(
        self,
        workings: Workings,
        task_run: TaskRun | None = None,
        task: FlowableTask | None = None,
        outer: TaskScope | None = None,
    ) -> None:
        self._workings = workings
        self._history = workings.history
        self._run_id = task_run.id if task_run is not None else None
        self._task = task
        self._retry: Retry | None = task.retry if task is not None else None
        self._names: Mapping[str, object] = {}
        self._round: tuple[str | None, int | None] = (None, None)
        self._directory: Path | None = None
        self._own_context: TaskContext | None = None
        self._pools: frozenset[str | None] = frozenset()
        if outer is not None:
            self._retry = self._retry or outer._retry
            self._names = outer._names
            self._directory = outer._directory
            self._pools = outer._pools
        if task is not None and task.pool is not None:
            self._pools |= {task.pool}
        self.log: TaskLog = TaskLogger(workings.history, task_run, None, task.log_level if task else None)

    @property
    def task_run(self) -> TaskRun:
        assert self._run_id is not None, "the flow itself has no task run"
        return self._history.by_id(self._run_id)

    @property
    def labels(self) -> Mapping[str, str]:
        labels = self._history.execution.labels
        return {key: value for key, value in labels if not key.startswith("system.")}

    async def run(self, child: Task, *, value: str | None = None, iteration: int | None = None) -> TaskRun | None:
        if child.disabled:
            return None
        parent = self._run_id
        if value is None and iteration is None:
            value, iteration = self._round
        run = self._history.find(parent, child.id, value, iteration)
        if run is not None and run.state.is_terminal:
            return run
        await self._workings.passage.wait()
        if self._workings.is_killing:
            await asyncio.sleep(0)  # the cancellation is on its way: let it come before something begins
        if run is None:
            run = self._history.create(parent, child.id, value, iteration)
        try:
            verdict = self._verdict(child, run)
            if verdict is not None:
                return await self._end(child, run, Result(verdict))
            if self._workings.fixtures is not None:
                fixture = self._workings.fixtures.find(child.id, self._loop_values(run))
                if fixture is not None:
                    return await self._end(
                        child, *await mocked(fixture, run, self._history, self._renderer(child, run))
                    )
            if child.pool is not None and not self._may_enter(child.pool, run):
                return await self._end(child, run, Result(State.FAILED))
            if isinstance(child, RunnableTask):
                retry = child.retry or self._retry
                ended, result = await run_attempts(
                    self._workings, child, run, retry, lambda run: self._renderer(child, run), self._directory
                )
                return await self._end(child, ended, result)
            assert isinstance(child, FlowableTask), f"{child.type} neither works nor runs children"
            async with self._workings.pools.slot(child, self._history, run) as run:
                return await self._run_flowable(child, run)
        except asyncio.CancelledError:
            if self._workings.is_killing:
                end_killed(self._history, run.id)
            raise

    def _verdict(self, child: Task, run: TaskRun) -> State | None:
        """The state that a task run ends in without having run; None when it is to run."""
        if run.state not in _NOT_BEGUN or not (child.conditions or child.run_if is not None):
            return None
        log = TaskLogger(self._history, run, None, child.log_level)
        return may_run(child, self._renderer(child, run), self._history, log)

    async def run_sequence(
        self, children: Sequence[Task], *, value: str | None = None, iteration: int | None = None
    ) -> State:
        states = []
        for child in children:
            run = await self.run(child, value=value, iteration=iteration)
            if run is None:
                continue
            states.append(run.state)
            if run.state.is_failure:
                break
        return worst(states)

    async def run_together(self, jobs: Sequence[Coroutine[object, object, State]], *, limit: int = 0) -> list[State]:
        slots = asyncio.Semaphore(limit)

        async def within_limit(job: Coroutine[object, object, State]) -> State:
            async with slots:
                return await job

        try:
            if limit == 1:
                return [await job for job in jobs]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(within_limit(job) if limit else job) for job in jobs]
            return [task.result() for task in tasks]
        finally:
            for job in jobs:
                job.close()  # a kill leaves some that nobody has begun to await

    async def run_dag(self, children: Sequence[Task], needs: Mapping[str, Sequence[str]], *, limit: int = 0) -> State:
        ended = {child.id: asyncio.Event() for child in children}
        states: dict[str, State] = {}
        slots = asyncio.Semaphore(limit) if limit else None

        async def when_ready(child: Task) -> None:
            for needed in needs.get(child.id, ()):
                await ended[needed].wait()
            # A task that failed, or was not reached, keeps those that need it from running.
            if all(needed in states and not states[needed].is_failure for needed in needs.get(child.id, ())):
                if slots is not None:
                    async with slots:
                        run = await self.run(child)
                else:
                    run = await self.run(child)
                states[child.id] = run.state if run is not None else State.SUCCESS
            ended[child.id].set()

        async with asyncio.TaskGroup() as group:
            for child in children:
                group.create_task(when_ready(child))
        return worst(states.values())

    @property
    def names(self) -> Mapping[str, object]:
        return self._names

    def round(self, value: str, iteration: int, names: Mapping[str, object]) -> TaskScope:
        assert self._task is not None, "the flow itself has no rounds"
        run = self.task_run
        inside = TaskScope(self._workings, run, self._task, self)
        inside._round = (value, iteration)
        path = [*self._loop_values(run), value]
        outputs = RoundOutputs(self._outputs, path, frozenset(task.id for task in walk(list(self._task.children()))))
        inside._names = {**self._names, **names, "outputs": outputs}
        return inside

    def render(self, value: object, *, taskrun: Mapping[str, object] | None = None) -> object:
        assert self._task is not None, "the flow itself has nothing to render"
        renderer = self._renderer(self._task, self.task_run)
        if taskrun is None:
            return renderer.value(value, keeps_types=True)
        own = renderer.variables["taskrun"]
        assert isinstance(own, dict)
        return renderer.value(value, keeps_types=True, extra={"taskrun": {**own, **taskrun}})

    def report(self, outputs: Mapping[str, JsonValue]) -> None:
        run = self._history.save(replace(self.task_run, outputs=outputs))
        self._history.outputs.put(run, self._loop_values(run))

    async def wait_until(self, moment: datetime) -> None:
        left = (moment - self._history.now()).total_seconds()
        if left > 0:
            await self._history.clock.sleep(left)

    async def pause(self, until: datetime | None = None, *, goes_on: bool = True) -> TaskRun:
        return await self._workings.pause(self.task_run, until, goes_on)

    async def store(self, name: str, content: bytes) -> str:
        return await asyncio.to_thread(self._context().store_bytes, content, name)

    def share_directory(self) -> RunContext:
        if self._own_context is None:
            self._own_context = self._context()
            self._directory = self._own_context.working_dir
            self._names = {**self._names, "workerTaskrun": task_run_shape(self.task_run)}
        return self._own_context

    async def call_flow(
        self,
        namespace: str,
        flow_id: str,
        *,
        inputs: Mapping[str, JsonValue],
        labels: Mapping[str, str],
        revision: int | None = None,
        wait: bool = True,
        key: str = "",
    ) -> Execution:
        return await self._workings.calls.call(
            self._history.execution, self.task_run, namespace, flow_id, inputs, labels, revision, wait, key
        )

    async def read_tasks(self, namespace: str, flow_id: str) -> tuple[Sequence[Task], Sequence[Task]]:
        run = self.task_run
        if any(above.task_id == run.task_id for above in self._history.ancestors(run)):  # ids are unique in a flow
            raise TaskFailedError(f"`{run.task_id}` lies in itself: {namespace}.{flow_id} has itself among its tasks")
        flow = await asyncio.to_thread(self._workings.calls.flow, namespace, flow_id)
        return flow.tasks, flow.errors

    async def render_within(self, execution: Execution, value: object) -> object:
        store, calls = self._workings.store, self._workings.calls
        flow = await asyncio.to_thread(calls.flow, execution.namespace, execution.flow_id, execution.flow_revision)
        task_runs = await asyncio.to_thread(store.executions.task_runs, execution.id)
        history = CalledHistory(execution, task_runs, self._history, store.writer)
        services = ExecutionServices(history, store, self._workings.services.source)
        return Renderer(variables_now(flow, history, store, services), services).value(value, keeps_types=True)

    @property
    def _outputs(self) -> Mapping[str, object]:
        """What `outputs` means here."""
        outputs = self._names.get("outputs", self._history.outputs.tree)
        assert isinstance(outputs, Mapping)
        return outputs

    def _renderer(self, task: Task, run: TaskRun) -> Renderer:
        ancestors = self._history.ancestors(run)
        own = task_run_variables(task.id, task.type, run, ancestors)
        worker, shape = self._names.get("workerTaskrun"), own["taskrun"]
        assert isinstance(shape, dict)
        if isinstance(worker, dict) and "value" in worker:  # a shared directory hands on its round of a loop
            shape.setdefault("value", worker["value"])
        return Renderer({**self._workings.variables, **self._names, **own}, self._workings.services)

    def _loop_values(self, run: TaskRun) -> list[str]:
        """The values of the loops that a task run lies in, the outermost first."""
        around = [run, *self._history.ancestors(run)]
        return [each.value for each in reversed(around) if each.value is not None]

    def _context(self) -> TaskContext:
        """Files of this flowable's own."""
        assert self._task is not None, "the flow itself has no files"
        run = self.task_run
        renderer = self._renderer(self._task, run)
        return TaskContext(self._history, self._workings.store, renderer, run, self._task.log_level)

    def _may_enter(self, pool: str, run: TaskRun) -> bool:
        """Whether a pool can be waited for: there is such a one, and no task run around this one holds a slot of it."""
        pools = self._workings.store.settings.pools
        log = TaskLogger(self._history, run, None, None)
        if pool not in pools:
            message, hint = unknown_pool(pool, pools)
            log.error("%s", NbflowError(message, hint=hint))
        elif pool in self._pools:
            log.error("a task around this one holds a slot of the pool `%s`: it would wait for ever", pool)
        return pool in pools and pool not in self._pools

    async def _run_flowable(self, task: FlowableTask, run: TaskRun) -> TaskRun:
        if run.state is not State.PAUSED:  # it was paused when the engine before this one ended, and still is
            run = self._history.save(run.move(State.RUNNING, self._history.now()))
        scope = TaskScope(self._workings, run, task, self)
        try:
            outcome = await scope._run_task(task, self._retry)
            state = outcome.state
            if state is State.FAILED and task.errors:
                self._workings.refresh()  # they may ask for `error`
                await scope.run_sequence(task.errors)
            if task.finally_:
                state = worst([state, await scope.run_sequence(task.finally_)])
        finally:
            if scope._own_context is not None:
                await asyncio.shield(asyncio.to_thread(scope._own_context.close))
        return await self._end(task, scope.task_run, Result(state, outcome.outputs))

    async def _run_task(self, task: FlowableTask, retry_around: Retry | None) -> Outcome:
        """What a flowable comes to, at the last attempt if it has such."""
        if not task.is_attempted:
            return await self._try_task(task)

        async def call() -> Result:
            outcome = await self._try_task(task)
            return Result(outcome.state, outcome.outputs)

        run, result = await run_calls(self._workings, task, self.task_run, task.retry or retry_around, call)
        self._history.save(run)
        return Outcome(result.state, result.outputs)

    async def _try_task(self, task: FlowableTask) -> Outcome:
        """What a flowable's own code decides; its failure is an outcome."""
        try:
            outcome = await task.run(self)
        except (NbflowError, ValueError) as error:
            self.log.error("%s", error)
            return Outcome(State.FAILED, self.task_run.outputs)
        try:
            check_size(outcome.outputs, self._workings.store.settings.max_output_bytes)
        except TaskFailedError as too_much:
            self.log.error("%s", too_much)
            return Outcome(State.FAILED)
        return outcome

    async def _end(self, task: Task, run: TaskRun, result: Result) -> TaskRun:
        """Record how a task run ended; what depends on it may start once this returns."""
        run = replace(run, outputs=result.outputs).move(forgiven(task, result.state), self._history.now())
        self._history.save(run)
        await self._history.durable()
        if self._workings.on_task_end is not None:
            self._workings.on_task_end()
        return run


def end_killed(history: History, run_id: str) -> None:
    """Record that a task run was killed, unless it has ended."""
    end_as(history, run_id, State.KILLED)


def end_as(history: History, run_id: str, state: State) -> None:
    """Record that a task run, and its attempt, ended in a state; nothing if it had ended before."""
    run = history.by_id(run_id)
    if run.state.is_terminal:
        return
    now = history.now()
    attempts = run.attempts
    if attempts and not attempts[-1].state.is_terminal:
        attempts = (*attempts[:-1], attempts[-1].move(state, now))
    history.save(replace(run, attempts=attempts).move(state, now))


def forgiven(task: Task, state: State) -> State:
    """The state of a task run after its task's `allowFailure` and `allowWarning`."""
    if state is State.FAILED and task.allow_failure:
        state = State.WARNING
    if state is State.WARNING and task.allow_warning:
        state = State.SUCCESS
    return state
