"""How the command line shows things: tables, JSON, states in colour, errors in one clear message."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from nbflow.errors import FlowValidationError, NbflowError, ProblemsError

_COLOURS = {
    "SUCCESS": "32",
    "WARNING": "33",
    "FAILED": "31",
    "KILLED": "31",
    "CANCELLED": "31",
    "RUNNING": "36",
    "ERROR": "31",
    "WARN": "33",
    "DEBUG": "2",
    "TRACE": "2",
}


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print a line that is not the result."""
    print(text, file=sys.stderr, flush=True)


def show_json(value: object) -> None:
    """Print a value as JSON."""
    say(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_json_line(value: object) -> None:
    """Print a value as JSON in one line."""
    say(json.dumps(value, ensure_ascii=False, default=str))


def coloured(word: str, text: str | None = None, stream: TextIO | None = None) -> str:
    """A state or level in its colour, where the output is a terminal that wants colours."""
    shown = word if text is None else text
    colour = _COLOURS.get(word.strip())
    if colour is None or "NO_COLOR" in os.environ or not (stream or sys.stdout).isatty():
        return shown
    return f"\x1b[{colour}m{shown}\x1b[0m"


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as they need to be, a state among them in its colour."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = [coloured(cell, cell.ljust(width)) for cell, width in zip(row, widths, strict=True)]
        say("  ".join(cells).rstrip())


def local_time(moment: datetime) -> str:
    """An instant in the zone of this machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def show_error(error: NbflowError) -> None:
    """Print what went wrong and how to mend it, on stderr."""
    place = f"{error.where}: " if error.where else ""
    warn(f"{coloured('ERROR', 'error:', sys.stderr)} {place}{error.message}")
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            at = f"{problem.line}:{problem.column} " if isinstance(error, FlowValidationError) else ""
            path = f"{problem.path}: " if problem.path else ""
            warn(f"  {at}{path}{problem.message}")
            if problem.hint:
                warn(f"    mend: {problem.hint}")
    if error.hint:
        warn(f"  mend: {error.hint}")
