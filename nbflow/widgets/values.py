"""Outputs for people: short text of any JSON value, and a table where the value is one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from nbflow.model.execution import TaskRun
from nbflow.types import JsonValue
from nbflow.widgets.gantt import label

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_LONGEST = 2000
_LONGEST_CELL = 200
_MOST_ROWS = 20
_MOST_COLUMNS = 20
_MOST_VALUES = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """One output: whose (`task`, empty for the flow), its name, and its text or its table."""

    task: str
    name: str
    text: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = field(default=())
    total: int = 0

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "task": self.task,
            "name": self.name,
            "text": self.text,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "total": self.total,
        }


def outputs_of(flow_outputs: Mapping[str, JsonValue], task_runs: Sequence[TaskRun]) -> list[Shown]:
    """What the flow puts out, then what its tasks put out, tables first; at most 60 values, and none that is empty."""
    of_flow = [show_value("", name, value) for name, value in flow_outputs.items()]
    tables: list[Shown] = []
    others: list[Shown] = []
    for run in task_runs:
        if len(of_flow) + len(tables) + len(others) >= _MOST_VALUES:
            break
        for name, value in run.outputs.items():
            if value not in (None, {}, []):
                shown = show_value(label(run), name, value)
                (tables if shown.columns else others).append(shown)
    return [*of_flow, *tables, *others][:_MOST_VALUES]


def show_value(task: str, name: str, value: JsonValue) -> Shown:
    """One value, as a table when it is a list of records."""
    columns = _columns(value)
    if columns and isinstance(value, list):
        rows = tuple(
            tuple(short_text(row.get(column), _LONGEST_CELL) for column in columns)
            for row in value[:_MOST_ROWS]
            if isinstance(row, dict)
        )
        return Shown(task, name, "", columns, rows, len(value))
    return Shown(task, name, short_text(value))


def short_text(value: JsonValue, longest: int = _LONGEST) -> str:
    """A value as text: JSON, but text as it is; cut where it is long."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def value_text(shown: Shown) -> str:
    """One output as text: `task.name: value`, or its table below."""
    head = f"{shown.task}.{shown.name}" if shown.task else shown.name
    if not shown.columns:
        return f"{head}: {shown.text}"
    widths = [max(len(cell) for cell in column) for column in zip(shown.columns, *shown.rows, strict=True)]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in (shown.columns, *shown.rows)
    ]
    return "\n".join([f"{head}:", *lines, *_more(shown)])


def value_html(shown: Shown) -> str:
    """One output as a block of HTML."""
    task = f"<b>{escape(shown.task)}</b>." if shown.task else ""
    head = f"{task}{escape(shown.name)}"
    if not shown.columns:
        style = "white-space:pre-wrap;overflow-wrap:anywhere"
        return f'<div style="margin:2px 0">{head}: <code style="{style}">{escape(shown.text)}</code></div>'
    cells = "".join(f"<th>{escape(column)}</th>" for column in shown.columns)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in shown.rows)
    more = "".join(f"<div>{escape(line)}</div>" for line in _more(shown))
    return (
        f'<div style="margin:2px 0">{head}:<div style="overflow-x:auto">'
        f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>{more}</div>"
    )


def _cell(text: str) -> str:
    side = "right" if _NUMBER.fullmatch(text) else "left"
    return f'<td style="text-align:{side}">{escape(text)}</td>'


def _columns(value: JsonValue) -> tuple[str, ...]:
    """The columns of a list of records; none when it is anything else, or too wide to read."""
    if not isinstance(value, list) or not value:
        return ()
    names: dict[str, None] = {}
    for row in value[:_MOST_ROWS]:
        if not isinstance(row, dict) or not row:
            return ()
        names.update(dict.fromkeys(row))
    return tuple(names) if len(names) <= _MOST_COLUMNS else ()


def _more(shown: Shown) -> list[str]:
    left = shown.total - len(shown.rows)
    return [f"… and {left} more rows"] if left > 0 else []
