"""What is wrong with a flow or with inputs, for a cell's output: the excerpts as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nbflow.errors import Problem
from nbflow.source import render_problems

_RED, _AMBER, _BLUE = "#e53935", "#e6a100", "#1e88e5"
_COLOURS = {"error": _RED, "warning": _AMBER, "info": _BLUE}
_STYLE = "margin:4px 0;padding:6px 10px;font-size:13px;line-height:1.45;overflow-x:auto"


def problems_text(problems: Sequence[Problem], text: str, name: str = "cell") -> str:
    """Every problem with its place, the line with carets, and how to mend it."""
    return render_problems(problems, text, name)


def problems_html(problems: Sequence[Problem], text: str, name: str = "cell") -> str:
    """The same, with carets and messages in colour."""
    blocks = []
    for problem in problems:
        colour = _COLOURS.get(problem.severity, _RED)
        head, *rest = escape(render_problems([problem], text, name)).split("\n")
        lines = [f'<b style="color:{colour}">{head}</b>']
        for line in rest:
            if line.lstrip().startswith("mend:"):
                lines.append(f"<i>{line}</i>")
            elif set(line.partition("|")[2].strip()) == {"^"}:
                lines.append(f'<span style="color:{colour}">{line}</span>')
            else:
                lines.append(line)
        blocks.append(f'<pre style="{_STYLE};border-left:3px solid {colour}">' + "\n".join(lines) + "</pre>")
    return f'<div class="nbflow-problems">{"".join(blocks)}</div>'


def input_problems_text(problems: Sequence[Problem]) -> str:
    """Problems of inputs: they have names, not places."""
    lines = []
    for problem in problems:
        lines.append(f"  {problem.path.removeprefix('inputs.')}: {problem.message}")
        if problem.hint:
            lines.append(f"    mend: {problem.hint}")
    return "\n".join(lines)


def input_problems_html(problems: Sequence[Problem]) -> str:
    """The same as a list."""
    items = []
    for problem in problems:
        mend = f" <i>({escape(problem.hint)})</i>" if problem.hint else ""
        name = escape(problem.path.removeprefix("inputs."))
        items.append(f'<li><b style="color:{_RED}">{name}</b> {escape(problem.message)}{mend}</li>')
    return f'<ul class="nbflow-problems">{"".join(items)}</ul>'
