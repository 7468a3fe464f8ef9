"""How commands answer: a text, a table; and the words that a command wants."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from nbflow.engine import Execution
from nbflow.errors import ExecutionNotFoundError
from nbflow.magics.arguments import Arguments
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.nearest import did_you_mean
from nbflow.widgets.output import publish, static_bundle

_PRE = "margin:0;white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"


def say(text: str) -> None:
    """Show a text below the cell."""
    publish(static_bundle(f'<pre style="{_PRE}">{escape(text)}</pre>', text))


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a table below the cell."""
    left = 'style="text-align:left"'  # JupyterLab puts cells to the right
    head = "".join(f"<th {left}>{escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td {left}>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (heads, *rows)
    ]
    html = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    publish(static_bundle(html, "\n".join(lines)))


def one_word(arguments: Arguments, usage: str, *, rest: bool = False) -> str:
    """The word that a command wants. Raises: FlowCellError with its usage."""
    if not arguments.words or (len(arguments.words) > 1 and not rest):
        extra = f"`{arguments.words[1]}` is one word too many" if arguments.words else "something is missing"
        raise FlowCellError(extra, f"%flow {usage}")
    return " ".join(arguments.words)


def find_execution(session: Session, wanted: str) -> Execution:
    """The execution of an id, of a variable that holds it, or the `last` one."""
    engine = session.engine
    if wanted == "last":
        newest: list[Execution] = engine.executions(limit=1)
        if not newest:
            raise FlowCellError("nothing has run yet", "%flow run NAMESPACE.ID")
        return newest[0]
    held = session.variables.get(wanted)
    if isinstance(held, Execution):
        return held
    try:
        found: Execution = engine.execution(wanted)
    except ExecutionNotFoundError as missing:
        hint = did_you_mean(wanted, [execution.id for execution in engine.executions(limit=100)])
        raise FlowCellError(missing.message, hint or "`%flow executions` shows those there are") from None
    return found


def read_file(path: Path) -> str:
    """The text of a file. Raises: FlowCellError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FlowCellError(f"{path} is not UTF-8 text") from None
    except OSError as cause:
        raise FlowCellError(f"{path} cannot be read: {cause.strerror}") from None
