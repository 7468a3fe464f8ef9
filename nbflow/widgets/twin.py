"""The static twin of an execution: HTML without scripts, and text, for saved notebooks and for whatever has no widgets.

A table carries the facts, so that it stays readable where a host strips SVG or styles (GitHub, untrusted notebooks).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from nbflow.model.execution import Execution, LogEntry, TaskRun
from nbflow.model.state import State
from nbflow.widgets.colours import STATE_COLOURS, sign
from nbflow.widgets.gantt import Gantt, Row, gantt, hidden_text, seconds, text_gantt
from nbflow.widgets.leftovers import leftovers_html, leftovers_of, leftovers_text
from nbflow.widgets.logs import log_html, log_text
from nbflow.widgets.values import Shown, outputs_of, value_html, value_text

_MOST_ROWS = 100
_MOST_LINES = 50
_MOST_OPEN = 4
_WIDTH = 400
_CELL = "padding:2px 8px;text-align:left;white-space:nowrap"


def execution_html(
    execution: Execution, task_runs: Sequence[TaskRun], entries: Sequence[LogEntry], now: datetime | None = None
) -> str:
    """Header, Gantt, outputs and the last log lines."""
    chart = gantt(execution, task_runs, now or datetime.now(UTC), _MOST_ROWS)
    parts = [_header(execution, chart), _table(chart)]
    if chart.hidden:
        parts.append(f"<div>… and {escape(hidden_text(chart.hidden))}</div>")
    parts.append(leftovers_html(execution, leftovers_of(execution, task_runs)))
    parts.extend(_outputs(outputs_of(execution.outputs, task_runs)))
    if entries:
        last = list(entries)[-_MOST_LINES:]
        head = f"Log (last {len(last)} lines)" if len(entries) > len(last) else f"Log ({len(last)} lines)"
        parts.append(_fold(head, log_html(last), is_open=execution.state.is_failure or len(last) <= 10))
    return f'<div class="nbflow-execution" style="margin:4px 0">{"".join(parts)}</div>'


def execution_text(
    execution: Execution,
    task_runs: Sequence[TaskRun],
    entries: Sequence[LogEntry],
    now: datetime | None = None,
    width: int = 100,
) -> str:
    """The same as text."""
    moment = now or datetime.now(UTC)
    parts = [
        f"{sign(execution.state)} {execution.state}  {execution.namespace}.{execution.flow_id}  "
        f"execution {execution.id}  {seconds(execution.history.duration(moment))}",
        text_gantt(execution, task_runs, moment, width),
    ]
    parts.extend(leftovers_text(leftovers_of(execution, task_runs)))
    parts.extend(value_text(value) for value in outputs_of(execution.outputs, task_runs))
    if entries:
        parts.append(log_text(list(entries)[-_MOST_LINES:]))
    return "\n".join(parts)


def chip(state: State) -> str:
    """A state as a coloured word."""
    style = f"background:{STATE_COLOURS[state]};color:#fff;border-radius:3px;padding:1px 6px;font-size:12px"
    return f'<span style="{style}">{sign(state)} {state}</span>'


def _header(execution: Execution, chart: Gantt) -> str:
    name = f"<b>{escape(execution.namespace)}.{escape(execution.flow_id)}</b>"
    started = execution.start.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    facts = f"revision {execution.flow_revision} · execution <code>{escape(execution.id)}</code> · {started}"
    return f"<div>{chip(execution.state)} {name} · {seconds(chart.length)} · <small>{facts}</small></div>"


def _table(chart: Gantt) -> str:
    if not chart.rows:
        return "<div>No task has run.</div>"
    axis = f"0 – {seconds(chart.length)}"
    head = "".join(f'<th style="{_CELL}">{title}</th>' for title in ("Task", "State", "Duration", axis))
    body = "".join(_row(row, chart) for row in chart.rows)
    return f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Row, chart: Gantt) -> str:
    indent = "&nbsp;" * (4 * row.depth)
    attempts = f" ×{row.attempts}" if row.attempts > 1 else ""
    cells = (
        f"{indent}{escape(row.label)}",
        f'<span style="color:{STATE_COLOURS[row.state]}">{sign(row.state)}</span> {row.state}{attempts}',
        seconds(row.seconds(chart.now)),
        _bars(row, chart),
    )
    return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"


def _bars(row: Row, chart: Gantt) -> str:
    shapes = []
    for bar in row.bars:
        end = chart.now if bar.end is None else bar.end
        left = bar.start / chart.length * _WIDTH
        width = max((end - bar.start) / chart.length * _WIDTH, 0 if bar.is_waiting else 2)
        left = min(left, _WIDTH - 2)
        height, top = (4, 6) if bar.is_waiting else (12, 2)
        shapes.append(
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{height}" rx="2" '
            f'fill="{STATE_COLOURS[bar.state]}"/>'
        )
    # Where SVG is stripped, the title stays as text.
    span = f"{row.start:.2f} – {chart.now if row.end is None else row.end:.2f} s"
    return (
        f'<svg width="{_WIDTH}" height="16" viewBox="0 0 {_WIDTH} 16" role="img">'
        f"<title>{span}</title>{''.join(shapes)}</svg>"
    )


def _fold(head: str, content: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary>{head}</summary>{content}</details>"


def _outputs(shown: Sequence[Shown]) -> list[str]:
    """Results stand open: what the flow puts out, and tables. What tasks hand on is folded when it is much."""
    results = [value for value in shown if value.columns or not value.task]
    others = [value for value in shown if value not in results]
    parts = []
    if results:
        parts.append(_fold("Outputs", "".join(map(value_html, results)), is_open=True))
    if others:
        blocks = "".join(map(value_html, others))
        parts.append(_fold(f"Outputs of tasks ({len(others)})", blocks, is_open=len(others) <= _MOST_OPEN))
    return parts
