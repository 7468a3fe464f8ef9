"""Shows cells as task runs of their own, with their output, memory and time; and guesses how long is left."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from nbflow.plugins import LogLevel, RunContext, State
from nbflow.tasks.notebooks.loading import Notebook
from nbflow.tasks.notebooks.scrubbing import Scrubber
from nbflow.types import JsonValue

_LONGEST_TITLE = 60
_WORTH_KEEPING = 5.0
"""Seconds that a notebook must take for its times to be kept: nobody asks how long is left of less."""


class CellRun:
    """One cell on its way: RUNNING, then how it ended."""

    def __init__(self, ctx: RunContext, number: int, title: str) -> None:
        self._ctx = ctx
        self.name = f"cell {number}"
        self._number = number
        self._outputs: dict[str, JsonValue] = {"title": title} if title else {}
        self._moves: list[tuple[State, datetime]] = []
        self.memory = 0

    def begin(self) -> None:
        now = self._ctx.now()
        self._moves = [(State.CREATED, now), (State.RUNNING, now)]
        self._ctx.child_run(self.name, self._moves, outputs=self._outputs)

    def say(self, lines: list[tuple[LogLevel, str]], scrubber: Scrubber) -> None:
        """Write lines to the log of the cell."""
        if lines:
            texts = scrubber.pieces([text for _, text in lines])
            log = [(level, text) for (level, _), text in zip(lines, texts, strict=True)]
            self._ctx.child_run(self.name, self._moves, outputs=self._outputs, log=log)

    def note_memory(self, memory: int | None) -> None:
        self.memory = max(self.memory, memory or 0)

    def end(self, state: State) -> float:
        """Show how it ended; the seconds that it took."""
        began = self._moves[-1][1]
        now = max(self._ctx.now(), began)
        if self.memory:
            self._outputs["memory"] = self.memory
            self._ctx.metric("memory", self.memory, type="gauge", tags={"cell": str(self._number)})
        self._moves.append((state, now))
        self._ctx.child_run(self.name, self._moves, outputs=self._outputs)
        return (now - began).total_seconds()


class Times:
    """How long the cells of a notebook took when it last ran, found again by what is in them."""

    def __init__(self, ctx: RunContext) -> None:
        self._file = ctx.settings.home / "notebooks" / f"{ctx.namespace}.{ctx.flow_id}.{ctx.task_id}.json"
        self._before: dict[str, float] = {}
        self._now: dict[str, float] = {}
        with contextlib.suppress(OSError, ValueError, AttributeError):
            read: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))  # Any: a file may hold anything
            self._before = {str(key): float(seconds) for key, seconds in read.items()}

    def left(self, cells: list[Notebook]) -> str:
        """How long cells will take, in words; "" when nobody knows."""
        known = [self._before.get(_key(cell)) for cell in cells]
        seconds = sum(each for each in known if each is not None)
        return f", about {_in_words(seconds)} left" if seconds >= 1 and None not in known else ""

    def note(self, cell: Notebook, seconds: float) -> None:
        self._now[_key(cell)] = round(seconds, 3)

    def keep(self) -> None:
        """Keep the times for the next run. Blocks."""
        if sum(self._now.values()) < _WORTH_KEEPING:
            return
        with contextlib.suppress(OSError):  # a guess is not worth a failure
            self._file.parent.mkdir(parents=True, exist_ok=True)
            whole = Path(f"{self._file}.{os.getpid()}")
            whole.write_text(json.dumps({**self._before, **self._now}), encoding="utf-8")
            whole.replace(self._file)


def titles_of(cells: list[Notebook]) -> dict[str, str]:
    """Id of a code cell → its name, or the heading above it, or the comment it begins with."""
    found, heading = {}, ""
    for cell in cells:
        lines = [line.strip() for line in cell["source"].splitlines() if line.strip()]
        if cell["cell_type"] == "markdown":
            heading = next((line.lstrip("#").strip() for line in lines if line.startswith("#")), heading)
        elif cell["cell_type"] == "code":
            comment = lines[0].lstrip("# ") if lines and lines[0].startswith("#") else ""
            title = str(cell["metadata"].get("name") or comment or heading)
            found[cell["id"]] = title[:_LONGEST_TITLE]
    return found


def _key(cell: Notebook) -> str:
    return hashlib.sha256(cell["source"].encode()).hexdigest()[:16]


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
