"""Files that a notebook reads: those that nobody hands over, and those that only one machine has."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePath, PureWindowsPath

from nbflow.tasks.cells.plain import parse_cell
from nbflow.tasks.notebooks.checking.finding import CodeCell, Finding, Kind

_READERS = re.compile(r"(?:read|scan|load|open|imread|connect|from)(?:_\w+)?$")
_WRITERS = re.compile(r"(?:to|write|save|dump|savefig|imwrite)(?:_\w+)?$")
_FILE = re.compile(r"[^\n\r\t<>|*?\"{}]+\.[A-Za-z][A-Za-z0-9]{0,9}$")
"""What may be the path of a file: it ends in a dot and a few letters."""


def files_of(
    cells: Sequence[CodeCell], directory: Path, declared: Collection[str] = ()
) -> tuple[list[Finding], list[str]]:
    """What is wrong with the files it reads; and those (paths from its folder) that are there and not declared."""
    findings, needs = [], list[str]()
    given, written, seen = set(declared), set[str](), set[str]()
    for cell in cells:
        try:
            tree, _ = parse_cell(cell.source)
        except SyntaxError:
            continue
        for line, path, is_written in _paths(tree):
            if is_written:
                written.add(path)
                continue
            if path in seen or path in written or path in given:
                continue
            seen.add(path)
            if PurePath(path).is_absolute() or PureWindowsPath(path).is_absolute() or path.startswith("~"):
                message = f"it reads `{path}`, which other machines may not have"
                hint = "put the file beside the notebook and name it by a relative path"
                findings.append(Finding(Kind.FILE, cell.number, line, message, hint, is_error=False))
            elif (directory / path).is_file():
                needs.append(path)
                message = f"it reads `{path}`, which is beside the notebook and not declared"
                hint = f"name it in `inputFiles`; `%flow schedule --file {path}` does"
                findings.append(Finding(Kind.FILE, cell.number, line, message, hint, is_error=False))
            else:
                hint = "write it in an earlier cell, or hand it over with `inputFiles`"
                findings.append(Finding(Kind.FILE, cell.number, line, f"there is no file `{path}`", hint))
    return findings, needs


def _paths(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Line, path and whether it is written, for each call that names a file, in the order of the text."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        path = _text(call.args[0]) if call.args else None
        if path is None and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
            inner = call.func.value  # Path("data.csv").read_text()
            path = _text(inner.args[0]) if inner.args and getattr(inner.func, "id", "") == "Path" else None
        if path is None or "://" in path or not _FILE.match(path):
            continue
        if name == "open":
            yield call.lineno, path, _is_writing(call)
        elif _WRITERS.match(name):
            yield call.lineno, path, True
        elif _READERS.match(name):
            yield call.lineno, path, False


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_writing(call: ast.Call) -> bool:
    """Whether `open` makes the file: its mode, by place or by name."""
    place = 1 if isinstance(call.func, ast.Name) else 0  # Path.open takes the mode first
    given = [word.value for word in call.keywords if word.arg == "mode"] + call.args[place : place + 1]
    mode = _text(given[0]) if given else None
    return mode is not None and any(letter in mode for letter in "wax")
