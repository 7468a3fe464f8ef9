"""Shows problems to people: excerpts of the text with a caret, and one line each as compilers write them."""

from __future__ import annotations

from collections.abc import Sequence

from nbflow.errors import Problem
from nbflow.source.document import LINE_BREAK

_WIDEST = 160


def render_problems(problems: Sequence[Problem], text: str, file: str = "") -> str:
    """Each problem with its place, the line it is in, a caret under the fault, and how to mend it.

    flows/etl.yaml:14:20  tasks[2].retry.maxAttempts: must be at least 1, got 0
       14 |       maxAttempts: 0
          |                    ^
       mend: give 1 or more, or drop `retry` to run once
    """
    lines = LINE_BREAK.split(text.removeprefix("\ufeff"))
    return "\n".join(_render(problem, lines, file) for problem in problems)


def compiler_line(problem: Problem, file: str = "") -> str:
    """A problem in one line: `flows/etl.yaml:14:20: error: tasks[2].retry.maxAttempts: must be at least 1, got 0`."""
    place = f"{file}:{problem.line}:{problem.column}" if file else f"{problem.line}:{problem.column}"
    path = f"{problem.path}: " if problem.path else ""
    mend = f" ({problem.hint})" if problem.hint else ""
    return " ".join(f"{place}: {problem.severity}: {path}{problem.message}{mend}".splitlines())


def compiler_lines(problems: Sequence[Problem], file: str = "") -> str:
    """Problems in one line each."""
    return "\n".join(compiler_line(problem, file) for problem in problems)


def _render(problem: Problem, lines: Sequence[str], file: str) -> str:
    place = f"{file}:{problem.line}:{problem.column}" if file else f"{problem.line}:{problem.column}"
    severity = "" if problem.is_error else f"{problem.severity}: "
    path = f"{problem.path}: " if problem.path else ""
    rows = [f"{place}  {severity}{path}{problem.message}"]
    if 1 <= problem.line <= len(lines):
        rows.extend(_excerpt(problem, lines[problem.line - 1]))
    if problem.hint:
        rows.append(f"   mend: {problem.hint}")
    return "\n".join(rows)


def _excerpt(problem: Problem, line: str) -> list[str]:
    number = f"{problem.line:>5}"
    column = min(problem.column, len(line) + 1) - 1
    start = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[start : start + _WIDEST].rstrip()
    # Tabs are kept, so that the caret stands below its character however wide they are shown.
    margin = "".join("\t" if character == "\t" else " " for character in line[start:column])
    carets = "^" * max(1, min(problem.length, len(shown) - (column - start)))
    return [f"{number} | {shown}", f"{' ' * len(number)} | {margin}{carets}"]
