"""`%%task`: a cell runs as it always does, and becomes a task of the notebook's flow.

A cell of Python is not run by a magic: its first line turns into a call, and the rest stays the cell's own code, so
that results, `await`, errors and their line numbers are those of a plain cell.
"""

from __future__ import annotations

import re
from typing import Any

from nbflow.magics.cell_record import RanCell
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session, shows_errors
from nbflow.magics.task_line import TaskLine, kind_on, read_task_line

_HEAD = re.compile(r"%%task(?=\s|$)")


def call_instead_of_magic(lines: list[str]) -> list[str]:
    """Make the `%%task` line of a Python cell a call of `%task`; IPython calls this for every cell."""
    if not lines or not _HEAD.match(lines[0]):
        return lines
    line = lines[0][len("%%task") :].strip()
    if kind_on(line) != "python" or "--norun" in line.split():
        return lines
    return [f"get_ipython().run_line_magic('task', {line!r})\n", *lines[1:]]


# A terminal asks whether a cell is complete: there it stays a cell magic, which ends with a blank line.
call_instead_of_magic.has_side_effects = True  # type: ignore[attr-defined]  # IPython looks for it on the function


class TaskCells:
    """Listens to the cells of one shell, and keeps what they make."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._pending: tuple[TaskLine, str] | None = None

    @shows_errors
    def line(self, line: str) -> None:
        """The first line of a Python cell: what it says is read before its code runs."""
        self._pending = None
        self._pending = (read_task_line(line), "")

    @shows_errors
    def cell(self, line: str, cell: str) -> object:
        """A cell of another type, or one that is not to run here."""
        from nbflow.magics.cells_in_kernel import check_python, run_here

        self._pending = None
        task = read_task_line(line)
        if not cell.strip():
            raise FlowCellError(f"the cell of task `{task.name}` is empty")
        if task.type == "python":
            check_python(cell)
        self._pending = (task, cell)
        if task.runs and task.type != "python":
            return run_here(self.session, task, cell)
        return None

    def ran(self, result: Any) -> None:  # Any: IPython's ExecutionResult
        """A cell has run: note it, and show what was inferred of a task."""
        pending, self._pending = self._pending, None
        code = str(result.info.raw_cell or "")
        if result.error_before_exec is not None or not code.strip():
            return
        cell_id = str(getattr(result.info, "cell_id", None) or "")
        number = getattr(result, "execution_count", None) or self.session.shell.execution_count
        failed = result.error_in_exec is not None
        if pending is None:
            if not _HEAD.match(code.lstrip()):  # else its line was refused: the task stays as it was
                self.session.record.add(RanCell(code, number, cell_id, failed=failed))
            return
        task, body = pending
        former = self.session.record.add(RanCell(body or _body(code), number, cell_id, task, failed))
        from nbflow.magics.notebook_flow import show_task

        show_task(self.session, task.name, former)


def _body(code: str) -> str:
    return code.lstrip().partition("\n")[2]
