"""Following an execution by server-sent events, from the first event to the last.

id: progress        the state at once, then at each change; log lines one by one
id: end             the final execution; the server then closes, and a client's loop ends
: ping              every 15 seconds in which nothing happened
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar

from tornado.iostream import StreamClosedError

from nbflow.engine import Engine, Execution
from nbflow.errors import ExecutionNotFoundError
from nbflow.model.events import Event, LogWritten
from nbflow.model.task import LogLevel
from nbflow.server.errors import RequestError, encode
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may

_LOOK_SECONDS = 0.1


class _Gone(Exception):  # noqa: N818 - no error: the way to end a task group
    """The client went away."""


class Happenings:
    """What happens to an execution, all that came together at a time; ends once the execution has ended."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._has_ended = False

    async def pump(self, engine: Engine, execution_id: str) -> None:
        """Take in what happens."""
        async for _, event in engine.aevents(execution_id):
            self._queue.put_nowait(event)
        self._queue.put_nowait(None)

    async def next(self) -> list[Event] | None:
        """The events since the last call, at least one; None when there will be none."""
        if self._has_ended:
            return None
        batch = [await self._queue.get()]
        while not self._queue.empty():
            batch.append(self._queue.get_nowait())
        self._has_ended = batch[-1] is None
        found = [event for event in batch if event is not None]
        return found or None


class EventStream(ApiHandler):
    """Answers with a stream of events about one execution, and stops as soon as the client goes away."""

    ping_seconds: ClassVar[float] = 15.0
    appears_seconds: ClassVar[float] = 10.0

    def initialize(self) -> None:
        self._gone = asyncio.Event()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._gone.set()

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        engine = await self.engine()
        execution = await self._appeared(engine, execution_id)
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")
        happenings = Happenings()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._until_gone(), name="nbflow-sse-watch"),
                    group.create_task(happenings.pump(engine, execution_id), name="nbflow-sse-events"),
                ]
                await self.flush()
                await self.send(engine, execution, self._batches(happenings))
                for task in tasks:
                    task.cancel()
        except* (_Gone, StreamClosedError):
            self._gone.set()
        if not self._gone.is_set():
            self.finish(set_content_type="text/event-stream")

    async def send(self, engine: Engine, execution: Execution, batches: AsyncIterator[list[Event]]) -> None:
        """Write the events that the client is to see; a subclass says which."""
        async for _ in batches:
            await self.event("progress", {"id": execution.id})

    async def event(self, name: str, body: object) -> None:
        """Write one event and hand it to the network."""
        await self.encoded(name, encode(body))

    async def encoded(self, name: str, body: str) -> None:
        """As `event`, for a body that is JSON already."""
        self.write(f"id: {name}\ndata: {body}\n\n")
        await self.flush()

    async def _batches(self, happenings: Happenings) -> AsyncIterator[list[Event]]:
        while True:
            try:
                async with asyncio.timeout(self.ping_seconds):
                    batch = await happenings.next()
            except TimeoutError:
                self.write(": ping\n\n")
                await self.flush()
                continue
            if batch is None:
                return
            yield batch

    async def _until_gone(self) -> None:
        await self._gone.wait()
        raise _Gone

    async def _appeared(self, engine: Engine, execution_id: str) -> Execution:
        """The execution; one that is being started in another process may take a moment to appear."""
        deadline = asyncio.get_running_loop().time() + self.appears_seconds
        while True:
            try:
                return await engine.aexecution(execution_id)
            except ExecutionNotFoundError:
                if self._gone.is_set() or asyncio.get_running_loop().time() >= deadline:
                    raise
            await asyncio.sleep(_LOOK_SECONDS)


class FollowExecution(EventStream):
    """`GET /executions/{id}/follow`: the execution at each change, then as it ended."""

    async def send(self, engine: Engine, execution: Execution, batches: AsyncIterator[list[Event]]) -> None:
        if not execution.record.state.is_terminal:
            async for batch in batches:
                if all(isinstance(event, LogWritten) for event in batch):
                    continue
                has_ended, shape = await self._now(engine, execution.id)
                if has_ended:
                    break
                await self.encoded("progress", shape)
        _, final = await self._now(engine, execution.id)
        await self.encoded("end", final)

    async def _now(self, engine: Engine, execution_id: str) -> tuple[bool, str]:
        """Whether an execution has ended, and its JSON: read once for all who follow it."""

        def read() -> tuple[bool, str]:
            now = engine.execution(execution_id)
            has_ended = now.record.state.is_terminal
            return has_ended, encode(now.to_dict())

        return await self.shared.followed.get(execution_id, lambda: asyncio.to_thread(read))


class FollowLogs(EventStream):
    """`GET /logs/{id}/follow`: the lines that are there, then those that come."""

    async def send(self, engine: Engine, execution: Execution, batches: AsyncIterator[list[Event]]) -> None:
        least = read_level(self.query("minLevel")).rank
        async for batch in batches:
            for event in batch:
                if isinstance(event, LogWritten) and event.entry.level.rank >= least:
                    await self.event("progress", event.entry.to_dict(execution.record))


def read_level(name: str | None) -> LogLevel:
    """A log level by its name; TRACE when none is given. Raises: RequestError."""
    try:
        return LogLevel(name.upper()) if name else LogLevel.TRACE
    except ValueError:
        raise RequestError(
            f"there is no log level `{name}`", path="minLevel", hint=f"there are {', '.join(LogLevel)}"
        ) from None
