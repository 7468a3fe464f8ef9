"""The engine's own thread and event loop, so that flows go on while the user's cells run.

A kernel already runs a loop on its main thread, and a busy cell stops it; the engine therefore never uses the
caller's loop. The thread is a daemon and starts with the first call.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class EngineLoop:
    """A thread with an event loop and one task group that owns everything started on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._group: asyncio.TaskGroup | None = None
        self._stop: asyncio.Event | None = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread unless it runs."""
        with self._lock:
            if self.is_running:
                return
            self._ready.clear()
            self._thread = threading.Thread(target=self._main, name="nbflow-engine", daemon=True)
            self._thread.start()
        self._ready.wait()

    def stop(self, timeout: float) -> None:
        """Cancel what runs on the loop and end the thread; waits at most `timeout` seconds."""
        thread, loop, stop = self._thread, self._loop, self._stop
        if thread is None or loop is None or stop is None or not thread.is_alive():
            return
        loop.call_soon_threadsafe(stop.set)
        if threading.current_thread() is not thread:
            thread.join(timeout)

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a coroutine that lives as long as it likes; call this on the loop only."""
        assert self._group is not None, "the loop has not started"
        return self._group.create_task(work, name=name)

    def submit(self, work: Coroutine[Any, Any, R]) -> concurrent.futures.Future[R]:
        """Run a coroutine on the loop, from any thread."""
        self.start()
        assert self._loop is not None
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a blocking call of the engine on its own thread would never return; await its twin")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Run a callback on the loop soon, from any thread; nothing when the loop has ended."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(callback)
            except RuntimeError:
                return  # it closed between the look and the call: nobody is left to wake

    def _main(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._ready.set()
                await self._stop.wait()
                raise _Stopped  # cancels whatever the group still owns
        except* _Stopped:
            pass


class _Stopped(Exception):  # noqa: N818 - no error: the way to end a task group
    """The loop was asked to stop."""


class HasLoop(Protocol):
    """Something with an engine loop of its own."""

    loop: EngineLoop


S = TypeVar("S", bound=HasLoop)


def blocking(
    body: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], R]:
    """The blocking form of a verb whose body runs on the engine's loop."""

    @wraps(body)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.loop.submit(body(self, *args, **kwargs)).result()

    return call


def awaitable(
    body: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Awaitable[R]]:
    """The form of a verb for use inside any event loop."""

    @wraps(body)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.wrap_future(self.loop.submit(body(self, *args, **kwargs)))

    return call


def in_thread(body: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], Awaitable[R]]:
    """The form of a blocking verb for use inside an event loop: it runs in a thread."""

    @wraps(body)
    async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(body, self, *args, **kwargs)

    return call
