"""Deciding, when several executions must have come within a time: what has come, and whether it is enough.

Nothing here touches the history or a clock; what a trigger remembers comes in and goes out as plain JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nbflow.triggers.flow import TimeWindow, Window, WindowType
from nbflow.types import JsonValue

_DAY = timedelta(days=1)
_COUNTED = 100  # events of which a trigger remembers that they have counted
_EPOCH = datetime(1970, 1, 1)  # without a zone: windows are cut out of local time


@dataclass(frozen=True, slots=True)
class Span:
    """The times in which executions count together."""

    type: WindowType = WindowType.DURATION_WINDOW
    length: timedelta = _DAY
    advance: timedelta = timedelta()
    start: time = time()
    end: time = time()
    timezone: str = "UTC"

    @classmethod
    def of_time_window(cls, window: TimeWindow) -> Span:
        return cls(
            window.type,
            window.window or _DAY,
            window.window_advance or timedelta(),
            window.start_time or time(),
            window.deadline or window.end_time or time(),
            window.timezone,
        )

    @classmethod
    def of_window(cls, window: Window) -> Span:
        """The span of the newer form, whose properties tell its type."""
        zone = window.timezone
        if window.deadline is not None:
            return cls(WindowType.DAILY_TIME_DEADLINE, end=window.deadline, timezone=zone)
        if window.from_ is not None and window.to is not None:
            return cls(WindowType.DAILY_TIME_WINDOW, start=window.from_, end=window.to, timezone=zone)
        if window.lookback is not None:
            return cls(WindowType.SLIDING_WINDOW, window.lookback, timezone=zone)
        return cls(length=window.every or _DAY, advance=window.offset or timedelta(), timezone=zone)

    def window_at(self, moment: datetime) -> str | None:
        """The name of the window that an instant is in: later ones sort after it. None when it is in none.

        A sliding window is always the same one: there, what is too old is forgotten.
        """
        if self.type is WindowType.SLIDING_WINDOW:
            return ""
        local = moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        if self.type is WindowType.DURATION_WINDOW:
            length = self.length if self.length > timedelta() else _DAY
            begin = _EPOCH + self.advance
            return (begin + (local - begin) // length * length).isoformat(timespec="microseconds")
        day, now = local.date(), local.time()
        start, end = self.start.replace(tzinfo=None), self.end.replace(tzinfo=None)
        if start <= end:
            return day.isoformat() if start <= now < end else None
        if now >= start:  # it reaches over midnight
            return day.isoformat()
        return (day - _DAY).isoformat() if now < end else None


@dataclass(frozen=True, slots=True)
class Wait:
    """Something a trigger waits for: `needed` of some things; those in `met` have just happened.

    `resets`: all must happen again after it fired; `fires_once`: not before the window has passed.
    """

    id: str
    names: tuple[str, ...]
    met: frozenset[str]
    needed: int
    span: Span
    resets: bool = True
    fires_once: bool = False


def decide(
    waits: Sequence[Wait], event: str, at: datetime, remembered: Mapping[str, JsonValue]
) -> tuple[Mapping[str, JsonValue], bool]:
    """From what a trigger remembers: what it remembers after an event, and whether it fires.

    An event that is told twice, as happens when an engine goes on for another, counts once.
    """
    counted = remembered.get("counted")
    earlier = counted if isinstance(counted, list) else []
    if event in earlier:
        return remembered, False
    windows = _map(remembered.get("windows"))
    after: dict[str, JsonValue] = {}
    fires = any(wait.met for wait in waits)
    for wait in waits:
        window, is_enough = _step(wait, event, at, _map(windows.get(wait.id)))
        after[wait.id] = window
        fires = fires and is_enough
    if fires:
        for wait in waits:
            window = _map(after[wait.id])
            window["fired"] = at.astimezone(UTC).isoformat()
            if wait.resets:
                window["met"] = {}
    return {**remembered, "windows": after, "counted": [*earlier, event][-_COUNTED:]}, fires


def events_before(waits: Sequence[Wait], event: str, at: datetime, remembered: Mapping[str, JsonValue]) -> list[str]:
    """The events that, with this one, a trigger has waited for; the oldest first."""
    windows = _map(remembered.get("windows"))
    found: dict[str, str] = {}
    for wait in waits:
        window, _ = _step(wait, event, at, _map(windows.get(wait.id)))
        since = _map(window.get("met"))
        found |= {str(one): str(since[name]) for name, one in _map(window.get("events")).items() if one != event}
    return sorted(found, key=lambda one: found[one])


def _step(wait: Wait, event: str, at: datetime, window: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], bool]:
    name = wait.span.window_at(at)
    former = window.get("window")
    if name is None or (isinstance(former, str) and name < former):
        return window, False  # outside, or told too late
    if former != name:
        window = {"window": name, "met": {}}
    met = {one: since for one, since in _map(window.get("met")).items() if one in wait.names}
    met |= {one: at.astimezone(UTC).isoformat() for one in sorted(wait.met)}
    fired = window.get("fired")
    if wait.span.type is WindowType.SLIDING_WINDOW:
        met = {one: since for one, since in met.items() if _is_within(since, at, wait.span.length)}
        fired = fired if _is_within(fired, at, wait.span.length) else None
    events = {**_map(window.get("events")), **dict.fromkeys(wait.met, event)}
    events = {name: one for name, one in events.items() if name in met}
    is_enough = len(met) >= wait.needed and not (wait.fires_once and fired is not None)
    return {**window, "met": met, "events": events, "fired": fired}, is_enough


def _is_within(since: JsonValue, at: datetime, length: timedelta) -> bool:
    return isinstance(since, str) and at - datetime.fromisoformat(since) < length


def _map(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}
