"""The executions this engine owns: starting them, taking over those of dead engines, and a heartbeat meanwhile."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from datetime import timedelta

from nbflow.clock import Clock
from nbflow.engine.calling import Calls
from nbflow.engine.execution import ExecutionRun
from nbflow.engine.fixtures import Fixtures
from nbflow.engine.flows import Flows
from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.engine.limits import FlowSlots
from nbflow.engine.loop import EngineLoop
from nbflow.engine.pools import Pools
from nbflow.engine.revising import Revision, restarted
from nbflow.engine.starting import Start
from nbflow.engine.workings import Workings
from nbflow.errors import NbflowError
from nbflow.model.events import ExecutionChanged, TaskRunChanged
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.store import DETACHED, Store
from nbflow.types import JsonValue, new_id

LEASE = timedelta(seconds=10)
"""How long an engine is believed to live after its last heartbeat."""
_BEAT_SECONDS = 2.0
_LOOK_SECONDS = 0.1
_TAKE_SECONDS = 0.5
"""Between two looks at what others have handed out."""

_log = logging.getLogger(__name__)


def obey(run: ExecutionRun, name: str, payload: Mapping[str, JsonValue]) -> bool:
    """Carry out what somebody outside asks of an execution; whether there was something to do. On the loop."""
    match name:
        case "kill":
            run.kill()
            return True
        case "pause":
            return run.pause()
        case "resume":
            task_run_id, outputs = payload.get("taskRunId"), payload.get("outputs")
            return run.resume(
                task_run_id if isinstance(task_run_id, str) else None, outputs if isinstance(outputs, dict) else {}
            )
        case "force-run":
            return run.force()
    return False


class Ownership:
    """Runs executions on the engine's loop and keeps them this engine's own by a lease."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        clock: Clock,
        loop: EngineLoop,
        flows: Flows,
        *,
        takes_over: bool,
    ) -> None:
        self.engine_id = new_id()
        self._store = store
        self._hub = hub
        self._clock = clock
        self._loop = loop
        self._flows = flows
        self._calls = Calls(self, store, clock, flows)
        self._workers = asyncio.Semaphore(store.settings.worker_slots)
        self._takes_over = takes_over
        self._slots = FlowSlots(store)
        self._pools = Pools(store, self.engine_id)
        self._runs: dict[str, ExecutionRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_beating = False
        self.serves = False
        """Whether this engine stays, and takes what others hand out: that of a server, or whoever fires schedules."""

    def get(self, execution_id: str) -> ExecutionRun | None:
        """The run of an execution that this engine owns and that has not ended."""
        return self._runs.get(execution_id)

    def busy(self) -> int:
        """How many executions work here; those that wait for a date, a slot or somebody are not among them."""
        waiting = (State.CREATED, State.QUEUED, State.PAUSED)
        return sum(run.history.execution.state not in waiting for run in list(self._runs.values()))

    async def claim(self, execution_id: str) -> ExecutionRun | None:
        """Go on with an execution if no living engine owns it; None when one does, or it has ended."""
        if execution_id not in self._runs:
            await asyncio.to_thread(self._store.engines.bury, socket.gethostname(), _is_running)
            for claimed in await asyncio.to_thread(
                self._store.executions.claim_orphans, self.engine_id, self._clock.now(), (), execution_id
            ):
                self._adopt(claimed)
        return self._runs.get(execution_id)

    def flow_of(self, execution_id: str) -> Flow | None:
        """The flow of an execution that runs here, deployed or not."""
        run = self._runs.get(execution_id)
        return run.flow if run is not None else None

    async def begin(self) -> bool:
        """Say that this engine lives, and look after what dead ones left; True the first time. Call it on the loop."""
        if self._is_beating:
            return False
        self._is_beating = True
        self._beat()
        self._loop.own(self._keep_alive(), "nbflow-heartbeat")
        if self._takes_over:
            await self._take_over()
        return True

    async def start(
        self,
        flow: Flow,
        execution: Execution,
        task_runs: Sequence[TaskRun] = (),
        fixtures: Fixtures | None = None,
    ) -> ExecutionRun:
        """Record a new execution and start it; it is in the history when this returns.

        `task_runs` are what it starts from, when it takes up where another one was; `fixtures` stand for tasks of it.
        """
        history = self._history(execution, [], 0)
        for run in task_runs:
            history.save(run)
        history.change(execution)  # last: a crash in between must not leave it with less than it starts from
        await history.durable()
        return self._go(flow, history, fixtures)

    async def hand_out(self, start: Start) -> Execution:
        """Record a new execution that an engine that serves is to run."""
        history = self._history(start.execution, [], 0, owner=DETACHED)
        for level, note in start.notes:
            history.log(level, note)
        history.change(start.execution)
        await history.durable()
        return start.execution

    def take_up(self, flow: Flow, execution: Execution) -> ExecutionRun:
        """Run a new execution that is in the history already, as this engine's own. Call it on the loop."""
        history = self._history(execution, [], 1)
        self._hub.publish(ExecutionChanged(execution))
        return self._go(flow, history)

    async def restart(self, flow: Flow, execution: Execution) -> ExecutionRun | None:
        """Go on with an execution that has failed: its failed task runs get another attempt; None if somebody does."""
        runs = await asyncio.to_thread(self._store.executions.task_runs, execution.id)
        return await self.reopen(flow, execution, restarted(flow, runs, self._clock.now()))

    async def reopen(self, flow: Flow, execution: Execution, revision: Revision) -> ExecutionRun | None:
        """Go on with an execution that has ended, from these task runs; None when somebody else does already."""
        former = self._runs.get(execution.id)
        if former is not None:  # its state is known, and what runs after its end still runs
            await former.ended.wait()
        executions = self._store.executions
        seq = await asyncio.to_thread(executions.last_seq, execution.id) + 1
        execution = execution.move(State.RESTARTED, self._clock.now())
        notes = self._hub.noted(execution)
        if not await executions.reopen(execution, seq, self.engine_id, revision.changed, revision.dropped, notes):
            return None
        history = self._history(execution, revision.kept, seq + len(revision.changed))
        self._hub.publish(ExecutionChanged(execution))
        for run in revision.changed:
            self._hub.publish(TaskRunChanged(run))
        return self._go(flow, history)

    def close(self) -> None:
        """Give the lease back, so that another engine may go on at once."""
        if self._is_beating:
            self._is_beating = False
            self._store.engines.remove(self.engine_id)

    def _go(self, flow: Flow, history: History, fixtures: Fixtures | None = None) -> ExecutionRun:
        execution = history.execution
        workings = Workings(flow, history, self._store, self._calls, self._workers, self._pools, fixtures)
        run = ExecutionRun(flow, workings, self._slots)
        self._runs[execution.id] = run
        self._tasks[execution.id] = self._loop.own(self._run(run), f"nbflow-{execution.id}")
        return run

    async def _run(self, run: ExecutionRun) -> None:
        try:
            await run.run()
        finally:
            self._runs.pop(run.id, None)
            self._tasks.pop(run.id, None)

    def _history(
        self, execution: Execution, task_runs: list[TaskRun], last_seq: int, owner: str | None = None
    ) -> History:
        return History(
            execution,
            task_runs,
            owner=owner or self.engine_id,
            last_seq=last_seq,
            writer=self._store.writer,
            hub=self._hub,
            clock=self._clock,
        )

    def _beat(self) -> None:
        info: dict[str, JsonValue] = {"host": socket.gethostname(), "pid": os.getpid()}
        self._store.engines.beat(self.engine_id, self._clock.now(), LEASE, info)

    async def _keep_alive(self) -> None:
        """Beat, carry out what other processes ask for, and take over what dead engines left."""
        version = -1
        until_beat, until_take, may_be_handed = _BEAT_SECONDS, 0.0, True
        looked = self._clock.now()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            until_beat -= _LOOK_SECONDS
            looked, before = self._clock.now(), looked
            try:
                if looked - before > LEASE:  # this machine slept, and others may have gone on meanwhile
                    until_beat = 0
                    await self._let_go_of_lost()
                if until_beat <= 0:
                    until_beat = _BEAT_SECONDS
                    await asyncio.to_thread(self._beat)
                    if self._takes_over:
                        await self._take_over()
                if self._runs or self.serves:
                    seen = self._store.data_version()
                    if seen != version:
                        version, may_be_handed = seen, self.serves
                        self._obey()
                until_take -= _LOOK_SECONDS
                if may_be_handed and until_take <= 0:
                    may_be_handed, until_take = False, _TAKE_SECONDS
                    await self._take_handed_out()
            except NbflowError as error:  # a full disk or a lock: the next round may fare better
                _log.warning("the engine's heartbeat failed: %s", error, extra={"action": "heartbeat_failed"})

    async def _let_go_of_lost(self) -> None:
        """Stop what runs here although another engine has taken it over."""
        for execution_id in list(self._runs):
            owner = await asyncio.to_thread(self._store.executions.owner, execution_id)
            if owner != self.engine_id and execution_id in self._tasks:
                _log.warning(
                    "execution %s was taken over by another engine", execution_id, extra={"action": "lease_lost"}
                )
                self._tasks[execution_id].cancel()

    def _obey(self) -> None:
        for command in self._store.commands.take(list(self._runs)):
            run = self._runs.get(command.execution_id)
            if run is not None:
                obey(run, command.name, command.payload)

    async def _take_handed_out(self) -> None:
        """Take at once what others have handed out; what the dead left can wait for the next beat."""
        if self._takes_over and await asyncio.to_thread(self._store.executions.has_detached):
            await self._take_over()

    async def _take_over(self) -> None:
        await asyncio.to_thread(self._store.engines.bury, socket.gethostname(), _is_running)
        orphans = await asyncio.to_thread(
            self._store.executions.claim_orphans,
            self.engine_id,
            self._clock.now(),
            tuple(self._runs),
            serves=self.serves,
        )
        for execution_id in orphans:
            if execution_id not in self._runs:
                self._adopt(execution_id)

    def _adopt(self, execution_id: str) -> None:
        """Go on with an execution from its history."""
        executions = self._store.executions
        execution = executions.get(execution_id)
        if execution is None or execution.state.is_terminal:
            return
        history = self._history(execution, executions.task_runs(execution_id), executions.last_seq(execution_id))
        try:
            flow = self._flows.get(execution.namespace, execution.flow_id, execution.flow_revision)
        except NbflowError as error:
            _log.warning("execution %s cannot go on: %s", execution_id, error, extra={"action": "takeover_failed"})
            return
        _log.info("took over execution %s", execution_id, extra={"action": "taken_over"})
        self._go(flow, history)


def _is_running(pid: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 asks nothing there; the lease runs out by itself
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it runs, and belongs to somebody else
    return True
