"""One thing that is wrong, or may be, in a cell of a notebook; and the cells that are looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from nbflow.tasks.notebooks.loading import Notebook

_LANGUAGE = re.compile(r"\s*%%(?!time\b|timeit\b|capture\b|prun\b|task\b)\w+")
"""Cells in another language, or of another magic: their text is not Python."""

_RESULT = re.compile(r"^%%?(?:flow|flowtest)\b.*?\s--to[ =](\w+)", re.MULTILINE)
_NEW = re.compile(r"^%flow new\s(.*)$", re.MULTILINE)
_INPUT = re.compile(r"(?<![\w-])(\w+)(?::\w+)?=")
_SQL_TASK = re.compile(r"%%task\s+(\w+)\b.*--type[ =]sql\b.*")
_OUT = re.compile(r"--out[ =](\w+)")


class Kind(StrEnum):
    """What a finding is about."""

    HIDDEN_STATE = "hidden state"
    FILE = "file"
    PACKAGE = "package"
    SECRET = "secret"
    SYNTAX = "syntax"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: `cell` counts the code cells from 1, `line` those of the cell; 0 for the whole."""

    kind: Kind
    cell: int
    line: int
    message: str
    hint: str = ""
    is_error: bool = True

    def __str__(self) -> str:
        place = f"cell {self.cell}" + (f", line {self.line}" if self.line else "")
        return f"{place}: {self.message}" + (f"; {self.hint}" if self.hint else "")


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell: its number among them, its text as far as it is Python, and the number it was run as, if it was.

    `gives` are names that the magics in it bind: the inputs of `%flow new`, `--to NAME`, the rows of a cell of SQL.
    """

    number: int
    source: str
    execution_count: int | None = None
    gives: frozenset[str] = frozenset()


def code_cells(notebook: Notebook) -> list[CodeCell]:
    """The cells of Python that a run would run, in their order."""
    found = []
    number = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        number += 1
        source = cell["source"]
        if source.strip():
            is_python = not _LANGUAGE.match(source)
            found.append(CodeCell(number, source if is_python else "", cell.get("execution_count"), _given_by(source)))
    return found


def _given_by(source: str) -> frozenset[str]:
    names = set(_RESULT.findall(source))
    for line in _NEW.findall(source):
        names.update(_INPUT.findall(line))
    task = _SQL_TASK.match(source)
    if task:
        names.add((_OUT.search(task[0]) or task)[1])
    return frozenset(names)
