"""A comparison of two executions for people: as text, and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from nbflow.engine.comparing import Change, ExecutionDiff, FrameDiff, TaskDiff
from nbflow.widgets.gantt import seconds

_SIGNS = {"changed": "~", "added": "+", "removed": "-"}
_COLOURS = {"+": "var(--jp-success-color1, #388e3c)", "-": "var(--jp-error-color1, #d32f2f)"}


def diff_text(diff: ExecutionDiff) -> str:
    """The comparison as text, a line for each thing that differs."""
    return "\n".join(_lines(diff))


def diff_html(diff: ExecutionDiff) -> str:
    """The comparison as HTML; what was there before in red, what is there now in green."""
    head, *rest = _lines(diff)
    body = "".join(_line_html(line) for line in rest)
    style = "font-family:var(--jp-code-font-family, monospace);font-size:12px;white-space:pre-wrap"
    return f'<div class="jp-nbflow-diff" style="{style}"><b>{escape(head)}</b>{body}</div>'


def _line_html(line: str) -> str:
    colour = _COLOURS.get(line.lstrip()[:1])
    style = f' style="color:{colour}"' if colour else ""
    return f"<div{style}>{escape(line)}</div>"


def _lines(diff: ExecutionDiff) -> Iterator[str]:
    yield f"{diff.flows[1]}: {diff.before} → {diff.after}"
    for change in diff.about:
        yield f"~ {change.path}: {change.before} → {change.after}"
    yield f"  duration: {seconds(diff.durations[0])} → {seconds(diff.durations[1])}"
    for head, changes in (("inputs", diff.inputs), ("outputs", diff.outputs)):
        if changes:
            yield head
            for change in changes:
                yield from _change(change, "  ")
    changed = [task for task in diff.tasks if not task.is_same]
    if changed:
        yield "tasks"
        for task in changed:
            yield from _task(task)
    same = len(diff.tasks) - len(changed)
    if same:
        yield f"  {same} task run{'' if same == 1 else 's'} without a difference"
    if diff.is_same:
        yield "  nothing differs but times"


def _task(task: TaskDiff) -> Iterator[str]:
    before, after = task.states
    if task.kind != "both":
        yield f"  {_SIGNS[task.kind]} {task.task}: {before or after}"
        return
    state = before if before == after else f"{before} → {after}"
    times = " → ".join("?" if length is None else seconds(length) for length in task.durations)
    yield f"  ~ {task.task}: {state}, {times}"
    for change in task.outputs:
        yield from _change(change, "      ")


def _change(change: Change, indent: str) -> Iterator[str]:
    head = f"{indent}{_SIGNS[change.kind]} {change.path or 'value'}"
    inner = indent + "    "
    if change.kind == "added":
        yield f"{head}: {change.after}"
    elif change.kind == "removed":
        yield f"{head}: {change.before}"
    elif change.frame is not None:
        yield f"{head}: {_shape(change.frame.shape_before)} → {_shape(change.frame.shape_after)}"
        for line in _frame(change.frame):
            yield inner + line
    elif change.cells:
        yield f"{head}: {len(change.cells)} cell{'' if len(change.cells) == 1 else 's'} of the notebook"
        for cell in change.cells:
            yield f"{inner}{_SIGNS[cell.kind]} cell {cell.number}: {cell.title}"
            for part, lines in (("source", cell.source), ("output", cell.outputs)):
                if lines:
                    yield f"{inner}    {part}"
                    yield from (f"{inner}    {line}" for line in lines)
    elif change.lines:
        yield head
        yield from (inner + line for line in change.lines)
    else:
        yield f"{head}: {change.before} → {change.after}"


def _frame(frame: FrameDiff) -> Iterator[str]:
    if frame.columns_added:
        yield f"+ columns: {', '.join(frame.columns_added)}"
    if frame.columns_removed:
        yield f"- columns: {', '.join(frame.columns_removed)}"
    for name, before, after in frame.types:
        yield f"~ {name}: {before} → {after}"
    if frame.rows_added:
        yield f"+ {frame.rows_added} row{'' if frame.rows_added == 1 else 's'}"
    if frame.rows_removed:
        yield f"- {frame.rows_removed} row{'' if frame.rows_removed == 1 else 's'}"
    if frame.changed:
        counts = ", ".join(f"{name} {count}" for name, count in frame.changed.items())
        yield f"~ changed values: {counts}"
    for row, name, before, after in frame.values:
        yield f"  row {row}, {name}: {before} → {after}"
    left = sum(frame.changed.values()) - len(frame.values)
    if left > 0:
        yield f"  … and {left} more"


def _shape(shape: tuple[int, int]) -> str:
    return f"{shape[0]} × {shape[1]}"
