"""Following an execution: what has happened, then what happens, also in other processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from nbflow.errors import ExecutionNotFoundError, WaitTimeoutError
from nbflow.model.events import Event, ExecutionChanged, LogWritten, TaskRunChanged
from nbflow.model.execution import Execution, LogEntry, TaskRun
from nbflow.store import Store

LOOK_SECONDS = 0.05
"""How often to look for changes that another process may have made."""


def as_event(change: Execution | TaskRun | LogEntry) -> Event:
    """The event that a changed record stands for."""
    if isinstance(change, Execution):
        return ExecutionChanged(change)
    return TaskRunChanged(change) if isinstance(change, TaskRun) else LogWritten(change)


class Follower:
    """Reads what came after a number of an execution's sequence; cheap to ask often."""

    def __init__(self, store: Store, execution_id: str, after: int) -> None:
        self._store = store
        self._execution_id = execution_id
        self._after = after
        self._version = -1
        self.has_ended = False

    @property
    def has_news(self) -> bool:
        """Whether somebody has committed since the last look; asking costs next to nothing."""
        return self._store.data_version() != self._version

    def look(self) -> list[tuple[int, Event]]:
        """Events since the last look, in order. `has_ended` is set once there will be none."""
        version = self._store.data_version()
        if version == self._version:
            return []
        self._version = version
        execution = self._store.executions.get(self._execution_id)
        if execution is None:
            raise ExecutionNotFoundError(f"there is no execution `{self._execution_id}`")
        changes = self._store.executions.changes(self._execution_id, self._after)
        if changes:
            self._after = changes[-1][0]
        # The state was read before the changes: had it ended, nothing can have come after them.
        self.has_ended = execution.state.is_terminal
        return [(seq, as_event(change)) for seq, change in changes]


def follow(store: Store, execution_id: str, after: int) -> Iterator[tuple[int, Event]]:
    """Every event after number `after`, until the execution has ended; blocks while nothing happens."""
    follower = Follower(store, execution_id, after)
    while True:
        yield from follower.look()
        if follower.has_ended:
            return
        time.sleep(LOOK_SECONDS)


async def afollow(store: Store, execution_id: str, after: int) -> AsyncIterator[tuple[int, Event]]:
    """As `follow`, inside an event loop."""
    follower = Follower(store, execution_id, after)
    while True:
        if follower.has_news:  # a hundred who follow must not need a thread each while nothing happens
            for event in await asyncio.to_thread(follower.look):
                yield event
        if follower.has_ended:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def wait_for_state(store: Store, execution_id: str, state: str | None) -> Execution:
    """Return once the execution is in a state (None: in a terminal one), by looking into the history.

    Raises: WaitTimeoutError when it has ended in another one.
    """
    version = -1
    while True:
        seen = store.data_version()
        if seen != version:
            version = seen
            execution = store.executions.get(execution_id)
            if execution is None:
                raise ExecutionNotFoundError(f"there is no execution `{execution_id}`")
            if execution.state == state or (state is None and execution.state.is_terminal):
                return execution
            if execution.state.is_terminal:
                raise WaitTimeoutError(f"execution {execution_id} ended as {execution.state}, never as {state}")
        await asyncio.sleep(LOOK_SECONDS)
