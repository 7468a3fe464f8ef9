"""One answer for many who ask the same at once: a list that twenty browsers poll is put together once.

ask ─► nobody waits: wait for the one under way, then work ─► answer
ask ─► somebody waits to begin: have that answer

Whoever joins has asked before the work began, so that nobody gets an answer older than their question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedAnswers(Generic[T]):
    """Lets questions with the same key share an answer. For one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, asyncio.Future[T]] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def get(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` gives, for this caller alone or for all who asked meanwhile; what it raises, too."""
        waiting = self._waiting.get(key)
        if waiting is not None:
            return await asyncio.shield(waiting)
        mine = self._waiting[key] = asyncio.get_running_loop().create_future()
        mine.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody need have joined
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                del self._waiting[key]  # who asks from here on is to have a newer answer
                answer = await work()
        except BaseException as error:
            mine.set_exception(error if isinstance(error, Exception) else RuntimeError("the work was given up"))
            raise
        finally:
            if key not in self._waiting and not lock.locked():
                self._locks.pop(key, None)
        mine.set_result(answer)
        return answer
