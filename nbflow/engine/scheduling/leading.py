"""Who the scheduler is: one engine of a home, by a lease that it renews; when it dies, another takes over within 10 s.

free or given up ─► take ─► renew every 2 s ─► (another engine took it: step down)
"""

from __future__ import annotations

import os
import socket
import time
from datetime import datetime, timedelta

from nbflow.clock import Clock
from nbflow.store import Lease, Store
from nbflow.types import JsonValue

LEASE_NAME = "scheduler"
VALID = timedelta(seconds=7)
"""How long a leader is believed to live after it was seen last."""
BREAK = timedelta(seconds=60)
"""Without a scheduler for longer than this, what was due meanwhile was missed; before that, it is only late."""
_RENEW_SECONDS = 2.0
_DOUBT_SECONDS = 1.0


class Leadership:
    """The lease of the scheduler, as one engine sees it. `look` is called again and again, from a thread."""

    def __init__(self, store: Store, clock: Clock, engine_id: str) -> None:
        self._store = store
        self._clock = clock
        self._engine_id = engine_id
        self._renewed = 0.0
        self._looked = datetime.min.replace(tzinfo=clock.now().tzinfo)
        self._doubted: tuple[str, datetime] | None = None
        self._doubted_since = 0.0
        self.lease: Lease | None = None
        """The lease while this engine holds it."""

    @property
    def watched_since(self) -> datetime:
        """Since when a scheduler has been there without a break."""
        return self.lease.watched_since if self.lease is not None else self._clock.now()

    def look(self) -> bool:
        """Renew the lease, or take it if it is free; whether this engine leads."""
        now = self._clock.now()
        if self.lease is not None:
            self._renew(self.lease, now)
        else:
            self._take(now)
        self._looked = now
        return self.lease is not None

    def note_break(self) -> bool:
        """Notice that this machine slept, or its clock was put forward: what was due meanwhile was missed."""
        now = self._clock.now()
        slept = self.lease is not None and now - self._looked > BREAK
        if slept and self.lease is not None:
            self.lease = _watched(self.lease, now, now)
            self._renewed = 0.0
        return slept

    def release(self) -> None:
        """Forget the lease; the engine gives it back by ending."""
        self.lease = None

    def _renew(self, lease: Lease, now: datetime) -> None:
        if time.monotonic() - self._renewed < _RENEW_SECONDS:
            return
        if self._store.leases.renew(lease.name, self._engine_id, now, lease.watched_since):
            self.lease = _watched(lease, now, lease.watched_since)
            self._renewed = time.monotonic()
        else:
            self.lease = None

    def _take(self, now: datetime) -> None:
        former = self._store.leases.get(LEASE_NAME)
        if former is not None and not self._is_free(former, now):
            return
        info: dict[str, JsonValue] = {"host": socket.gethostname(), "pid": os.getpid()}
        self.lease = self._store.leases.take(LEASE_NAME, self._engine_id, now, former, info, BREAK)
        self._renewed = time.monotonic()

    def _is_free(self, lease: Lease, now: datetime) -> bool:
        if lease.holder == self._engine_id or self._store.leases.is_abandoned(lease):
            return True
        seen = (lease.holder, lease.seen)
        if now - lease.seen <= VALID:
            self._doubted = None
            return False
        # A machine that wakes up, or a clock that is put forward, makes every lease look old: wait for a renewal.
        if self._doubted != seen:
            self._doubted, self._doubted_since = seen, time.monotonic()
        return time.monotonic() - self._doubted_since >= _DOUBT_SECONDS


def _watched(lease: Lease, seen: datetime, since: datetime) -> Lease:
    return Lease(lease.name, lease.holder, lease.since, seen, since, lease.info)
