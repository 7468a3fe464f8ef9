"""How often somebody may ask: token buckets, one for each address or name."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class Rates:
    """Lets `burst` requests of a name pass at once, and `per_second` of them from then on.

    Names that have not asked for longest are forgotten first: memory stays small however many ask.
    """

    def __init__(
        self, per_second: float, burst: float, *, most: int = 10_000, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most = most
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> bool:
        """Whether one more request of this name may pass; it is counted then."""
        left = self.left(name)
        if left < 1:
            return False
        self._keep(name, left - 1)
        return True

    def left(self, name: str) -> float:
        """How many requests of a name may pass now."""
        level, since = self._buckets.get(name, (self._burst, self._now()))
        return min(self._burst, level + (self._now() - since) * self._per_second)

    def seconds_until(self, name: str) -> int:
        """Whole seconds after which one more may pass."""
        return max(1, round((1 - self.left(name)) / self._per_second))

    def _keep(self, name: str, level: float) -> None:
        self._buckets[name] = (level, self._now())
        self._buckets.move_to_end(name)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
