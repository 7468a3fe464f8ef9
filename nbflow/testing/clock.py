"""A clock whose hands a test moves."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


class FakeClock:
    """Stands still until `advance` is called; whoever sleeps on it wakes when the time has come.

    Example: `clock = FakeClock(); engine = Engine(home, clock=clock); clock.advance(timedelta(hours=1))`
    """

    def __init__(self, now: datetime = _EPOCH) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._sleepers: list[tuple[datetime, asyncio.AbstractEventLoop, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        with self._lock:
            deadline = self._now + timedelta(seconds=seconds)
            if deadline <= self._now:
                return
            self._sleepers.append((deadline, asyncio.get_running_loop(), woken))
        await woken.wait()

    @property
    def sleepers(self) -> int:
        """How many wait for this clock: a test awaits this before it advances."""
        with self._lock:
            return len(self._sleepers)

    def advance(self, length: timedelta) -> None:
        """Move the hands on and wake those whose time has come; may be called from any thread."""
        with self._lock:
            self._now += length
            due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for _, loop, woken in due:
            if not loop.is_closed():  # whoever slept there is gone
                loop.call_soon_threadsafe(woken.set)
