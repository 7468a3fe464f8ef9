"""Where an execution or a task run stands, and which move is legal.

CREATED ─► QUEUED ─► RUNNING ─► SUCCESS | WARNING | FAILED | SKIPPED | CANCELLED
   │                  │  ▲  │
   │                  ▼  │  └─► KILLING ─► KILLED
   │          PAUSED, RETRYING
   └─► SKIPPED                     ended ─► RESTARTED ─► RUNNING
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from nbflow.errors import IllegalMoveError


class State(StrEnum):
    """Where an execution, a task run or an attempt stands."""

    CREATED = "CREATED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    RETRYING = "RETRYING"
    RESTARTED = "RESTARTED"
    KILLING = "KILLING"
    KILLED = "KILLED"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"
    WARNING = "WARNING"
    FAILED = "FAILED"
    RETRIED = "RETRIED"
    SUCCESS = "SUCCESS"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in TERMINAL

    @property
    def is_failure(self) -> bool:
        """Whether what depends on it must not go on."""
        return self in (State.FAILED, State.KILLED, State.CANCELLED)


TERMINAL = frozenset(
    {State.SUCCESS, State.WARNING, State.FAILED, State.KILLED, State.CANCELLED, State.SKIPPED, State.RETRIED}
)

_GOES_ON = {State.RUNNING, State.KILLING, State.KILLED, State.FAILED, State.CANCELLED}
_REVIVED = {State.RESTARTED, State.RUNNING, State.RETRYING, State.QUEUED}

LEGAL_MOVES: dict[State, frozenset[State]] = {
    State.CREATED: frozenset(
        _GOES_ON | {State.QUEUED, State.RESTARTED, State.PAUSED, State.SKIPPED, State.SUCCESS, State.WARNING}
    ),
    State.QUEUED: frozenset(_GOES_ON),
    State.RUNNING: frozenset(TERMINAL | {State.PAUSED, State.RETRYING, State.KILLING, State.QUEUED}),
    State.PAUSED: frozenset(_GOES_ON | {State.RESTARTED, State.SUCCESS, State.WARNING}),
    State.RETRYING: frozenset(_GOES_ON | {State.CREATED, State.QUEUED, State.RETRIED}),
    State.RESTARTED: frozenset(_GOES_ON | {State.QUEUED, State.PAUSED, State.SUCCESS, State.WARNING, State.SKIPPED}),
    State.KILLING: frozenset({State.KILLED, State.FAILED, State.WARNING, State.SUCCESS, State.CANCELLED}),
    **{ended: frozenset(_REVIVED | (TERMINAL - {ended})) for ended in TERMINAL},
}
"""From an ended state, only somebody outside moves on: restart, replay or a change of state by hand."""


def worst(states: Iterable[State]) -> State:
    """The state of a block from those of its children: one failure makes a failure, one warning a warning."""
    outcome = State.SUCCESS
    for state in states:
        if _GRAVITY.get(state, 0) > _GRAVITY[outcome]:
            outcome = state
    return outcome


_GRAVITY = {State.SUCCESS: 0, State.SKIPPED: 0, State.WARNING: 1, State.FAILED: 2, State.CANCELLED: 3, State.KILLED: 4}


@dataclass(frozen=True, slots=True)
class StateHistory:
    """The states something went through, oldest first, each with the instant (UTC) it began."""

    moves: tuple[tuple[State, datetime], ...]

    @classmethod
    def begin(cls, now: datetime, state: State = State.CREATED) -> StateHistory:
        return cls(((state, now),))

    @property
    def current(self) -> State:
        return self.moves[-1][0]

    @property
    def start(self) -> datetime:
        return self.moves[0][1]

    @property
    def end(self) -> datetime | None:
        """When the present terminal state began; None while it goes on."""
        state, since = self.moves[-1]
        return since if state in TERMINAL else None

    def duration(self, now: datetime) -> timedelta:
        return (self.end or now) - self.start

    def move(self, state: State, now: datetime) -> StateHistory:
        """The history with one state more; itself when it stands there already. Raises: IllegalMoveError."""
        current = self.current
        if state is current:
            return self
        if state not in LEGAL_MOVES[current]:
            history = tuple(str(past) for past, _ in self.moves)
            raise IllegalMoveError(f"{state} cannot follow {current}", history=history)
        return StateHistory((*self.moves, (state, now)))
