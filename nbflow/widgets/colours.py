"""Which colour and which sign stand for a state or a log level, in every view."""

from __future__ import annotations

from nbflow.model.state import State
from nbflow.model.task import LogLevel

STATE_COLOURS: dict[State, str] = {
    State.CREATED: "#90a4ae",
    State.QUEUED: "#90a4ae",
    State.RUNNING: "#2196f3",
    State.PAUSED: "#ab8de8",
    State.RETRYING: "#f5a623",
    State.RESTARTED: "#90a4ae",
    State.KILLING: "#f5a623",
    State.KILLED: "#b0503f",
    State.CANCELLED: "#8d6e63",
    State.SKIPPED: "#b0bec5",
    State.WARNING: "#e6a100",
    State.FAILED: "#e53935",
    State.RETRIED: "#f5a623",
    State.SUCCESS: "#43a047",
}
"""Middle tones: they stand out on white and on black."""

STATE_SIGNS: dict[State, str] = {
    State.SUCCESS: "✓",
    State.WARNING: "!",
    State.FAILED: "✗",
    State.KILLED: "■",
    State.CANCELLED: "■",
    State.SKIPPED: "–",
    State.RUNNING: "▶",
    State.PAUSED: "‖",
    State.RETRYING: "↻",
    State.RETRIED: "↻",
    State.KILLING: "■",
}
"""For those who cannot tell the colours apart, and for plain text."""

LEVEL_COLOURS: dict[LogLevel, str] = {
    LogLevel.TRACE: "#90a4ae",
    LogLevel.DEBUG: "#78909c",
    LogLevel.INFO: "#2196f3",
    LogLevel.WARN: "#e6a100",
    LogLevel.ERROR: "#e53935",
}


def sign(state: State) -> str:
    """The sign of a state; a dot for those that have not begun."""
    return STATE_SIGNS.get(state, "·")
