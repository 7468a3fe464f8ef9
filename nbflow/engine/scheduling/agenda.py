"""What comes next: the triggers that the scheduler looks after, in a heap by their next date.

Only the engine's loop touches it. A heap may hold dates that are out of date; these are passed over.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from nbflow.store import TriggerState

Key = tuple[str, str, str]
"""Namespace, flow and trigger."""


@dataclass(slots=True)
class Entry:
    """A trigger on the agenda. `is_busy`: something is being done about it right now."""

    state: TriggerState
    is_off: bool = False
    is_busy: bool = False
    waits: bool = False


class Agenda:
    """The triggers by key, and the next dates of those that may fire."""

    def __init__(self) -> None:
        self._entries: dict[Key, Entry] = {}
        self._heap: list[tuple[datetime, int, Key]] = []
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def get(self, key: Key) -> Entry | None:
        return self._entries.get(key)

    def keys(self) -> set[Key]:
        return set(self._entries)

    def put(self, state: TriggerState, *, is_off: bool = False) -> Entry:
        """Take over how a trigger stands now; `is_off` when its flow is switched off."""
        entry = self._entries.get(state.key)
        if entry is None:
            entry = self._entries[state.key] = Entry(state)
        entry.state, entry.is_off, entry.waits = state, is_off, False
        self._plan(entry)
        return entry

    def move(self, entry: Entry, next_date: datetime | None) -> None:
        """Give a trigger its next date."""
        entry.state = replace(entry.state, next_date=next_date)
        self._plan(entry)

    def again(self, entry: Entry) -> None:
        """Look at a trigger that waited."""
        entry.waits = False
        self._plan(entry)

    def drop(self, key: Key) -> None:
        self._entries.pop(key, None)

    def next_date(self) -> datetime | None:
        """The earliest date of all."""
        while self._heap:
            date, _, key = self._heap[0]
            if self._is_current(date, key):
                return date
            heapq.heappop(self._heap)
        return None

    def soon(self, until: datetime, limit: int) -> list[Entry]:
        """Triggers whose date comes before an instant, in no order; the rest of the heap is not looked at."""
        found: list[Entry] = []
        places = [0]
        while places and len(found) < limit:
            place = places.pop()
            if place < len(self._heap) and self._heap[place][0] <= until:
                date, _, key = self._heap[place]
                if self._is_current(date, key):
                    found.append(self._entries[key])
                places += [2 * place + 1, 2 * place + 2]
        return found

    def due(self, now: datetime, limit: int) -> list[Entry]:
        """The triggers whose date has come, the earliest first; each is taken off until it is planned again."""
        found: list[Entry] = []
        while self._heap and self._heap[0][0] <= now and len(found) < limit:
            date, _, key = heapq.heappop(self._heap)
            if self._is_current(date, key):
                entry = self._entries[key]
                entry.is_busy = True
                found.append(entry)
        return found

    def done(self, entry: Entry) -> None:
        """Nothing is being done about a trigger any more."""
        entry.is_busy = False
        self._plan(entry)

    def _plan(self, entry: Entry) -> None:
        state = entry.state
        if state.next_date is None or state.disabled or entry.is_off or entry.is_busy or entry.waits:
            return
        heapq.heappush(self._heap, (state.next_date, next(self._numbers), state.key))

    def _is_current(self, date: datetime, key: Key) -> bool:
        entry = self._entries.get(key)
        if entry is None or entry.is_busy or entry.waits or entry.is_off:
            return False
        return not entry.state.disabled and entry.state.next_date == date
