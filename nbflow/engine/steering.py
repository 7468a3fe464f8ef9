"""What may be asked of an execution from outside: kill, pause, resume, force, restart, replay, a state, deletion."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.amending import Amending
from nbflow.engine.flows import Flows
from nbflow.engine.handle import Execution
from nbflow.engine.loop import EngineLoop, awaitable, blocking, in_thread
from nbflow.engine.ownership import Ownership, obey
from nbflow.engine.replaying import replay
from nbflow.engine.resuming import resumption
from nbflow.engine.revising import Revision, marked, restarted
from nbflow.errors import BulkError, ConflictError, ExecutionNotFoundError, Problem
from nbflow.model import execution as records
from nbflow.model.execution import TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.store import Store
from nbflow.types import JsonValue

_ANSWER_SECONDS = 5.0
_LOOK_SECONDS = 0.02


class Steering(Amending):
    """The verbs of an engine that move executions on; those of other engines are asked through the history."""

    store: Store
    loop: EngineLoop
    _clock: Clock
    _flows: Flows
    _owned: Ownership

    async def _kill(self, execution_id: str) -> Execution:
        """End an execution, and every process it started. Raises: ConflictError when it has ended already."""
        record = self.record(execution_id)
        if record.state.is_terminal:
            raise ConflictError(f"execution {execution_id} has ended already: {record.state}")
        await self._ask(record, "kill", {})
        return self._handle(record)

    kill = blocking(_kill)
    akill = awaitable(_kill)

    async def _pause(self, execution_id: str) -> Execution:
        """Let no task of an execution begin until it is resumed. Raises: ConflictError when it is not running."""
        record = self._in_state(execution_id, "pause", State.RUNNING)
        return await self._asked(record, "pause", {}, lambda now: State.PAUSED in _moves_since(record, now))

    pause = blocking(_pause)
    apause = awaitable(_pause)

    async def _resume(self, execution_id: str, inputs: Mapping[str, object] | None = None) -> Execution:
        """Let a paused execution go on; `inputs` are what its Pause task asks for with `onResume`.

        Of several pauses the one that began first. Raises: ConflictError when it is not paused; InputError.
        """
        record = self._in_state(execution_id, "resume", State.PAUSED)
        resumption = await asyncio.to_thread(self._resumption, record, inputs or {})
        paused = resumption.get("taskRunId")
        if not isinstance(paused, str):
            return await self._asked(record, "resume", resumption, lambda now: bool(_moves_since(record, now)))
        # Of several pauses, the others may keep the execution PAUSED.
        return await self._asked(
            record, "resume", resumption, lambda now: paused not in {run.id for run in self._paused_in(now.id)}
        )

    resume = blocking(_resume)
    aresume = awaitable(_resume)

    async def _force_run(self, execution_id: str) -> Execution:
        """Run an execution that is queued, beyond the `concurrency` of its flow. Raises: ConflictError."""
        record = self._in_state(execution_id, "force", State.QUEUED)
        return await self._asked(record, "force-run", {}, lambda now: bool(_moves_since(record, now)))

    force_run = blocking(_force_run)
    aforce_run = awaitable(_force_run)

    async def _restart(self, execution_id: str, *, revision: int | None = None) -> Execution:
        """Go on with an execution that has failed: its failed task runs get another attempt.

        `revision` names another revision of its flow to go on with. It is under way again when this returns.
        Raises: ConflictError when there is nothing to restart, FlowNotFoundError.
        """
        record = self._ended(execution_id, "restart")
        if record.state in (State.SUCCESS, State.SKIPPED, State.RETRIED):
            raise ConflictError(
                f"execution {execution_id} ended in {record.state}: nothing of it failed",
                hint="replay it to run it again",
            )
        return await self._reopen(record, restarted, revision)

    restart = blocking(_restart)
    arestart = awaitable(_restart)

    async def _change_state(self, execution_id: str, task_run_id: str, state: State | str) -> Execution:
        """Take a task run to have ended in a state, and go on from there.

        Raises: ConflictError when the execution has not ended, or the state ends nothing; NotFoundError.
        """
        record = self._ended(execution_id, "change")
        wanted = _state(state)
        return await self._reopen(record, lambda flow, runs, now: marked(flow, runs, task_run_id, wanted, now))

    change_state = blocking(_change_state)
    achange_state = awaitable(_change_state)

    async def _replay(
        self,
        execution_id: str,
        task_run_id: str | None = None,
        *,
        revision: int | None = None,
        inputs: Mapping[str, object] | None = None,
    ) -> Execution:
        """Run an execution again as a new one; from a task run on, what came before it is taken over.

        `inputs` replace those of the old one, `revision` names another revision of the flow.
        Raises: NotFoundError, FlowNotFoundError, InputError.
        """
        await self._begin()
        record = self.record(execution_id)
        flow = await asyncio.to_thread(self._flow_to_run, record, revision)
        new, runs = await asyncio.to_thread(
            replay, flow, record, self.task_runs_of(execution_id), task_run_id, inputs, self.store, self._clock
        )
        await self._owned.start(flow, new, runs)
        return self._handle(new)

    replay = blocking(_replay)
    areplay = awaitable(_replay)

    def delete_execution(self, execution_id: str) -> None:
        """Delete an execution that has ended, with its log, metrics and files.

        Raises: ExecutionNotFoundError; ConflictError when it has not ended.
        """
        record = self._ended(execution_id, "delete")
        self.store.executions.delete([record.id])
        self.store.files.delete_below(f"{record.namespace.replace('.', '/')}/{record.flow_id}/executions/{record.id}")

    adelete_execution = in_thread(delete_execution)

    @abstractmethod
    async def _begin(self) -> None: ...

    @abstractmethod
    def record(self, execution_id: str) -> records.Execution:
        """The record of an execution. Raises: ExecutionNotFoundError."""

    @abstractmethod
    def task_runs_of(self, execution_id: str) -> list[TaskRun]:
        """The task runs of an execution, in the order of their creation."""

    @abstractmethod
    def _handle(self, record: records.Execution) -> Execution:
        """What users hold of an execution."""

    async def _bulk(
        self,
        verb: str,
        ids: Sequence[str] | None = None,
        *,
        namespace: str | None = None,
        flow_id: str | None = None,
        state: str | State | list[str] | None = None,
        labels: Mapping[str, str] | None = None,
        limit: int = 10_000,
    ) -> list[Execution]:
        """Do the same to many executions: `kill`, `pause`, `resume`, `force-run`, `restart`, `replay` or `delete`.

        They are named by `ids`, or found as `executions` finds them. Nothing is done unless each of them can be dealt
        with. Returns their handles; of a replay, those of the new executions.
        Raises: BulkError with a problem for each that cannot.
        """
        act, _ = _verb(verb)
        found = await asyncio.to_thread(self._all_of, verb, ids, namespace, flow_id, state, labels, limit)
        return [await act(self, record) for record in found]

    bulk = blocking(_bulk)
    abulk = awaitable(_bulk)

    def _all_of(
        self,
        verb: str,
        ids: Sequence[str] | None,
        namespace: str | None,
        flow_id: str | None,
        state: str | State | list[str] | None,
        labels: Mapping[str, str] | None,
        limit: int,
    ) -> list[records.Execution]:
        _, fits = _verb(verb)
        problems: list[Problem] = []
        found: list[records.Execution] = []
        if ids is None:
            states = [state] if isinstance(state, str) else state or []
            found = self.store.executions.list(
                namespace=namespace,
                flow_id=flow_id,
                states=tuple(State(each) for each in states),
                labels=dict(labels or {}),
                limit=limit,
            )
        for wanted in ids or ():
            try:
                found.append(self.record(wanted))
            except ExecutionNotFoundError as missing:
                problems.append(Problem(missing.message, path=wanted))
        problems += [
            Problem(f"execution {one.id} is {one.state}: nobody can {verb} it", path=one.id)
            for one in found
            if not fits(one.state)
        ]
        if problems:
            raise BulkError(
                f"{len(problems)} of {len(found if ids is None else ids)} executions cannot be dealt with so", problems
            )
        return found

    def _in_state(self, execution_id: str, verb: str, state: State) -> records.Execution:
        record = self.record(execution_id)
        if record.state is not state:
            raise ConflictError(f"execution {execution_id} is {record.state}: there is nothing to {verb}")
        return record

    def _ended(self, execution_id: str, verb: str) -> records.Execution:
        record = self.record(execution_id)
        if not record.state.is_terminal:
            raise ConflictError(
                f"execution {execution_id} is {record.state}: nobody can {verb} it now",
                hint="wait for its end, or kill it",
            )
        return record

    def _flow_to_run(self, record: records.Execution, revision: int | None) -> Flow:
        """The flow of an execution, in its own revision or another; one that was never deployed cannot run again."""
        run = self._owned.flow_of(record.id)
        if run is not None and revision is None:
            return run
        return self._flows.get(record.namespace, record.flow_id, revision or record.flow_revision)

    async def _reopen(
        self,
        record: records.Execution,
        revise: Callable[[Flow, list[TaskRun], datetime], Revision],
        revision: int | None = None,
    ) -> Execution:
        await self._begin()
        flow = await asyncio.to_thread(self._flow_to_run, record, revision)
        if flow.revision is not None and flow.revision != record.flow_revision:
            record = replace(record, flow_revision=flow.revision)
        change = revise(flow, self.task_runs_of(record.id), self._clock.now())
        run = await self._owned.reopen(flow, record, change)
        if run is None:
            raise ConflictError(f"somebody else goes on with execution {record.id} already")
        return self._handle(run.history.execution)

    def _paused_in(self, execution_id: str) -> list[TaskRun]:
        return [run for run in self.task_runs_of(execution_id) if run.state is State.PAUSED]

    def _resumption(self, record: records.Execution, inputs: Mapping[str, object]) -> dict[str, JsonValue]:
        flow, runs = self._flows.of(record), self.task_runs_of(record.id)
        return resumption(flow, record, runs, inputs, self.store, self._clock)

    async def _ask(self, record: records.Execution, name: str, payload: Mapping[str, JsonValue]) -> None:
        """Ask whoever owns an execution for something; it is done soon."""
        run = self._owned.get(record.id)
        if run is None:
            await self._begin()
            run = await self._owned.claim(record.id)
        if run is not None:
            if not obey(run, name, payload):
                raise ConflictError(f"execution {record.id} is {run.history.execution.state}: it cannot {name}")
            await run.history.durable()
        else:
            await asyncio.to_thread(self.store.commands.send, record.id, name, payload, self._clock.now())

    async def _asked(
        self,
        record: records.Execution,
        name: str,
        payload: Mapping[str, JsonValue],
        is_done: Callable[[records.Execution], bool],
    ) -> Execution:
        """As `_ask`, and return once it is done, or the execution has ended."""
        await self._ask(record, name, payload)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_SECONDS):
                while True:
                    now = await asyncio.to_thread(self.record, record.id)
                    if now.state.is_terminal or await asyncio.to_thread(is_done, now):
                        return self._handle(now)
                    await asyncio.sleep(_LOOK_SECONDS)
        return self._handle(self.record(record.id))


Act = Callable[[Steering, records.Execution], Awaitable[Execution]]


async def _deleted(engine: Steering, record: records.Execution) -> Execution:
    await asyncio.to_thread(engine.delete_execution, record.id)
    return engine._handle(record)


_FAILURES = frozenset({State.FAILED, State.KILLED, State.CANCELLED, State.WARNING})
_VERBS: dict[str, tuple[Act, Callable[[State], bool]]] = {
    "kill": (lambda engine, one: engine._kill(one.id), lambda state: not state.is_terminal),
    "pause": (lambda engine, one: engine._pause(one.id), lambda state: state is State.RUNNING),
    "resume": (lambda engine, one: engine._resume(one.id), lambda state: state is State.PAUSED),
    "force-run": (lambda engine, one: engine._force_run(one.id), lambda state: state is State.QUEUED),
    "restart": (lambda engine, one: engine._restart(one.id), lambda state: state in _FAILURES),
    "replay": (lambda engine, one: engine._replay(one.id), lambda state: state.is_terminal),
    "delete": (_deleted, lambda state: state.is_terminal),
}


def _verb(name: str) -> tuple[Act, Callable[[State], bool]]:
    if name not in _VERBS:
        raise ConflictError(f"there is nothing called `{name}` to do", hint=f"there are {', '.join(_VERBS)}")
    return _VERBS[name]


def _moves_since(record: records.Execution, now: records.Execution) -> list[State]:
    """The states that an execution has come into since its record was read."""
    return [state for state, _ in now.history.moves[len(record.history.moves) :]]


def _state(state: State | str) -> State:
    try:
        return State(str(state).upper())
    except ValueError:
        raise ConflictError(f"there is no state `{state}`", hint=f"there are {', '.join(State)}") from None
