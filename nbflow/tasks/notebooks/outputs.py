"""Takes in what a kernel sends while a cell runs: outputs for the notebook, lines for the log, values.

stream · display_data · execute_result · error · clear_output · update_display_data · comm_… (states of widgets)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbflow.plugins import LogLevel, RunContext
from nbflow.plugins.kernels import KernelMessage
from nbflow.tasks.notebooks import inside
from nbflow.tasks.notebooks.loading import Notebook, joined
from nbflow.tasks.notebooks.scrubbing import ANSI
from nbflow.tasks.scripts.protocol import read_message
from nbflow.types import JsonValue

_SCRAPS = ("application/scrapbook.scrap.json+json", "application/scrapbook.scrap.text+json")
_RECORD = "application/papermill.record+json"
_WIDGET = "jupyter.widget"
_SHOWN_LINES = 30
"""Lines of a result that the log shows."""
_MOST_LINES = 5000
"""Lines of one cell that the log shows; the notebook has the others."""
_LONGEST_LINE = 32 * 1024
_LEAST_TEXT = 4096


@dataclass(slots=True)
class Budget:
    """How much room, in characters, the outputs of a notebook have left."""

    total: int
    left: int
    cut: int = 0
    """How much was left out so far."""


@dataclass(slots=True)
class Shared:
    """What the cells of one run have in common."""

    ctx: RunContext
    budget: Budget
    vars: dict[str, JsonValue] = field(default_factory=dict)
    displays: dict[str, list[tuple[Notebook, Notebook]]] = field(default_factory=dict)
    """Display id → the cells and outputs that show it."""
    changed: set[str] = field(default_factory=set)
    """Ids of cells whose outputs a later cell has changed."""
    widgets: dict[str, Notebook] = field(default_factory=dict)


class _Text:
    """What was written to one stream in a row; its middle is left out when it is too much."""

    def __init__(self, output: Notebook, budget: Budget) -> None:
        self._output, self._budget = output, budget
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._room = max(min(budget.left, budget.total // 4), _LEAST_TEXT) // 2
        self._head_size = self._tail_size = self._cut = 0

    def add(self, text: str) -> None:
        if self._head_size < self._room:
            self._head.append(text[: self._room - self._head_size])
            self._head_size += len(self._head[-1])
            text = text[len(self._head[-1]) :]
        if text:
            self._tail.append(text)
            self._tail_size += len(text)
        while self._tail_size > self._room:
            first = self._tail.popleft()
            kept = first[max(len(first) - (self._room - self._tail_size + len(first)), 0) :] if not self._tail else ""
            if kept:
                self._tail.append(kept)
            self._tail_size -= len(first) - len(kept)
            self._cut += len(first) - len(kept)

    def settle(self) -> None:
        middle = [f"\n… {self._cut:,} characters are left out here …\n"] if self._cut else []
        self._output["text"] = _without_returns("".join([*self._head, *middle, *self._tail]))
        self._budget.left -= self._head_size + self._tail_size
        self._budget.cut += self._cut


class CellOutputs:
    """The outputs of one cell; `take` is called with each message while it runs."""

    def __init__(self, cell: Notebook, shared: Shared) -> None:
        self._cell, self._shared = cell, shared
        self._text: _Text | None = None
        self._clears = False
        self._unfinished = {"stdout": "", "stderr": ""}
        self._lines = 0
        self.lines: list[tuple[LogLevel, str]] = []
        """Lines for the log that nobody has taken yet."""
        self.last_line = ""
        self.error: tuple[str, str, list[str]] | None = None
        """Name, text and traceback of the exception that ended it."""
        self.stop: tuple[str, str] | None = None
        """Message and state, when it asked for the end of the notebook."""
        cell["outputs"] = []
        cell["execution_count"] = None

    def take(self, message: KernelMessage) -> None:
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            self._stream(content["name"], content["text"])
        elif kind in ("display_data", "execute_result"):
            self._display(kind, content)
        elif kind == "update_display_data":
            self._update(content)
        elif kind == "error":
            self._error(content)
        elif kind == "clear_output":
            self._clears = True
            if not content.get("wait"):
                self._clear()
        elif kind.startswith("comm_"):
            self._comm(kind, content)

    def taken_lines(self) -> list[tuple[LogLevel, str]]:
        """The lines for the log that have come since they were last taken."""
        lines, self.lines = self.lines, []
        return lines

    def settle(self) -> None:
        """Put everything into the notebook: the cell has ended."""
        self._end_text()
        for name, rest in self._unfinished.items():
            if rest:
                self._say(name, [rest])
        self._unfinished.clear()
        if self.stop is not None and self.error is not None and self.error[0] == inside.Stop.__name__:
            self._cell["outputs"] = [each for each in self._cell["outputs"] if each["output_type"] != "error"]

    def _stream(self, name: str, text: str) -> None:
        self._add_text(name, text)
        whole = self._unfinished.get(name, "") + text
        *lines, rest = whole.split("\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest[:_LONGEST_LINE]], rest[_LONGEST_LINE:]
        self._unfinished[name] = rest.rpartition("\r")[2] if "\r" in rest[:-1] else rest
        self._say(name, lines)

    def _say(self, name: str, lines: list[str]) -> None:
        for line in lines:
            line = ANSI.sub("", line).rstrip("\r").rpartition("\r")[2]  # of a progress bar, how it looked last
            message = read_message(line) if name == "stdout" and line.startswith("::") else None
            if message is None:
                self._log(LogLevel.INFO if name == "stdout" else LogLevel.WARN, line)
                continue
            self._shared.vars.update(message.outputs)
            for metric in message.metrics:
                self._shared.ctx.metric(metric.name, metric.value, type=metric.type, tags=metric.tags)
            for level, text in message.logs:
                self._log(level, text)
            for fault in message.faults:
                self._log(LogLevel.WARN, f"a message of the notebook cannot be read: {fault}: {line[:200]}")

    def _log(self, level: LogLevel, line: str) -> None:
        self.last_line = line.strip() or self.last_line
        self._lines += 1
        if self._lines <= _MOST_LINES:
            self.lines.append((level, line[:_LONGEST_LINE]))
        elif self._lines == _MOST_LINES + 1:
            self.lines.append((LogLevel.WARN, "this cell prints much: from here on, the notebook alone has it"))

    def _add_text(self, name: str, text: str) -> None:
        if self._clears:
            self._clear()
        outputs = self._cell["outputs"]
        if self._text is None or not outputs or outputs[-1].get("name") != name:
            self._end_text()
            outputs.append({"output_type": "stream", "name": name, "text": ""})
            self._text = _Text(outputs[-1], self._shared.budget)
        self._text.add(text)

    def _end_text(self) -> None:
        if self._text is not None:
            self._text.settle()
            self._text = None

    def _clear(self) -> None:
        self._text, self._clears = None, False
        self._cell["outputs"] = []

    def _display(self, kind: str, content: Mapping[str, Any]) -> None:  # Any: a message's JSON
        if self._clears:
            self._clear()
        self._end_text()
        data = content["data"]
        self._note(data)
        output: Notebook = {"output_type": kind, "metadata": content.get("metadata", {})}
        output["data"] = self._fitting(data)
        if kind == "execute_result":
            output["execution_count"] = content.get("execution_count")
        self._cell["outputs"].append(output)
        identity = (content.get("transient") or {}).get("display_id")
        if identity:
            self._shared.displays.setdefault(identity, []).append((self._cell, output))
        text = joined(data.get("text/plain", ""))
        if text and inside.STOP not in data:
            lines = text.splitlines()
            for line in lines[:_SHOWN_LINES]:
                self._log(LogLevel.INFO, line)
            if len(lines) > _SHOWN_LINES:
                self._log(LogLevel.INFO, f"… {len(lines) - _SHOWN_LINES} more lines in the notebook")

    def _update(self, content: Mapping[str, Any]) -> None:  # Any: a message's JSON
        self._note(content["data"])
        for cell, output in self._shared.displays.get(str((content.get("transient") or {}).get("display_id")), ()):
            output["data"], output["metadata"] = self._fitting(content["data"]), content.get("metadata", {})
            self._shared.changed.add(cell["id"])

    def _note(self, data: Mapping[str, Any]) -> None:  # Any: a message's JSON
        """Take in values for the execution: our own, scrapbook's, and those of old papermills."""
        for kind in (inside.OUTPUTS, _RECORD):
            if isinstance(data.get(kind), dict):
                self._shared.vars.update(data[kind])
        for kind in _SCRAPS:
            scrap = data.get(kind)
            if isinstance(scrap, dict) and isinstance(scrap.get("name"), str) and "data" in scrap:
                self._shared.vars[scrap["name"]] = scrap["data"]
        stop = data.get(inside.STOP)
        if isinstance(stop, dict):
            self.stop = (str(stop.get("message", "")), str(stop.get("state", "SUCCESS")))

    def _fitting(self, data: Mapping[str, Any]) -> Notebook:  # Any: a message's JSON
        """What of a display there is room for: the largest of its forms go first, and it is told."""
        budget, kept = self._shared.budget, dict(data)
        sizes = {kind: _size(value) for kind, value in kept.items()}
        for kind in sorted(kept, key=lambda kind: -sizes[kind]):
            if sum(sizes[each] for each in kept) <= budget.left:
                break
            if sizes[kind] > _LEAST_TEXT:
                del kept[kind]
                budget.cut += sizes[kind]
                note = f"… an output of {sizes[kind]:,} characters ({kind}) is left out here …"
                kept["text/plain"] = "\n".join([joined(kept.get("text/plain", "")), note]).strip()
                sizes["text/plain"] = len(kept["text/plain"])
        budget.left -= sum(sizes[each] for each in kept)
        return kept

    def _error(self, content: Mapping[str, Any]) -> None:  # Any: a message's JSON
        self._end_text()
        traceback = [str(line) for line in content.get("traceback", ())]
        name, text = str(content.get("ename", "")), str(content.get("evalue", ""))
        self.error = (name, text, traceback)
        self._cell["outputs"].append({"output_type": "error", "ename": name, "evalue": text, "traceback": traceback})
        if self.stop is None:
            for line in ANSI.sub("", "\n".join(traceback)).splitlines():
                self._log(LogLevel.ERROR, line)

    def _comm(self, kind: str, content: Mapping[str, Any]) -> None:  # Any: a message's JSON
        data, identity = content.get("data") or {}, content.get("comm_id", "")
        state = data.get("state") or {}
        if kind == "comm_open" and content.get("target_name") == _WIDGET:
            self._shared.widgets[identity] = {
                "model_name": state.get("_model_name"),
                "model_module": state.get("_model_module"),
                "model_module_version": state.get("_model_module_version"),
                "state": dict(state),
            }
        elif (
            kind == "comm_msg" and identity in self._shared.widgets and data.get("method") in ("update", "echo_update")
        ):
            self._shared.widgets[identity]["state"].update(state)
        elif kind == "comm_close":
            self._shared.widgets.pop(identity, None)


def _size(value: object) -> int:
    return len(value) if isinstance(value, str) else len(str(value))


def _without_returns(text: str) -> str:
    """A text as a terminal would show it: what a carriage return has written over is gone."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
