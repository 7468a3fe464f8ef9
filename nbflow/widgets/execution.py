"""The live view of one execution: an anywidget that a painter keeps up to date.

`state` holds the whole view, for a page that is loaded again; in between, small messages say what has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from nbflow.model.execution import LogEntry, TaskRun
from nbflow.types import JsonValue
from nbflow.widgets.gantt import row_of
from nbflow.widgets.logs import clock, message
from nbflow.widgets.snapshot import Changes, Snapshot

_FULL_SECONDS = 0.5
_FULL_SECONDS_OF_MANY = 2.0
_MANY_ROWS = 200
_MOST_ROWS = 2000
_STATIC = Path(__file__).parent / "static"


class ExecutionView(anywidget.AnyWidget):
    """State, Gantt, log lines and outputs of one execution, live; with a button that kills it."""

    _esm = _STATIC / "execution.js"
    _css = _STATIC / "execution.css"
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, snapshot: Snapshot, on_kill: Callable[[], None], **options: Any) -> None:  # Any: trait values
        self._rows: dict[str, None] = {}
        self._full_at = time.monotonic()
        self._is_behind = False  # whether `state` lacks what small messages have said
        super().__init__(state=self._full(snapshot), **options)
        self.on_msg(lambda _widget, content, _buffers: on_kill() if content == {"kind": "kill"} else None)

    def paint(self, snapshot: Snapshot, changes: Changes) -> None:
        """Send what has changed; now and then everything, in its place."""
        now = time.monotonic()
        pause = _FULL_SECONDS if len(self._rows) <= _MANY_ROWS else _FULL_SECONDS_OF_MANY
        if now - self._full_at >= pause:
            self._send_everything(snapshot)
            return
        self._is_behind = True
        has_outputs = changes.execution or any(run.outputs for run in changes.task_runs.values())
        self.send(
            {
                "kind": "delta",
                "header": _header(snapshot),
                "rows": self._rows_of(list(changes.task_runs.values()), snapshot),
                "logs": [_line(entry) for entry in changes.entries[-100:]],
                "outputs": [shown.to_json() for shown in snapshot.outputs] if has_outputs else None,
            }
        )

    def rest(self, snapshot: Snapshot) -> None:
        """Send everything once after small messages: a page that was still loading has missed those."""
        if self._is_behind and time.monotonic() - self._full_at >= _FULL_SECONDS:
            self._send_everything(snapshot)

    def finish(self, snapshot: Snapshot) -> None:
        """Leave nothing behind: the static twin takes the view's place, and a saved notebook stays small."""
        self.state = {}
        self.close()

    def _send_everything(self, snapshot: Snapshot) -> None:
        self._full_at = time.monotonic()
        self._is_behind = False
        self.state = self._full(snapshot)

    def _full(self, snapshot: Snapshot) -> dict[str, Any]:
        return {
            "header": _header(snapshot),
            "rows": self._rows_of(snapshot.task_runs, snapshot),
            "logs": [_line(entry) for entry in snapshot.entries],
            "outputs": [shown.to_json() for shown in snapshot.outputs],
        }

    def _rows_of(self, task_runs: list[TaskRun], snapshot: Snapshot) -> list[JsonValue]:
        """Rows as compact lists. Beyond the most that a page can show, only failures get a row."""
        rows: list[JsonValue] = []
        for run in task_runs:
            if run.id not in self._rows:
                if len(self._rows) >= _MOST_ROWS and not run.state.is_failure:
                    continue
                self._rows[run.id] = None
            row = row_of(run, snapshot.execution.start)
            bars: list[JsonValue] = [[bar.start, bar.end, str(bar.state), bar.is_waiting] for bar in row.bars]
            facts: list[JsonValue] = [row.id, row.parent, row.label, str(row.state), row.start, row.end, row.attempts]
            rows.append([*facts, bars, row.iteration])
        return rows


def _header(snapshot: Snapshot) -> dict[str, JsonValue]:
    execution = snapshot.execution
    return {
        "id": execution.id,
        "flow": f"{execution.namespace}.{execution.flow_id}",
        "state": str(execution.state),
        "start": execution.start.timestamp(),
        "now": time.time(),
        "counts": {str(state): count for state, count in snapshot.counts.items()},
    }


def _line(entry: LogEntry) -> list[JsonValue]:
    return [entry.seq, clock(entry), str(entry.level), entry.task_id or "", message(entry)]
