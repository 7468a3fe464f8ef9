"""Long work in a thread that ends soon after its task is killed or timed out."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


class StoppedError(Exception):
    """The task is over; nobody waits for what the thread does any more."""


class Stop:
    """Tells a thread whether to go on."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._then: list[Callable[[], object]] = []

    def set(self) -> None:
        self._event.set()
        for act in self._then:
            with suppress(Exception):  # the task is over: nobody asks how this went
                act()

    def then(self, act: Callable[[], object]) -> None:
        """Do this as well when the task is over; it may be done already by then, and is called on another thread."""
        self._then.append(act)

    def check(self) -> None:
        """Raises: StoppedError when the task is over."""
        if self._event.is_set():
            raise StoppedError

    def watch(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, for as long as the task goes on."""
        for item in items:
            self.check()
            yield item


async def in_thread(work: Callable[[Stop], T]) -> T:
    """Run blocking work in a thread; it is told to stop when whoever awaits it is cancelled."""
    stop = Stop()
    try:
        return await asyncio.to_thread(work, stop)
    finally:
        stop.set()
