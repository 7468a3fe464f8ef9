"""Runs cells of SQL, shell commands and Markdown at once, over the names of the kernel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbflow.errors import NbflowError
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.magics.task_line import TaskLine
from nbflow.nearest import did_you_mean
from nbflow.tasks.cells import child
from nbflow.tasks.cells.cell import Cell, cell_names, result_name
from nbflow.tasks.cells.names import names_of
from nbflow.tasks.cells.notebook_cell import read_notebook_cell
from nbflow.tasks.scripts.languages import SHELL
from nbflow.tasks.scripts.protocol import read_message
from nbflow.types import JsonValue
from nbflow.widgets.output import publish


def run_here(session: Session, task: TaskLine, code: str) -> object:
    """Run a cell that is no Python. Raises: FlowCellError when it fails."""
    run: Callable[[Session, Cell], object] = {
        "sql": _sql,
        "shell": _shell,
        "markdown": _markdown,
        "notebook": _notebook,
    }[task.type]
    return run(session, Cell(task.name, code, task.type, gives=task.gives))


def check_python(code: str) -> None:
    """Refuse code that cannot be read, with its line in the cell."""
    try:
        names_of(code)
    except SyntaxError as wrong:
        line = f" in line {wrong.lineno + 1} of the cell" if wrong.lineno else ""
        raise FlowCellError(f"{wrong.msg}{line}") from None


def _sql(session: Session, cell: Cell) -> None:
    import duckdb

    names = _read(cell)
    result = result_name(cell)
    values: dict[str, tuple[Any, str | None]] = {
        name: (session.variables[name], None) for name in names.reads if name in session.variables
    }
    try:
        made = child.run_sql(cell.code, values, result, _show_rows)
        for name in names.binds | names.changes:
            if name in made:
                session.variables[name] = made[name].df()
    except duckdb.CatalogException as missing:
        unknown = sorted(name for name in names.reads if name not in session.variables)
        near = did_you_mean(unknown[0], session.variables) if unknown else ""
        raise FlowCellError(str(missing).split("\n\n")[0], near) from None
    except duckdb.Error as failed:
        raise FlowCellError(str(failed)) from None


def _show_rows(rows: Any) -> None:  # Any: a relation of DuckDB, or a text
    if isinstance(rows, str):
        publish({"text/plain": rows})
        return
    frame = rows.df()
    html = frame.to_html(max_rows=20, border=0, notebook=True)
    publish({"text/plain": frame.to_string(max_rows=20), "text/html": html})


def _shell(session: Session, cell: Cell) -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = dict(os.environ)
        for name in sorted(_read(cell).reads & set(session.variables)):
            env[name] = _as_variable(name, session.variables[name], folder)
        path = os.path.join(folder, "cell.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(cell.code)
        status = _stream([*SHELL.here(env.get("PATH", os.defpath)), "-e", path], env, session)
    if status:
        raise FlowCellError(f"the commands ended with exit status {status}")


def _as_variable(name: str, value: object, folder: str) -> str:
    """What the variable is in the flow, too: text as it is, other plain values as JSON, all else as a file."""
    if isinstance(value, str):
        return value
    text = child.plain_text(value)
    if text is not None:
        return "" if value is None else text
    return os.path.join(folder, child.save(name, value, folder)["file"])


def _stream(command: list[str], env: dict[str, str], session: Session) -> int:
    """Run a program and show its lines as they come; values it hands on become names of the kernel."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        errors = threading.Thread(target=sys.stderr.writelines, args=(process.stderr,), daemon=True)
        errors.start()
        try:
            for line in process.stdout:
                message = read_message(line.rstrip("\n"))
                if message is None:
                    sys.stdout.write(line)
                else:
                    session.variables.update(message.outputs)
            status = process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGTERM)
            raise FlowCellError("interrupted: the commands were ended") from None
        errors.join()
    return status


def _markdown(session: Session, cell: Cell) -> None:
    from nbflow.expressions import render

    given: dict[str, JsonValue] = {}
    for name in sorted(_read(cell).reads & set(session.variables)):
        value = session.variables[name]
        if not child.is_plain(value):
            raise FlowCellError(
                f"`{name}` is a {type(value).__name__}, and Markdown shows plain values",
                f"make text of it in a task before, such as text = {name}.to_markdown()",
            )
        given[name] = value  # type: ignore[assignment]  # `is_plain` says so
    try:
        text = render(cell.code, given)
    except NbflowError as refused:
        raise FlowCellError(refused.message, refused.hint) from None
    publish({"text/markdown": text, "text/plain": text})


def _notebook(_: Session, cell: Cell) -> None:
    _read(cell)
    path, _properties = read_notebook_cell(cell.code)
    if "://" not in path and "{{" not in path and not Path(path).expanduser().is_file():
        raise FlowCellError(f"there is no notebook {path}", "its path stands on the first line of the cell")
    publish({"text/plain": f"{path} runs when the flow does"})


def _read(cell: Cell) -> Any:  # a CellNames
    try:
        return cell_names(cell)
    except SyntaxError as wrong:
        raise FlowCellError(str(wrong.msg)) from None
