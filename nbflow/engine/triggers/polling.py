"""Looking: a polling trigger is asked once, with all that a task has around it; nothing is written unless it fires."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from nbflow.clock import Clock
from nbflow.engine.context import TaskContext
from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.engine.rendering import Renderer, variables_now
from nbflow.engine.services import ExecutionServices
from nbflow.engine.starting import Start
from nbflow.engine.triggers.asking import Asker
from nbflow.engine.triggers.firing import Scene, fired
from nbflow.errors import ConflictError, NotFoundError
from nbflow.model.events import Event, LogWritten
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.model.state import StateHistory
from nbflow.model.task import LogLevel
from nbflow.nearest import did_you_mean
from nbflow.plugins import Facts, Found, PollingTrigger, RealtimeTrigger, Trigger
from nbflow.store import Change, Store
from nbflow.types import JsonValue, new_id

T = TypeVar("T")
RECEIPT = "receipt"
"""Under this name a trigger keeps what it has not marked as seen yet."""


class _Unwritten:
    """Takes the changes of a look, and keeps none: there is no execution yet."""

    is_behind = False

    def defer(self, change: Change, *beside: Change) -> None:
        return None

    def flush(self) -> None:
        return None

    async def committed(self) -> None:
        return None


def polling_trigger(flow: Flow, trigger_id: str) -> PollingTrigger:
    """The trigger of a flow that may look. Raises: NotFoundError; ConflictError when it or the flow is switched off."""
    found = {one.id: one for one in flow.triggers if isinstance(one, PollingTrigger)}
    trigger = found.get(trigger_id)
    if trigger is None:
        hint = did_you_mean(trigger_id, list(found)) or "its triggers fire by themselves"
        raise NotFoundError(f"{flow.uid} has no polling trigger `{trigger_id}`", hint=hint)
    for what, name in ((flow, flow.uid), (trigger, f"the trigger {trigger_id} of {flow.uid}")):
        if what.disabled:
            raise ConflictError(f"{name} is disabled")
    return trigger


class _Stage:
    """An execution that may come to be: what a trigger sees while it looks, and what it writes meanwhile."""

    def __init__(self, flow: Flow, trigger: Trigger, store: Store, clock: Clock) -> None:
        now = clock.now()
        self._flow, self._trigger, self._store, self._clock = flow, trigger, store, clock
        self.execution = Execution(new_id(), flow.namespace, flow.id, flow.revision or 1, StateHistory.begin(now))
        self._notes = list[tuple[LogLevel, str]]()
        hub = Hub()
        hub.subscribe(self._note)
        history = History(self.execution, [], owner="", last_seq=0, writer=_Unwritten(), hub=hub, clock=clock)
        self._services = ExecutionServices(history, store, flow.source)
        self._variables = variables_now(flow, history, store, self._services)
        self.renderer = Renderer(self._variables, self._services)
        run = TaskRun(new_id(), self.execution.id, trigger.id, StateHistory.begin(now))
        self.ctx = TaskContext(history, store, self.renderer, run, trigger.log_level)

    def allows(self, output: Mapping[str, JsonValue] | None = None) -> bool:
        """Whether the conditions hold, before there is anything to start for, or for an output."""
        variables = self._variables if output is None else {**self._variables, "trigger": output}
        scene = Scene(variables, self._services)
        return Asker(self._flow, self._trigger, Facts(self._clock.now(), scene.text, self.execution)).allows()

    async def start(self, values: Mapping[str, JsonValue]) -> Start:
        """The execution for an output; its log begins with what was written so far. Raises: what `fired` raises."""
        scene = Scene({**self._variables, "trigger": values}, self._services)
        flow, trigger, store, clock = self._flow, self._trigger, self._store, self._clock
        id = self.execution.id
        start = await asyncio.to_thread(fired, flow, trigger, values, scene, store, clock, execution_id=id)
        return Start(start.execution, [*self._notes, *start.notes])

    async def close(self) -> None:
        if self.ctx.has_own_dir:
            await asyncio.shield(asyncio.to_thread(self.ctx.close))

    def _note(self, event: Event) -> None:
        if isinstance(event, LogWritten):
            self._notes.append((event.entry.level, event.entry.message))


@dataclass(frozen=True, slots=True)
class Polled:
    """The execution that a look starts, and the receipt that its trigger is given once that is recorded."""

    start: Start
    receipt: JsonValue = None


async def poll(flow: Flow, trigger: PollingTrigger, store: Store, clock: Clock) -> Polled | None:
    """Look once: the execution to start, whose log begins with that of the look; None when there is none to start.

    Raises: TemplateError, ValueError when a property cannot be rendered; TaskFailedError and whatever else the trigger
    raises when it cannot look; what `fired` raises.
    """
    stage = _Stage(flow, trigger, store, clock)
    if not stage.allows():
        return None
    try:
        rendered = await stage.renderer.amodel(trigger)
        found = await rendered.look(stage.ctx)
    finally:
        await stage.close()
    if found is None:
        return None
    if isinstance(found, Found):
        return Polled(await stage.start(_values(found.output)), found.receipt)
    return Polled(await stage.start(_values(found)))


async def settle(flow: Flow, trigger: PollingTrigger, store: Store, clock: Clock, receipt: JsonValue) -> None:
    """Let a trigger mark as seen what an execution was started for. Raises: as `poll`."""
    stage = _Stage(flow, trigger, store, clock)
    try:
        rendered = await stage.renderer.amodel(trigger)
        await rendered.seen(stage.ctx, receipt)
    finally:
        await stage.close()


async def look_now(
    flow: Flow, trigger: PollingTrigger, store: Store, clock: Clock, start: Callable[[Start], Awaitable[T]]
) -> T | None:
    """Look out of turn, and `start` what there is to start. What the trigger has not marked as seen yet comes first."""
    key = (flow.namespace, flow.id, trigger.id)

    async def clear(receipt: JsonValue) -> None:
        await settle(flow, trigger, store, clock, receipt)
        await store.schedules.note(key, {RECEIPT: None})

    state = await asyncio.to_thread(store.triggers.get, *key)
    if state is not None and RECEIPT in state.data:
        await clear(state.data[RECEIPT])
    polled = await poll(flow, trigger, store, clock)
    if polled is None:
        return None
    started = await start(polled.start)
    if polled.receipt is not None:
        await store.schedules.note(key, {RECEIPT: polled.receipt})
        await clear(polled.receipt)
    return started


async def streamed(flow: Flow, trigger: RealtimeTrigger, store: Store, clock: Clock) -> AsyncIterator[Start]:
    """Listen: an execution to start for each thing that comes. What comes next waits until that one is recorded.

    Raises: as `poll`.
    """
    listening = _Stage(flow, trigger, store, clock)
    try:
        rendered = await listening.renderer.amodel(trigger)
        stream = rendered.stream(listening.ctx)
        try:
            async for output in stream:
                stage, values = _Stage(flow, trigger, store, clock), _values(output)
                if stage.allows(values):
                    yield await stage.start(values)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
    finally:
        await listening.close()


def _values(output: Trigger.Output) -> dict[str, JsonValue]:
    return output.model_dump(mode="json", by_alias=True, exclude_none=True)
