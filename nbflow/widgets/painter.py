"""Keeps one view up to date: a thread that gathers what happened and paints at most eight times a second.

Only this thread touches the view. It never prints: what a thread prints lands in whichever cell runs at that moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from nbflow.engine import Engine
from nbflow.errors import ConflictError, NbflowError
from nbflow.model.events import Event
from nbflow.widgets.snapshot import Changes, Snapshot

PAINT_SECONDS = 0.125
"""Between two messages to the browser: eight a second."""
LOOK_SECONDS = 0.2
"""Between two looks at an execution that another process runs; those of this one wake the painter."""

_log = logging.getLogger(__name__)


class View(Protocol):
    """What a painter paints."""

    def paint(self, snapshot: Snapshot, changes: Changes) -> None:
        """Show what has changed: one message to the browser at most."""
        ...

    def rest(self, snapshot: Snapshot) -> None:
        """Nothing happens at the moment: a good time to make good what a page that was not ready has missed."""
        ...

    def finish(self, snapshot: Snapshot) -> None:
        """Show the end; nothing comes after it."""
        ...


class Painter:
    """Paints an execution until it has ended. `kill` and `done` may be used from any thread."""

    def __init__(self, engine: Engine, snapshot: Snapshot, view: View) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._view = view
        self._woken = threading.Event()
        self._kill_asked = threading.Event()
        self._stopped = threading.Event()
        self.done = threading.Event()
        self.has_started = False
        """Whether there was something to follow; else the end was shown at once."""

    def start(self) -> Painter:
        self.has_started = True
        threading.Thread(target=self._main, name="nbflow-painter", daemon=True).start()
        return self

    def kill(self) -> None:
        """Ask for the end of the execution; returns at once."""
        self._kill_asked.set()
        self._woken.set()

    def stop(self) -> None:
        """Paint no more; the execution goes on."""
        self._stopped.set()
        self._woken.set()

    def _main(self) -> None:
        unsubscribe = self._engine.subscribe(self._wake, self._snapshot.execution.id)
        try:
            self._paint_until_ended()
        except NbflowError:  # the engine was closed, or the execution deleted: there is nothing left to show
            _log.debug("a painter ends early", exc_info=True, extra={"action": "painter_ended"})
        except Exception:  # outermost handler of this thread: the execution must not notice
            _log.exception("a view could not be painted", extra={"action": "painter_failed"})
        finally:
            unsubscribe()
            self.done.set()

    def _wake(self, _event: Event) -> None:
        self._woken.set()

    def _paint_until_ended(self) -> None:
        was_running = False
        while not self._stopped.is_set():
            if was_running and not self._engine.loop.is_running:
                return  # the engine was closed: another one may go on with the execution, and another view show it
            was_running = self._engine.loop.is_running
            begun = time.monotonic()
            self._woken.clear()
            self._kill_if_asked()
            changes = self._snapshot.look()
            if self._snapshot.has_ended:
                self._view.finish(self._snapshot)
                return
            if changes:
                self._view.paint(self._snapshot, changes)
                self._stopped.wait(max(PAINT_SECONDS - (time.monotonic() - begun), 0.0))
            else:
                self._view.rest(self._snapshot)
                self._woken.wait(LOOK_SECONDS)

    def _kill_if_asked(self) -> None:
        if not self._kill_asked.is_set():
            return
        self._kill_asked.clear()
        try:
            self._engine.kill(self._snapshot.execution.id)
        except ConflictError:
            return  # it ended meanwhile


def wait_until(done: Callable[[float], bool], timeout: float | None = None) -> bool:
    """Block until `done(seconds)` is true, in short waits so that an interrupt is heard; False after `timeout`."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while not done(0.1):
        if deadline is not None and time.monotonic() >= deadline:
            return False
    return True
