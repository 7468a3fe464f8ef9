"""Who changed what over REST, kept in the history without any request waiting for it."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.store import AuditEntry

_log = logging.getLogger(__name__)


class AuditTrail:
    """Gathers entries and writes them from a thread of its own: many in one commit when many come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[AuditEntry] = []
        self._thread: threading.Thread | None = None

    def note(self, engine: Engine, who: str, action: str, what: str) -> None:
        """Keep that somebody did something; it is in the history soon."""
        with self._lock:
            self._entries.append(AuditEntry(datetime.now(UTC), who, action, what[:2000]))
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, args=(engine,), name="nbflow-audit", daemon=True)
                self._thread.start()

    def finish(self) -> None:
        """Return once all entries are written."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _write(self, engine: Engine) -> None:
        while True:
            with self._lock:
                entries, self._entries = self._entries, []
                if not entries:
                    self._thread = None
                    return
            try:
                engine.store.audit.extend(entries)
            except NbflowError as error:
                _log.error("%d audit entries are lost: %s", len(entries), error, extra={"action": "audit_lost"})
