"""Looking: a polling trigger is asked once, with all that a task has around it; nothing is written unless it fires."""

from __future__ import annotations

import asyncio

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
from nbflow.plugins import Facts, PollingTrigger
from nbflow.store import Change, Store
from nbflow.types import new_id


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


async def poll(flow: Flow, trigger: PollingTrigger, store: Store, clock: Clock) -> Start | None:
    """Look once: the execution to start, whose log begins with that of the look; None when there is none to start.

    Raises: TemplateError, ValueError when a property cannot be rendered; TaskFailedError and whatever else the trigger
    raises when it cannot look; what `fired` raises.
    """
    now = clock.now()
    execution = Execution(new_id(), flow.namespace, flow.id, flow.revision or 1, StateHistory.begin(now))
    hub, notes = Hub(), list[tuple[LogLevel, str]]()

    def note(event: Event) -> None:
        if isinstance(event, LogWritten):
            notes.append((event.entry.level, event.entry.message))

    hub.subscribe(note)
    history = History(execution, [], owner="", last_seq=0, writer=_Unwritten(), hub=hub, clock=clock)
    services = ExecutionServices(history, store, flow.source)
    variables = variables_now(flow, history, store, services)
    scene = Scene(variables, services)
    if not Asker(flow, trigger, Facts(now, scene.text, execution)).allows():
        return None
    run = TaskRun(new_id(), execution.id, trigger.id, StateHistory.begin(now))
    renderer = Renderer(variables, services)
    ctx = TaskContext(history, store, renderer, run, trigger.log_level)
    try:
        rendered = await renderer.amodel(trigger)
        output = await rendered.look(ctx)
    finally:
        if ctx.has_own_dir:
            await asyncio.shield(asyncio.to_thread(ctx.close))
    if output is None:
        return None
    values = output.model_dump(mode="json", by_alias=True, exclude_none=True)
    scene = Scene({**variables, "trigger": values}, services)
    start = await asyncio.to_thread(fired, flow, trigger, values, scene, store, clock, execution_id=execution.id)
    return Start(start.execution, [*notes, *start.notes])
