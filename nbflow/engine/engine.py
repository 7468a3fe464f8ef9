"""The engine: one verb a method, each with an `async` twin whose name begins with `a`."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from nbflow.clock import Clock, SystemClock
from nbflow.engine.detaching import Detaching
from nbflow.engine.fixtures import Fixtures
from nbflow.engine.flows import Flows
from nbflow.engine.following import afollow, follow, wait_for_state
from nbflow.engine.handle import Execution
from nbflow.engine.hub import Hub, Watcher
from nbflow.engine.loop import EngineLoop, awaitable, blocking, in_thread
from nbflow.engine.measuring import measured
from nbflow.engine.ownership import Ownership
from nbflow.engine.reviewing import render_in
from nbflow.engine.starting import Start, check_labels, new_execution
from nbflow.engine.triggers.listening import Listening
from nbflow.errors import ConflictError, ExecutionNotFoundError, Problem, WaitTimeoutError
from nbflow.model import execution as records
from nbflow.model.events import Event
from nbflow.model.execution import LogEntry, Metric, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.settings import Settings
from nbflow.store import Store
from nbflow.types import JsonValue

_STOP_SECONDS = 10.0


class Engine(Detaching):
    """Deploys flows, runs them and knows what has been run; several may share one home.

    `home` is where history and files are kept; None finds it (`NBFLOW_HOME`, a `.nbflow` folder found upwards,
    `~/.nbflow`). Nothing runs until something is asked for. An engine that `takes_over` goes on with executions whose
    engine has died; one with `scheduler` fires what is due.
    Example: `with Engine() as engine: engine.deploy(text); engine.run("company.team", "hello", wait=True)`
    """

    _default: ClassVar[Engine | None] = None
    _default_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
        takes_over: bool = True,
        scheduler: bool = False,
    ) -> None:
        self.settings = settings or Settings.load(home)
        self.store = Store(self.settings)
        self.loop = EngineLoop()
        self._clock = clock or SystemClock()
        self._hub = Hub()
        self._flows = Flows(self.store, self._clock)
        self._owned = Ownership(self.store, self._hub, self._clock, self.loop, self._flows, takes_over=takes_over)
        self._listening = Listening(
            self.store, self._clock, self._hub, self.loop, self._flows, self._owned, takes_over=takes_over
        )
        self._keep_time(scheduler=scheduler)

    @classmethod
    def default(cls) -> Engine:
        """The engine of this process's own home; made on first use."""
        with cls._default_lock:
            if cls._default is None:
                cls._default = cls()
            return cls._default

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop: what runs is left in the history for another engine to go on with. May be called again."""
        atexit.unregister(self.close)
        self.loop.stop(_STOP_SECONDS)
        self._owned.close()
        self.store.close()
        with self._default_lock:
            if type(self)._default is self:
                type(self)._default = None

    def deploy(self, text: str, *, strict: bool = False) -> Flow:
        """Save a flow; a new revision only if its text has changed.

        `strict` refuses also a flow with expressions that would fail when a run gets to them, as `validate` tells.
        Raises: FlowValidationError with every problem; nothing is saved then.
        """
        return self._flows.deploy(text, strict=strict)

    adeploy = in_thread(deploy)

    def validate(self, text: str) -> list[Problem]:
        """Every problem of a flow's text, warnings included; an empty list when there is none."""
        return self._flows.validate(text)

    avalidate = in_thread(validate)

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> Flow:
        """A deployed flow; its newest revision unless one is named. Raises: FlowNotFoundError."""
        return self._flows.get(namespace, flow_id, revision)

    aflow = in_thread(flow)

    def flows(self, namespace: str | None = None) -> list[Flow]:
        """The newest revision of every flow, of one namespace or of all, sorted by namespace and id."""
        return self._flows.all(namespace)

    aflows = in_thread(flows)

    def delete_flow(self, namespace: str, flow_id: str) -> None:
        """Delete a flow; its executions stay. Raises: FlowNotFoundError."""
        self._flows.delete(namespace, flow_id)

    adelete_flow = in_thread(delete_flow)

    async def _run(
        self,
        namespace: str,
        flow_id: str,
        inputs: Mapping[str, object] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        revision: int | None = None,
        wait: bool = False,
        timeout: float | None = None,
        trigger: Mapping[str, JsonValue] | None = None,
        kind: str | None = None,
        schedule_date: datetime | None = None,
    ) -> Execution:
        """Start an execution of a deployed flow; with `wait`, return once it has ended.

        `inputs` are Python values or texts; a FILE is given as a path. `timeout` is in seconds. With a `schedule_date`
        that is still to come it stays CREATED until then.
        Raises: FlowNotFoundError, InputError, ConflictError when the flow is disabled, WaitTimeoutError (the
        execution goes on).
        """
        check_labels(labels or {})
        flow = await asyncio.to_thread(self.flow, namespace, flow_id, revision)
        if flow.disabled or flow.draft:
            state = "disabled" if flow.disabled else "a draft"
            raise ConflictError(f"the flow {flow.uid} is {state}", hint="deploy it without that to run it")
        return await self._run_flow(
            flow,
            inputs,
            labels=labels,
            wait=wait,
            timeout=timeout,
            trigger=trigger,
            kind=kind,
            schedule_date=schedule_date,
        )

    run = blocking(_run)
    arun = awaitable(_run)

    async def _run_flow(
        self,
        flow: Flow,
        inputs: Mapping[str, object] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        wait: bool = False,
        timeout: float | None = None,
        trigger: Mapping[str, JsonValue] | None = None,
        kind: str | None = None,
        schedule_date: datetime | None = None,
        fixtures: Fixtures | None = None,
    ) -> Execution:
        """As `run`, of a flow that need not be deployed: no other engine takes it over. `fixtures` are for tests."""
        await self._begin()
        start = new_execution(
            flow,
            inputs or {},
            labels or {},
            self.store,
            self._clock,
            trigger=trigger,
            kind=kind,
            schedule_date=schedule_date,
        )
        started = await self._fire(flow, start, fixtures)
        return await self._wait(started.id, None, timeout) if wait else started

    async def _begin(self) -> None:
        """Start what an engine does beside its verbs: its heartbeat, listening for Flow triggers, and taking over."""
        await self._listening.begin()
        if await self._owned.begin():
            # Only now: the store ends itself at exit too, and what is registered later is called earlier.
            atexit.register(self.close)

    async def _webhook(
        self,
        namespace: str,
        flow_id: str,
        key: str,
        body: JsonValue | bytes = None,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str | Sequence[str]] | None = None,
    ) -> Execution | None:
        """Call the webhook of a flow that has this key; None when its conditions reject the call.

        A body that is a JSON object or list is seen as such. Raises: NotFoundError for a wrong key, FlowNotFoundError,
        InputError, TemplateError, ConflictError when the flow is disabled or a check blocks the execution.
        """
        from nbflow.engine.triggers.webhook import called  # loads conditions, which most engines never ask

        await self._begin()
        flow = await asyncio.to_thread(self.flow, namespace, flow_id)
        start = await asyncio.to_thread(
            called, flow, key, body, parameters or {}, headers or {}, self.store, self._clock
        )
        return await self._fire(flow, start) if start is not None else None

    webhook = blocking(_webhook)
    awebhook = awaitable(_webhook)

    async def _poll(self, namespace: str, flow_id: str, trigger_id: str) -> Execution | None:
        """Let a polling trigger look now, whenever its turn is; None when it saw nothing to start an execution for.

        Raises: NotFoundError when the flow has no polling trigger of this id, FlowNotFoundError, TemplateError,
        InputError, ConflictError when the flow is disabled, TaskFailedError when it cannot look.
        """
        from nbflow.engine.triggers.polling import look_now, polling_trigger  # loads conditions, which most never ask

        await self._begin()
        flow = await asyncio.to_thread(self.flow, namespace, flow_id)
        trigger = polling_trigger(flow, trigger_id)
        return await look_now(flow, trigger, self.store, self._clock, lambda start: self._fire(flow, start))

    poll = blocking(_poll)
    apoll = awaitable(_poll)

    async def _fire(self, flow: Flow, start: Start, fixtures: Fixtures | None = None) -> Execution:
        """Run what somebody, or a trigger, starts."""
        run = await self._owned.start(flow, start.execution, fixtures=fixtures)
        for level, note in start.notes:
            run.history.log(level, note)
        return Execution(self, start.execution)

    run_flow = blocking(_run_flow)
    arun_flow = awaitable(_run_flow)

    async def _wait(self, execution_id: str, state: str | None = None, timeout: float | None = None) -> Execution:
        """Return once an execution is in a state; None: once it has ended.

        Raises: WaitTimeoutError after `timeout` seconds, or when it has ended in another state.
        """
        await self._begin()
        try:
            async with asyncio.timeout(timeout):
                run = self._owned.get(execution_id)
                if run is not None and state is None:
                    await run.ended.wait()
                record = await wait_for_state(self.store, execution_id, state)
        except TimeoutError:
            goal = f"be {state}" if state else "end"
            raise WaitTimeoutError(
                f"execution {execution_id} did not {goal} within {timeout:g} s", hint="it goes on; wait again"
            ) from None
        return Execution(self, record)

    wait = blocking(_wait)
    await_ = awaitable(_wait)

    def execution(self, execution_id: str) -> Execution:
        """One execution. Raises: ExecutionNotFoundError."""
        return Execution(self, self.record(execution_id))

    aexecution = in_thread(execution)

    def executions(
        self,
        namespace: str | None = None,
        flow_id: str | None = None,
        state: str | State | list[str] | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        limit: int = 100,
        before_id: str | None = None,
    ) -> list[Execution]:
        """Executions, newest first, at most `limit`; go on with `before_id`, the id of the last one seen."""
        states = [state] if isinstance(state, str) else state or []
        found = self.store.executions.list(
            namespace=namespace,
            flow_id=flow_id,
            states=tuple(State(each) for each in states),
            labels=dict(labels or {}),
            limit=limit,
            before_id=before_id,
        )
        return [Execution(self, record) for record in found]

    aexecutions = in_thread(executions)

    def render(
        self,
        text: str,
        execution_id: str,
        *,
        task: str | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """What a text comes to in an execution as it stands; as a property of a task (run) when one is named.

        `variables` go beside those of the execution. Raises: TemplateError, ExecutionNotFoundError, NotFoundError.
        """
        record = self.record(execution_id)
        flow = self._flows.of(record)
        runs = self.task_runs_of(execution_id)
        return render_in(text, flow, record, runs, self.store, self._clock, task=task, extra=variables)

    arender = in_thread(render)

    def events(self, execution_id: str, after: int = 0) -> Iterator[tuple[int, Event]]:
        """What happened after number `after` of an execution, then what happens, until it has ended."""
        return follow(self.store, execution_id, after)

    def aevents(self, execution_id: str, after: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """As `events`, inside an event loop."""
        return afollow(self.store, execution_id, after)

    def subscribe(self, watcher: Watcher, execution_id: str | None = None) -> Callable[[], None]:
        """Be called with each event of this engine, on its thread: be quick. Returns what ends it."""
        return self._hub.subscribe(watcher, execution_id)

    def sql(self, query: str, tables: Mapping[str, object] | None = None) -> object:
        """What a query of the history answers, as a data frame, without pandas as rows; `tables` are frames to join.

        Raises: SqlError. Example: `engine.sql("SELECT flow_id, avg(duration) FROM executions GROUP BY ALL")`
        """
        self.store.writer.flush()
        return self.store.sql.answer(query, tables)

    asql = in_thread(sql)

    def read_file(self, uri: str) -> bytes:
        """A file of the internal storage. Raises: StoredFileNotFoundError."""
        return self.store.files.read_bytes(uri)

    aread_file = in_thread(read_file)

    def _handle(self, record: records.Execution) -> Execution:
        return Execution(self, record)

    def runs(self, execution_id: str) -> bool:
        """Whether this very engine runs an execution, so that it would stop with it."""
        return self._owned.get(execution_id) is not None

    def record(self, execution_id: str) -> records.Execution:
        """The record of an execution. Raises: ExecutionNotFoundError."""
        self._see_own_writes(execution_id)
        record = self.store.executions.get(execution_id)
        if record is None:
            raise ExecutionNotFoundError(
                f"there is no execution `{execution_id}`", hint="`nbflow executions list` shows those there are"
            )
        return record

    def task_runs_of(self, execution_id: str) -> list[TaskRun]:
        """The task runs of an execution, in the order of their creation."""
        self._see_own_writes(execution_id)
        return self.store.executions.task_runs(execution_id)

    def metrics_of(self, execution_id: str) -> list[Metric]:
        """The numbers of an execution: those its tasks reported, and those that follow from its history."""
        runs = self.task_runs_of(execution_id)
        return measured(runs, self.store.metrics.list(execution_id), self._clock.now())

    def logs_of(
        self,
        execution_id: str,
        min_level: LogLevel | None = None,
        task_id: str | None = None,
        last: int | None = None,
    ) -> list[LogEntry]:
        """The log of an execution, oldest line first."""
        self._see_own_writes(execution_id)
        return self.store.logs.list(execution_id, min_level=min_level, task_id=task_id, last=last)

    def _see_own_writes(self, execution_id: str) -> None:
        """Let a reader in this process see what has happened, also what is still on its way to the disk."""
        if self._owned.get(execution_id) is not None:
            self.store.writer.flush()
