"""A free slot? The concurrency limit of a flow, counted in the history so that all engines of a home agree."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable

from nbflow.engine.history import History
from nbflow.model.flow import Flow
from nbflow.model.policies import ConcurrencyBehavior
from nbflow.model.state import State
from nbflow.store import Store

_LOOK_SECONDS = 0.1

_REFUSALS = {ConcurrencyBehavior.CANCEL: State.CANCELLED, ConcurrencyBehavior.FAIL: State.FAILED}


class FlowSlots:
    """Admits executions to flows that limit how many run at once; those that wait are served in their order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._freed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def enter(self, flow: Flow, history: History, is_forced: Callable[[], bool]) -> State:
        """Return RUNNING once the execution holds a slot, or the state in which it ends because there is none.

        One that is forced runs without a slot.
        """
        concurrency = flow.concurrency
        if concurrency is None or history.execution.state in (State.RUNNING, State.PAUSED, State.RETRYING):
            return State.RUNNING
        executions = self._store.executions
        while True:
            freed = self._freed[flow.uid]
            freed.clear()
            if is_forced() or await executions.take_slot(
                flow.namespace, flow.id, history.execution.id, concurrency.limit
            ):
                return State.RUNNING
            refusal = _REFUSALS.get(concurrency.behavior)
            if refusal is not None:
                return refusal
            if history.execution.state is not State.QUEUED:
                history.move(State.QUEUED)
                await history.durable()
            # Slots freed here are told at once; those freed by other engines are looked for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await freed.wait()

    def leave(self, flow: Flow) -> None:
        """Tell those who wait that an execution of the flow has ended."""
        if flow.concurrency is not None:
            self._freed[flow.uid].set()
