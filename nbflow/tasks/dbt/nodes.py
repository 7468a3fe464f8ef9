"""What dbt says of its nodes (models, tests, seeds, snapshots), as task runs of their own.

event "started" ─► RUNNING ─► event with a status ─► SUCCESS | WARNING | FAILED | SKIPPED
                      └── the task is killed ─► KILLED
run_results.json, once dbt has ended: what each node of the last command comes to, with its message
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbflow.plugins import LogLevel, RunContext, State
from nbflow.tasks.scripts.listening import Listener
from nbflow.types import JsonValue

_STATES = {
    "success": State.SUCCESS,
    "pass": State.SUCCESS,
    "no-op": State.SUCCESS,
    "warn": State.WARNING,
    "partial success": State.WARNING,
    "skipped": State.SKIPPED,
    "error": State.FAILED,
    "fail": State.FAILED,
    "runtime error": State.FAILED,
    "runtime_error": State.FAILED,
}
_LEVELS = {"debug": LogLevel.DEBUG, "info": LogLevel.INFO, "warn": LogLevel.WARN, "error": LogLevel.ERROR}
_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_METRICS = {"rows_affected": "rows.affected", "bytes_processed": "bytes.processed"}


@dataclass(slots=True)
class Node:
    """A node of the project, as far as it has come; `status` is empty while it runs."""

    name: str
    moves: list[tuple[State, datetime]]
    status: str = ""
    message: str = ""
    seconds: float | None = None
    failures: int = 0

    @property
    def state(self) -> State:
        return self.moves[-1][0]

    @property
    def log(self) -> list[tuple[LogLevel, str]]:
        """What its log says once it has ended."""
        levels = {State.FAILED: LogLevel.ERROR, State.WARNING: LogLevel.WARN}
        level = levels.get(self.state, LogLevel.INFO)
        took = f" in {self.seconds:.2f}s" if self.seconds is not None else ""
        failed = f" ({self.failures} failure{'s' if self.failures != 1 else ''})" if self.failures else ""
        lines = [(level, f"{self.name} => {self.status}{took}{failed}")]
        return [*lines, (level, self.message)] if self.message else lines


@dataclass(slots=True)
class Nodes:
    """The nodes of one task run, shown as they go on."""

    ctx: RunContext
    are_shown: bool = True
    _known: dict[str, Node] = field(default_factory=dict)

    def note(self, info: Mapping[str, Any]) -> None:
        """Take in what an event says of a node. Any: dbt's JSON."""
        name, status = str(info.get("unique_id") or ""), str(info.get("node_status") or "")
        started = _instant(info.get("node_started_at"))
        if not name or started is None:
            return
        node = self._known.get(name)
        state = _STATES.get(status)
        if node is None or (node.status and status == "started"):  # a later command may build it once more
            node = self._known[name] = Node(name, [(State.CREATED, started), (State.RUNNING, started)])
            if state is None:
                self._show(node)
        if state is not None and not node.status:
            ended = max(_instant(info.get("node_finished_at")) or started, started)
            node.status = status
            moves = node.moves[:1] if state is State.SKIPPED else node.moves
            node.moves = [*moves, (state, ended)]
            self._show(node)

    def complain(self, name: str, message: str) -> None:
        """Keep the message of a node that failed."""
        node = self._known.get(name)
        if node is not None:
            node.message = node.message or message.strip()

    def end(self, results: Path | None) -> None:
        """Show what all of them came to, with their logs. `results` is the run_results.json, if there is one."""
        for result in _read_results(results):
            name, state = str(result.get("unique_id") or ""), _STATES.get(str(result.get("status")))
            if not name or state is None:
                continue
            node = self._known.get(name)
            if node is None or not node.status:
                node = self._known[name] = Node(name, _moves(result, state, self.ctx.now()))
            node.status = str(result["status"])
            node.message = str(result.get("message") or node.message).strip()
            node.seconds, node.failures = result.get("execution_time"), int(result.get("failures") or 0)
            self._measure(name, result.get("adapter_response") or {})
        for node in self._known.values():
            if node.status:
                self._show(node, node.log)

    def stop(self) -> None:
        """Show as killed what has not ended: dbt itself has."""
        now = self.ctx.now()
        for node in self._known.values():
            if not node.status:
                node.moves = [*node.moves, (State.KILLED, max(now, node.moves[-1][1]))]
                node.status = "killed"
                self._show(node)

    def _show(self, node: Node, log: list[tuple[LogLevel, str]] | None = None) -> None:
        if self.are_shown:
            self.ctx.child_run(node.name, node.moves, log=log or [])

    def _measure(self, name: str, response: Mapping[str, Any]) -> None:  # Any: as the adapter likes it
        for key, metric in _METRICS.items():
            try:
                self.ctx.metric(metric, float(response[key]), tags={"node": name})
            except (KeyError, TypeError, ValueError):
                continue


class DbtListener(Listener):
    """What dbt has said: its events as lines of the log, each at its own level."""

    def __init__(self, ctx: RunContext, nodes: Nodes) -> None:
        super().__init__(ctx)
        self._nodes = nodes
        self.has_warned = False

    def _write(self, lines: list[str], is_error: bool) -> None:
        for line in lines:
            event = _event(line)
            if event is None:
                super()._write([_COLORS.sub("", line)], is_error)
            else:
                self.out_lines += 1
                self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:  # Any: dbt's JSON
        info, data = event["info"], event.get("data")
        data = data if isinstance(data, dict) else {}
        message = _COLORS.sub("", str(info.get("msg") or "")).rstrip()
        level = _LEVELS.get(str(info.get("level")), LogLevel.ERROR)
        node = data.get("node_info")
        if isinstance(node, dict):
            self._nodes.note(node)
            if info.get("name") == "RunResultError":
                self._nodes.complain(str(node.get("unique_id")), message)
        if level is LogLevel.WARN:
            self.has_warned = True
        if level is LogLevel.ERROR and message.strip():
            self.last_error = " ".join(message.split())
        stats = data.get("stats")
        for name, count in stats.items() if isinstance(stats, dict) else ():
            if isinstance(count, int | float):
                self._ctx.metric(str(name), count)
        if message.strip():
            self._ctx.log.write(level, message)


def _event(line: str) -> dict[str, Any] | None:  # Any: dbt's JSON
    """The event that a line of the log tells of; None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("info"), dict) else None


def _read_results(path: Path | None) -> list[dict[str, Any]]:  # Any: dbt's JSON
    if path is None:
        return []
    try:
        results = json.loads(path.read_text(encoding="utf-8")).get("results")
    except (OSError, ValueError, AttributeError):
        return []
    return [result for result in results or [] if isinstance(result, dict)]


def _moves(result: Mapping[str, Any], state: State, now: datetime) -> list[tuple[State, datetime]]:
    """The states of a node that no event told of, from the timing of its result."""
    timing = [part for part in result.get("timing") or [] if isinstance(part, dict)]
    starts = [moment for part in timing if (moment := _instant(part.get("started_at"))) is not None]
    ends = [moment for part in timing if (moment := _instant(part.get("completed_at"))) is not None]
    start = min(starts, default=now)
    if state is State.SKIPPED or not starts:
        return [(State.CREATED, start), (state, start)]
    return [(State.CREATED, start), (State.RUNNING, start), (state, max(ends, default=start))]


def _instant(text: object) -> datetime | None:
    """An instant as dbt writes it: UTC, with or without saying so."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def outputs_of(files: Mapping[str, str], outputs: Mapping[str, object]) -> dict[str, object]:
    """The outputs of a script with further files among its `outputFiles`."""
    stored: dict[str, JsonValue] = {}
    known = outputs.get("outputFiles")
    if isinstance(known, dict):
        stored.update(known)
    return {**outputs, "outputFiles": {**stored, **files}}
