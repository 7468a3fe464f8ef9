"""Which cells of the notebook ran, each as it ran last: what the notebook's flow is made of.

A cell is known again by its id where the front end sends one, as JupyterLab and VS Code do; a task by its name too.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbflow.magics.task_line import TaskLine


@dataclass(frozen=True, slots=True)
class RanCell:
    """A cell that ran. `task` is what its `%%task` line says; None for a plain cell."""

    code: str
    number: int
    cell_id: str = ""
    task: TaskLine | None = None
    failed: bool = False


@dataclass(slots=True)
class CellRecord:
    """The cells of one kernel, in the order in which they first ran."""

    cells: list[RanCell] = field(default_factory=list)

    @property
    def tasks(self) -> dict[str, RanCell]:
        """The tasks by their names."""
        return {cell.task.name: cell for cell in self.cells if cell.task is not None}

    def add(self, cell: RanCell) -> str:
        """Note a cell that ran; it takes the place of what it was before. Returns the task's former name, if any."""
        place = self._place_of(cell)
        former = ""
        if place is None:
            self.cells.append(cell)
        else:
            before = self.cells[place]
            if before.task is not None and (cell.task is None or before.task.name != cell.task.name):
                former = before.task.name
            self.cells[place] = cell
        if cell.task is not None:  # the name moved here from another cell
            name = cell.task.name
            self.cells = [one for one in self.cells if one is cell or one.task is None or one.task.name != name]
        return former

    def forget(self, name: str) -> bool:
        """Take a task out of the flow. Returns whether there was one."""
        kept = [cell for cell in self.cells if cell.task is None or cell.task.name != name]
        is_found = len(kept) < len(self.cells)
        self.cells = kept
        return is_found

    def before(self, codes: list[str]) -> None:
        """Note plain cells that ran before anybody listened."""
        for number, code in enumerate(codes, 1):
            if code.strip():
                self.cells.append(RanCell(code, number))

    def in_order(self, ids: list[str]) -> list[RanCell]:
        """The cells in the order of the saved notebook; one that is not in it stays behind the one it followed."""
        places = {cell_id: place for place, cell_id in enumerate(ids)}
        keys: list[tuple[int, int]] = []
        last = -1
        for number, cell in enumerate(self.cells):
            last = places.get(cell.cell_id, last)
            keys.append((last, -1 if cell.cell_id in places else number))
        return [self.cells[number] for number in sorted(range(len(keys)), key=keys.__getitem__)]

    def _place_of(self, cell: RanCell) -> int | None:
        for place, one in enumerate(self.cells):
            if cell.cell_id and one.cell_id == cell.cell_id:
                return place
        for place, one in enumerate(self.cells):
            if cell.task is not None and one.task is not None and one.task.name == cell.task.name:
                return place
            is_plain = cell.task is None and one.task is None
            if is_plain and one.code == cell.code and (not one.cell_id or not cell.cell_id):
                return place
        return None


def notebook_path(shell: Any) -> Path | None:  # Any: IPython's shell has no types to speak of
    """The file of the notebook that this kernel belongs to, where the host says so."""
    told = [shell.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")]
    if getattr(shell, "kernel", None) is None:
        return None
    path = next((Path(one) for one in told if isinstance(one, str) and one), None)
    return path if path is not None and path.suffix == ".ipynb" else None


def saved_ids(path: Path | None) -> list[str]:
    """The ids of the cells in a saved notebook, in their order; none when it cannot be read."""
    if path is None:
        return []
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return [str(cell.get("id", "")) for cell in cells if cell.get("cell_type") == "code"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
