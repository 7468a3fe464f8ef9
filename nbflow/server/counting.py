"""How many there are in all, without counting a long list again for each page that is looked at.

A count that took long is believed for a second: on a million executions it costs more than the page itself, and nobody
can tell 1,000,000 from 1,000,017. Whoever asks for the same meanwhile waits for the one who counts.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

BELIEVED = 1.0
"""Seconds that a count is believed at least; one that took long is believed twenty times as long as it took."""

WORTH_KEEPING = 0.004
"""Seconds that counting must take for the count to be kept."""

_MOST = 500


class Counts:
    """Remembers counts by what was asked for. Its method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self._counting: dict[Hashable, Future[int]] = {}

    def of(self, key: Hashable, count: Callable[[], int]) -> int:
        """The number that `count` gives, or gave a moment ago under the same key."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] > time.monotonic():
                return kept[1]
            other = self._counting.get(key)
            mine = self._counting[key] = Future() if other is None else other
        if other is not None:
            return other.result()
        began = time.monotonic()
        try:
            number = count()
        except BaseException as error:
            with self._lock:
                del self._counting[key]
            mine.set_exception(error)
            raise
        took = time.monotonic() - began
        with self._lock:
            del self._counting[key]
            if took > WORTH_KEEPING:
                self._kept[key] = (time.monotonic() + max(BELIEVED, 20 * took), number)
                self._kept.move_to_end(key)
                while len(self._kept) > _MOST:
                    self._kept.popitem(last=False)
        mine.set_result(number)
        return number
