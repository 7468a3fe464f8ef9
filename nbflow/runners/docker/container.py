"""One container from its making to its end, in a thread of its own: engines are asked by blocking calls.

image ─► created ─► files in ─► attached ─► started ─► output, line by line ─► status ─► files out ─► removed
                                    └── cancelled ─► killed (after SIGTERM and a grace, if wished) ─► removed
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbflow.errors import TaskFailedError
from nbflow.model.containers import FileHandling, PullPolicy
from nbflow.plugins.runner import OnLine, TakesLines
from nbflow.runners.docker.engine import Engine, Say, refusals
from nbflow.runners.docker.files import Sent, pack, path_inside, unpack
from nbflow.runners.docker.output import attached, logged
from nbflow.runners.lines import LineSplitter

_MOST_WAITING = 50_000
"""Lines that wait to be heard before the container has to wait with writing more."""

_END_SECONDS = 30.0
"""How long to wait for the removal of a container whose task was cancelled."""


class Container:
    """A container under way; `create` are the engine's arguments for making it, `found` is one to be taken up."""

    def __init__(
        self,
        engine: Engine,
        image: str,
        create: Mapping[str, Any],  # Any: what the docker package takes
        directory: Path,
        *,
        say: Say,
        pull_policy: PullPolicy = PullPolicy.IF_NOT_PRESENT,
        files: FileHandling = FileHandling.VOLUME,
        delete: bool = True,
        wait: bool = True,
        grace_seconds: float = 0,
        found: Mapping[str, str] | None = None,
    ) -> None:
        self._engine = engine
        self._image = image
        self._create = create
        self._directory = directory
        self._say = say
        self._pull_policy = pull_policy
        self._files = files
        self._delete = delete
        self._wait = wait
        self._grace_seconds = grace_seconds
        self._found = found
        self._cancelled = threading.Event()
        self._is_kept = False
        self.id: str | None = None

    async def run(self, on_line: OnLine) -> int:
        """Run it to its end; its exit status. Cancelled, it is removed before this returns. Raises: TaskFailedError."""
        lines = _Lines(on_line, self._cancelled)
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[int] = loop.create_future()

        def work() -> None:
            try:
                status: int | BaseException = self._live(lines)
            except BaseException as failure:
                status = failure
            lines.end()
            with contextlib.suppress(RuntimeError):  # the loop is gone, and nobody waits
                loop.call_soon_threadsafe(_settle, outcome, status)

        thread = threading.Thread(target=work, name=f"nbflow-container-{self._image}", daemon=True)
        thread.start()
        try:
            await lines.hear()
            return await asyncio.shield(outcome)
        except BaseException:
            self._cancelled.set()
            lines.let_go()
            await asyncio.to_thread(self._end)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(_settled(outcome)), _END_SECONDS)
            raise

    def _live(self, lines: _Lines) -> int:
        sent: Sent = {}
        directory = path_inside(self._directory)
        try:
            with refusals(f"the container of {self._image} cannot be run"):
                if self._found is not None:
                    self.id = self._found["id"]
                    directory = self._found["directory"]
                    self._go_on(self.id, lines)
                else:
                    sent = self._make()
                    self._stop_if_cancelled()
                    self._start(str(self.id), lines)
                if self._is_kept:
                    return 0
                self._stop_if_cancelled()
                api = self._engine.client.api
                status = int(api.wait(self.id)["StatusCode"])
                if self._found is not None:
                    with logged(self._engine, str(self.id)) as stream:
                        lines.read(stream, again=True)
                lines.read_out()
                if status:
                    self._explain(lines)
                if self._files is FileHandling.VOLUME:
                    chunks, _ = api.get_archive(self.id, directory)
                    with contextlib.closing(chunks):
                        unpack(chunks, self._directory, sent)
                return status
        finally:
            if self.id is not None and self._delete and not self._is_kept:
                self._remove()
            self._engine.close()

    def _make(self) -> Sent:
        """Create the container, with its files in it."""
        self._engine.check = self._stop_if_cancelled
        self._engine.ensure(self._image, self._pull_policy, self._say)
        self._stop_if_cancelled()
        container = self._engine.client.containers.create(self._image, **self._create)
        self.id = str(container.id)
        if self._files is not FileHandling.VOLUME:
            return {}
        archive, sent = pack(self._directory, time.time())
        with archive:
            self._engine.client.api.put_archive(self.id, "/", archive)
        return sent

    def _start(self, container: str, lines: _Lines) -> None:
        """Start it, and read what it says until it has ended."""
        with attached(self._engine, container) as stream:
            self._engine.client.api.start(container)
            if self._cancelled.is_set():  # it was not there yet when it was to be ended
                self._end()
            if self._wait:
                lines.read(stream)
            else:
                self._is_kept = True

    def _go_on(self, container: str, lines: _Lines) -> None:
        """Read what a container says that is under way, or has ended."""
        with logged(self._engine, container, follow=True) as stream:
            if self._cancelled.is_set():
                self._end()
            lines.read(stream)

    def _explain(self, lines: _Lines) -> None:
        state = self._engine.client.api.inspect_container(self.id).get("State") or {}
        if state.get("OOMKilled"):
            lines.put(["the container has used more memory than it may"], True)
        elif state.get("Error"):
            lines.put([str(state["Error"])], True)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise TaskFailedError("the container was stopped")

    def _end(self) -> None:
        """Have it end, so that its output ends too."""
        if self.id is None:
            return
        with contextlib.suppress(Exception):  # it may have ended by itself meanwhile
            if self._grace_seconds > 0:
                self._engine.client.api.stop(self.id, timeout=round(self._grace_seconds))
            else:
                self._engine.client.api.kill(self.id)

    def _remove(self) -> None:
        with contextlib.suppress(Exception):  # what cannot be removed now is a leftover for the next start
            self._engine.client.api.remove_container(self.id, force=True, v=True)


def _settle(outcome: asyncio.Future[int], status: int | BaseException) -> None:
    if outcome.done():
        return
    if isinstance(status, BaseException):
        outcome.set_exception(status)
        outcome.exception()  # whoever was cancelled does not ask for it
    else:
        outcome.set_result(status)


async def _settled(outcome: asyncio.Future[int]) -> None:
    await asyncio.wait([outcome])


class _Lines:
    """Carries lines from the thread that reads them to the event loop that hears them, many at a time."""

    def __init__(self, on_line: OnLine, cancelled: threading.Event) -> None:
        self._on_line = on_line
        self._cancelled = cancelled
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._changed = threading.Condition()
        self._waiting: list[tuple[list[str], bool]] = []
        self._count = 0
        self._splitters = {False: LineSplitter(), True: LineSplitter()}
        self._read = {False: 0, True: 0}
        self._has_ended = False
        self._is_let_go = False

    def read(self, stream: Iterator[tuple[bytes, bytes]], *, again: bool = False) -> None:
        """Read a container's output to its end; called in the thread. What was read before is not heard `again`."""
        skip = dict(self._read) if again else {False: 0, True: 0}
        for both in stream:
            for data, is_error in zip(both, (False, True), strict=True):
                fresh = data[skip[is_error] :]
                skip[is_error] -= len(data) - len(fresh)
                self._read[is_error] += len(fresh)
                if fresh and (lines := self._splitters[is_error].feed(fresh)):
                    self.put(lines, is_error)

    def read_out(self) -> None:
        """Hand on the last line of each stream, when it has no end; called in the thread."""
        for is_error, splitter in self._splitters.items():
            if lines := splitter.end():
                self.put(lines, is_error)

    def put(self, lines: list[str], is_error: bool) -> None:
        """Hand lines on; waits while too many wait already."""
        with self._changed:
            while self._count > _MOST_WAITING and not self._is_let_go:
                self._changed.wait()
            if self._is_let_go:
                return
            if self._waiting and self._waiting[-1][1] is is_error:
                self._waiting[-1][0].extend(lines)
            else:
                self._waiting.append((list(lines), is_error))
            is_first = self._count == 0
            self._count += len(lines)
        if is_first:
            self._wake()

    def end(self) -> None:
        """No line comes any more."""
        with self._changed:
            self._has_ended = True
        self._wake()

    def let_go(self) -> None:
        """Nobody listens any more."""
        with self._changed:
            self._is_let_go = True
            self._changed.notify_all()

    async def hear(self) -> None:
        """Hand all lines to the listener; called on the loop. Returns at the end."""
        while True:
            await self._came.wait()
            self._came.clear()
            with self._changed:
                batches, self._waiting, self._count = self._waiting, [], 0
                has_ended = self._has_ended
                self._changed.notify_all()
            for lines, is_error in batches:
                await self._tell(lines, is_error)
            if has_ended and not self._waiting:
                return

    async def _tell(self, lines: list[str], is_error: bool) -> None:
        if isinstance(self._on_line, TakesLines):
            await self._on_line.many(lines, is_error)
            return
        for line in lines:
            await self._on_line(line, is_error)

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone
            self._loop.call_soon_threadsafe(self._came.set)
