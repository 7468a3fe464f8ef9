"""Log lines for people: as text, and as escaped HTML with the level in its colour."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nbflow.model.execution import LogEntry
from nbflow.widgets.colours import LEVEL_COLOURS

LONGEST = 4000
"""Characters of one line that are shown; the whole is in the history."""


def clock(entry: LogEntry) -> str:
    """The time of day of an entry, in the zone of this machine."""
    return entry.timestamp.astimezone().strftime("%H:%M:%S.%f")[:-3]


def message(entry: LogEntry) -> str:
    """The message, cut where it is very long."""
    text = entry.message.rstrip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def log_text(entries: Sequence[LogEntry]) -> str:
    """One line each: `10:20:30.123 INFO  hello: Hello Ada`."""
    return "\n".join(
        f"{clock(entry)} {entry.level:<5} {f'{entry.task_id}: ' if entry.task_id else ''}{message(entry)}"
        for entry in entries
    )


def log_html(entries: Sequence[LogEntry]) -> str:
    """The same as a block of HTML."""
    lines = []
    for entry in entries:
        task = f"<b>{escape(entry.task_id)}</b> " if entry.task_id else ""
        level = f'<span style="color:{LEVEL_COLOURS[entry.level]}">{entry.level:<5}</span>'
        lines.append(f"{clock(entry)} {level} {task}{escape(message(entry))}")
    style = "margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;line-height:1.45"
    return f'<pre style="{style}">' + "\n".join(lines) + "</pre>"
