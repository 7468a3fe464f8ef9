"""Flow triggers: each change of an execution's state is noted with the change itself, and looked at soon after.

    change + note (one commit) ─► wake ─► ask every trigger ─► settle in one transaction ─► run

Without a deployed Flow trigger the engine's hub has no watcher from here. What an engine has noted and not looked at
when it dies is looked at by another one.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from nbflow.clock import Clock
from nbflow.engine.fixtures import TEST
from nbflow.engine.flow_watch import FlowWatch
from nbflow.engine.flows import Flows
from nbflow.engine.hub import Hub
from nbflow.engine.loop import EngineLoop
from nbflow.engine.ownership import Ownership
from nbflow.engine.starting import Start
from nbflow.errors import NbflowError
from nbflow.model.events import Event, ExecutionChanged
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow
from nbflow.model.state import State, StateHistory
from nbflow.model.trigger import Trigger
from nbflow.store import Firing, FlowMark, NoteStateChange, Store, StoredFlow

FLOW_TRIGGER = "io.kestra.plugin.core.trigger.Flow"
_MAY_LISTEN = re.compile(r"triggers[\"']?\s*:.*[Ff]low\b", re.DOTALL)
_LOOK_SECONDS = 0.25
_LEFT_SECONDS = 2.0
_AGAIN_SECONDS = 1.0
_REMEMBERED = 10_000
_FEW = 50

_log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Listener:
    """A deployed flow with its Flow triggers, and the states that they are asked about."""

    flow: Flow
    triggers: tuple[Trigger, ...]
    states: frozenset[State]


class Listening:
    """Asks the Flow triggers of all deployed flows about the executions of this engine."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hub: Hub,
        loop: EngineLoop,
        flows: Flows,
        owned: Ownership,
        *,
        takes_over: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._loop = loop
        self._flows = flows
        self._owned = owned
        self._takes_over = takes_over
        self._lock = threading.Lock()
        self._listeners: dict[tuple[str, str], Listener] = {}
        self._states: frozenset[State] = frozenset()
        self._read: dict[tuple[str, str, int], Listener | None] = {}
        self._deployed = FlowWatch(store)
        self._unsubscribe: Callable[[], None] | None = None
        self._numbers: dict[str, int] = {}
        self._records: dict[tuple[str, int], Execution] = {}
        self._wake = asyncio.Event()
        self._beginning: asyncio.Task[None] | None = None
        flows.on_change = self._flow_changed

    async def begin(self) -> None:
        """Listen from now on; call it on the loop, before anything runs. It never fails."""
        if self._beginning is None:
            self._beginning = asyncio.ensure_future(self._begin())
        await asyncio.shield(self._beginning)

    async def _begin(self) -> None:
        await self._refresh()
        self._loop.own(self._keep_up(), "nbflow-flow-triggers-index")
        self._loop.own(self._serve(), "nbflow-flow-triggers")

    async def _refresh(self) -> None:
        try:
            await asyncio.to_thread(self._read_flows)
        except Exception as error:  # whatever it is, executions must run all the same
            _log.warning("the flows cannot be read: %s", error, extra={"action": "flow_triggers_failed"})

    async def _keep_up(self) -> None:
        """Notice flows that others deploy, and what dead engines left."""
        version, until_left = -1, 0.0
        while True:
            try:
                seen = self._store.data_version()
                if seen != version:
                    version = seen
                    await self._refresh()
                until_left -= _LOOK_SECONDS
                if self._takes_over and until_left <= 0:
                    until_left = _LEFT_SECONDS
                    self._wake.set()
            except NbflowError as error:
                _log.warning(
                    "Flow triggers cannot be looked after: %s", error, extra={"action": "flow_triggers_failed"}
                )
            await asyncio.sleep(_LOOK_SECONDS)

    def _read_flows(self) -> None:
        """Bring the index up to date, if any flow has changed."""
        with self._lock:
            changes = self._deployed.look()
            if changes is None:
                return
            for key in [key for key in self._read if key[:2] in changes.changed or key[:2] in changes.gone]:
                del self._read[key]
            for stored in self._stored([one for one in changes.changed.values() if not one.disabled]):
                if _MAY_LISTEN.search(stored.source):
                    key = (stored.namespace, stored.id, stored.revision)
                    self._read[key] = self._listener(*key)
            self._deployed.acted()
            self._listeners = {(one.flow.namespace, one.flow.id): one for one in self._read.values() if one is not None}
            self._watch()

    def _stored(self, marks: Sequence[FlowMark]) -> Iterator[StoredFlow]:
        """The texts of flows: a few by name, many at one go."""
        if len(marks) <= _FEW:
            found = (self._store.flows.get(one.namespace, one.id, one.revision) for one in marks)
            yield from (one for one in found if one is not None)
        else:
            wanted = {(one.namespace, one.id) for one in marks}
            yield from (one for one in self._store.flows.list() if (one.namespace, one.id) in wanted)

    def _listener(self, namespace: str, flow_id: str, revision: int) -> Listener | None:
        try:
            return _listener_of(self._flows.get(namespace, flow_id, revision))
        except Exception as error:  # one flow must not keep those of others from being read
            message = "the triggers of %s.%s are left out: %s"
            _log.warning(message, namespace, flow_id, error, extra={"action": "flow_triggers_failed"})
            return None

    def _flow_changed(self, namespace: str, flow_id: str, flow: Flow | None) -> None:
        listener = _listener_of(flow) if flow is not None else None
        with self._lock:
            if listener is not None:
                self._listeners[namespace, flow_id] = listener
            elif self._listeners.pop((namespace, flow_id), None) is None:
                return
            self._watch()

    def _watch(self) -> None:
        """Watch the executions while somebody listens; the lock is held."""
        self._states = frozenset().union(*(listener.states for listener in self._listeners.values()))
        self._hub.noter = self._note if self._states else None
        if self._states and self._unsubscribe is None:
            self._unsubscribe = self._hub.subscribe(self._changed)
        elif not self._states and self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _note(self, execution: Execution) -> NoteStateChange | None:
        """The note of a change of state that somebody listens to, to be committed with the change itself."""
        if execution.kind == TEST:
            return None
        number = len(execution.history.moves)
        # To have been created is no change of state; and labels may change without the state.
        if execution.state not in self._states or number == 1 or self._numbers.get(execution.id) == number:
            return None
        self._numbers[execution.id] = number
        self._records[execution.id, number] = execution
        _forget_oldest(self._numbers)
        _forget_oldest(self._records)
        since = execution.history.moves[-1][1]
        return NoteStateChange(execution.id, number, since, self._owned.engine_id)

    def _changed(self, event: Event) -> None:
        """Look soon at what has been noted: by now it is on its way into the history."""
        if type(event) is ExecutionChanged and event.execution.state in self._states:
            self._loop.call_soon(self._wake.set)

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._look()
            except Exception as error:  # a full disk, a lock, or worse: the engine must go on, and it may fare better
                _log.warning("Flow triggers must wait: %s", error, extra={"action": "flow_triggers_failed"})
                await asyncio.sleep(_AGAIN_SECONDS)
                self._wake.set()

    async def _look(self) -> None:
        """Look at what has been noted, in its order."""
        await self._store.writer.committed()
        changes = await asyncio.to_thread(self._store.state_changes.waiting, self._owned.engine_id, self._clock.now())
        for change in changes:
            if change.engine != self._owned.engine_id and not self._takes_over:
                continue
            found = await asyncio.to_thread(self._ask, change)
            firings = {id(firing): (listener, start) for firing, listener, start in found}
            settled = await self._store.state_changes.settle(
                change, [firing for firing, _, _ in found], self._owned.engine_id
            )
            for firing in settled:
                listener, start = firings[id(firing)]
                if isinstance(start, Start):
                    run = self._owned.take_up(listener.flow, start.execution)
                    for level, note in start.notes:
                        run.history.log(level, note)
                else:
                    _say(listener.flow, firing.trigger_id, start)

    def _ask(self, change: NoteStateChange) -> list[tuple[Firing, Listener, Start | Exception]]:
        """Ask every trigger about a change. It never fails: what breaks here would break again and again."""
        try:
            return self._asked(change)
        except Exception:  # the outermost handler of what runs on plugins' code
            _log.exception(
                "Flow triggers could not be asked about execution %s",
                change.execution_id,
                extra={"action": "flow_triggers_failed", "execution_id": change.execution_id},
            )
            return []

    def _asked(self, change: NoteStateChange) -> list[tuple[Firing, Listener, Start | Exception]]:
        execution = self._records.pop((change.execution_id, change.number), None) or self._as_it_was(change)
        if execution is None:
            return []
        own = (execution.namespace, execution.flow_id)
        listeners = [one for one in list(self._listeners.values()) if execution.state in one.states]
        listeners = [one for one in listeners if (one.flow.namespace, one.flow.id) != own]
        if not listeners:
            return []
        from nbflow.engine.triggers.upstream import Upstream  # loads conditions, which most engines never ask

        upstream = Upstream(execution, change, self._store, self._clock)
        found: list[tuple[Firing, Listener, Start | Exception]] = []
        for listener in listeners:
            for trigger in listener.triggers:
                asked = upstream.ask(listener.flow, trigger)
                if asked is not None:
                    found.append((asked[0], listener, asked[1]))
        return found

    def _as_it_was(self, change: NoteStateChange) -> Execution | None:
        """An execution in the state that a dead engine noted; None when it is gone, or never got there."""
        execution = self._store.executions.get(change.execution_id)
        if execution is None or len(execution.history.moves) < change.number:
            return None
        moves = execution.history.moves[: change.number]
        outputs = execution.outputs if moves[-1][0].is_terminal else {}
        return replace(execution, history=StateHistory(moves), outputs=outputs)


def _forget_oldest(memory: dict[K, V]) -> None:
    while len(memory) > _REMEMBERED:
        memory.pop(next(iter(memory)), None)


def _listener_of(flow: Flow) -> Listener | None:
    """A flow as a listener; None when it has no Flow trigger that may fire."""
    if flow.disabled or flow.draft:
        return None
    triggers = tuple(each for each in flow.triggers if each.type_name == FLOW_TRIGGER and not each.disabled)
    if not triggers:
        return None
    from nbflow.engine.triggers.asking import listened_states

    states = frozenset(state for trigger in triggers for state in listened_states(trigger))
    return Listener(flow, triggers, states)


def _say(flow: Flow, trigger_id: str, error: Exception) -> None:
    names: Mapping[str, str] = {"namespace": flow.namespace, "flow_id": flow.id, "trigger_id": trigger_id}
    message = "trigger %s of %s does not fire: %s"
    _log.warning(message, trigger_id, flow.uid, error, extra={"action": "firing_failed", **names})
