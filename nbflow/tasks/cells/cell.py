"""A cell as it was run last, with what its author says of it, and what its text does with names, whatever its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbflow.tasks.cells.names import CellNames, names_of
from nbflow.tasks.cells.notebook_cell import read_notebook_cell
from nbflow.tasks.cells.sql_names import sql_names_of
from nbflow.types import JsonValue

_SHELL_NAME = re.compile(r"\$\{?([A-Za-z_]\w*)")
_SHELL_BINDS = re.compile(r"(?:^|[;&|({\s])(?:([A-Za-z_]\w*)\+?=|(?:for|read)\s+(?:-\w+\s+)*([A-Za-z_]\w*))", re.M)
_TEMPLATE_NAME = re.compile(r"\{\{\s*([A-Za-z_]\w*)")
_TEMPLATE_KNOWN = frozenset(
    ["inputs", "outputs", "vars", "execution", "flow", "task", "taskrun", "trigger", "labels", "kv", "now", "secret"]
)
"""What an expression sees in every flow."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it was run last; `needs`, `takes` and `gives` are what its author says instead of what is inferred.

    `takes` is name → task, or nothing to have the task found.
    """

    id: str
    code: str
    type: str = "python"
    is_task: bool = True
    needs: tuple[str, ...] | None = None
    takes: Mapping[str, str] | None = None
    gives: tuple[str, ...] | None = None
    properties: Mapping[str, JsonValue] = field(default_factory=dict)
    """Further properties of its task: `retry`, `timeout`, `env`, `dependencies`, …"""


def cell_names(cell: Cell) -> CellNames:
    """What a cell does with names, whatever it is written in. Raises: SyntaxError."""
    if cell.type == "sql":
        return sql_names_of(cell.code, result_name(cell))
    gives = frozenset(name.removesuffix("?") for name in cell.gives or ())
    if cell.type == "shell":
        found = frozenset(_SHELL_NAME.findall(cell.code))
        bound = {name for pair in _SHELL_BINDS.findall(cell.code) for name in pair if name}
        return CellNames(reads=found - bound, binds=gives, own=found)  # what no cell gives is the environment's
    if cell.type == "notebook":
        read_notebook_cell(cell.code)
        return CellNames(binds=gives)
    if cell.type == "markdown":
        return CellNames(reads=frozenset(_TEMPLATE_NAME.findall(cell.code)) - _TEMPLATE_KNOWN, binds=gives)
    return names_of(cell.code)


def result_name(cell: Cell) -> str:
    """What the last rows of an SQL cell are called: the first name after `--out`, or else the task's id."""
    return cell.gives[0] if cell.gives else re.sub(r"\W", "_", cell.id)
