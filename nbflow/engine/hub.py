"""Who watches what happens: the engine publishes, watchers are called in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from nbflow.model.events import Event
from nbflow.model.execution import Execution
from nbflow.store.changes import NoteStateChange

Watcher = Callable[[Event], None]
Noter = Callable[[Execution], NoteStateChange | None]

_log = logging.getLogger(__name__)


class Hub:
    """Hands every event to its watchers, on the thread where it happened; they must be quick."""

    def __init__(self) -> None:
        self.noter: Noter | None = None
        """Says what is to be committed together with a change of an execution, while somebody wants that."""
        self._lock = threading.Lock()
        self._of_all: tuple[Watcher, ...] = ()
        self._of_one: dict[str, tuple[Watcher, ...]] = {}

    def subscribe(self, watcher: Watcher, execution_id: str | None = None) -> Callable[[], None]:
        """Watch one execution, or all; returns what ends the watching."""
        with self._lock:
            if execution_id is None:
                self._of_all = (*self._of_all, watcher)
            else:
                self._of_one[execution_id] = (*self._of_one.get(execution_id, ()), watcher)

        def unsubscribe() -> None:
            with self._lock:
                if execution_id is None:
                    self._of_all = tuple(other for other in self._of_all if other is not watcher)
                    return
                left = tuple(other for other in self._of_one.get(execution_id, ()) if other is not watcher)
                if left:
                    self._of_one[execution_id] = left
                else:
                    self._of_one.pop(execution_id, None)

        return unsubscribe

    def noted(self, execution: Execution) -> tuple[NoteStateChange, ...]:
        """What is to be committed together with an execution as it now is."""
        note = self.noter(execution) if self.noter is not None else None
        return () if note is None else (note,)

    def publish(self, event: Event) -> None:
        """Tell the watchers. One that raises is logged and the others go on."""
        if not self._of_all and not self._of_one:
            return
        for watcher in (*self._of_all, *self._of_one.get(event.execution_id, ())):
            try:
                watcher(event)
            except Exception:  # a watcher is a face's code: its failure must not end an execution
                _log.exception("a watcher failed", extra={"action": "watcher_failed"})
