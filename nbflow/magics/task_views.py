"""How a task of the notebook's flow shows itself: a line below its cell, a table of all of them, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from nbflow.tasks.cells.names import names_of
from nbflow.tasks.cells.plan import CellProblem, Plan, PlannedTask
from nbflow.widgets.output import Bundle, static_bundle

_MOST = 6
_GREY = "color:var(--jp-ui-font-color2,#666)"
_RED = "color:var(--jp-error-color1,#c62828)"


def task_bundle(plan: Plan, name: str, flow: str, notes: Sequence[str] = ()) -> Bundle:
    """What was inferred of one task, for below its cell."""
    facts = [*_facts(plan.tasks[name])]
    problems = [problem for problem in plan.problems if problem.cell == name]
    text = "  ".join([f"task {name} of {flow}:", " · ".join(f"{word} {what}" for word, what in facts) or "on its own"])
    parts = " · ".join(f"{word} <b>{escape(what)}</b>" for word, what in facts) or "on its own"
    html = f'<div style="{_GREY};font-size:90%">task <b>{escape(name)}</b> of {escape(flow)}: {parts}</div>'
    for note in notes:
        text += f"\n  {note}"
        html += f'<div style="{_GREY};font-size:90%">{escape(note)}</div>'
    return static_bundle(html + problems_block(problems, own=True), "\n".join([text, *_lines(problems, own=True)]))


def problems_block(problems: Iterable[CellProblem], *, own: bool = False) -> str:
    """Problems as HTML; with `own` they stand below their own cell."""
    blocks = []
    for problem in problems:
        style = _RED if problem.is_error else _GREY
        where = "" if own else f"<b>{escape(problem.cell)}</b>: "
        mend = f"<br>&emsp;mend: {escape(problem.hint)}" if problem.hint else ""
        sign = "✗" if problem.is_error else "⚠"
        blocks.append(f'<div style="{style};font-size:90%">{sign} {where}{escape(problem.message)}{mend}</div>')
    return "".join(blocks)


def problems_bundle(problems: Sequence[CellProblem]) -> Bundle:
    """All that is wrong with the tasks."""
    return static_bundle(problems_block(problems), "\n".join(_lines(problems)))


def task_row(task: PlannedTask) -> list[str]:
    """A task's row in the table: name, type, needs, takes, gives."""
    takes = [*task.takes, *task.inputs]
    return [task.cell.id, task.cell.type, ", ".join(task.needs), ", ".join(takes), ", ".join(_gives(task))]


def _lines(problems: Iterable[CellProblem], *, own: bool = False) -> list[str]:
    lines = []
    for problem in problems:
        where = "" if own else f"{problem.cell}: "
        lines.append(f"  {'✗' if problem.is_error else '⚠'} {where}{problem.message}")
        if problem.hint:
            lines.append(f"    mend: {problem.hint}")
    return lines


def _facts(task: PlannedTask) -> Iterable[tuple[str, str]]:
    if task.needs:
        yield "needs", _some([_need(name, because) for name, because in task.needs.items()])
    if task.inputs:
        yield "takes inputs", _some(task.inputs)
    brought = sorted(names_of(task.preamble).binds) if task.preamble else []
    if brought:
        yield "brings along", _some(brought)
    if task.gives:
        yield "gives", _some(_gives(task))


def _need(name: str, because: Sequence[str]) -> str:
    return name if not because or list(because) == [name] else f"{name} ({', '.join(because)})"


def _gives(task: PlannedTask) -> list[str]:
    return [name.removesuffix("?") for name in task.gives]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST])} and {more} more"
