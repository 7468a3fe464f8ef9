"""What the handlers of one server process share: the engine, and who may call how often."""

from __future__ import annotations

import logging
import threading
from functools import cached_property

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.server.auditing import AuditTrail
from nbflow.server.counting import Counts
from nbflow.server.credentials import BasicPasswords
from nbflow.server.rates import Rates
from nbflow.server.sharing import SharedAnswers
from nbflow.settings import Settings

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
SETTING = "nbflow"
"""Where the web application's settings keep the `ServerEngine`."""


class ServerEngine:
    """The one engine of a server process, which runs schedules; opened once there is a home, or by a request."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._given = settings
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._closed = threading.Event()
        self.trail = AuditTrail()
        self.counts = Counts()
        self.lists: SharedAnswers[str] = SharedAnswers()
        self.followed: SharedAnswers[tuple[bool, str]] = SharedAnswers()

    @property
    def opened(self) -> Engine | None:
        """The engine if it is open: asking costs nothing."""
        return self._engine

    @cached_property
    def settings(self) -> Settings:
        return self._given or Settings.load()

    @cached_property
    def passwords(self) -> BasicPasswords:
        return BasicPasswords(self.settings.server.username, self.settings.server.password)

    @cached_property
    def rates(self) -> Rates:
        """How often each address may ask."""
        most = self.settings.server.requests_per_second
        return Rates(most, 2 * most)

    def open_soon(self) -> None:
        """Open the engine in the background once its home is there: schedules must not wait for a request.

        A home that nobody uses stays unmade; what a notebook deploys first makes it.
        """
        if self.settings.server.scheduler:
            threading.Thread(target=self._open, name="nbflow-open", daemon=True).start()

    def _open(self) -> None:
        history = self.settings.home / "nbflow.db"
        try:
            while self.settings.repository_url is None and not history.is_file():
                if self._engine is not None or self._closed.wait(_LOOK_SECONDS):
                    return
            if not self._closed.is_set():
                self.get()
        except NbflowError as error:  # the first request says it to somebody who can mend it
            _log.warning("schedules do not run: %s", error, extra={"action": "home_unusable"})

    def get(self) -> Engine:
        """The engine; opening it touches files, so call this in a thread."""
        with self._lock:
            if self._engine is None:
                self._engine = Engine(settings=self.settings, scheduler=self.settings.server.scheduler)
            return self._engine

    def close(self) -> None:
        """Close the engine if it was opened; the next request opens another."""
        self._closed.set()
        self.trail.finish()
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()
