"""The flow that a notebook's `%%task` cells make: its name, its inputs, its plan, its YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbflow.magics.cell_record import CellRecord, RanCell, notebook_path, saved_ids
from nbflow.magics.errors import FlowCellError
from nbflow.magics.session import Session
from nbflow.magics.task_views import task_bundle
from nbflow.source.writer import dump_flow
from nbflow.tasks.cells.cell import Cell
from nbflow.tasks.cells.document import flow_document
from nbflow.tasks.cells.names import names_of
from nbflow.tasks.cells.plan import Plan, plan
from nbflow.types import JsonValue
from nbflow.widgets.output import publish

NAMESPACE = "notebooks"


@dataclass(slots=True)
class NotebookFlow:
    """What the author says of the flow; empty where nothing is said."""

    record: CellRecord
    id: str = ""
    namespace: str = ""
    description: str = ""
    inputs: list[Mapping[str, JsonValue]] = field(default_factory=list)

    def named(self, shell: Any) -> tuple[str, str]:  # Any: IPython's shell has no types to speak of
        """Namespace and id: those of `%flow new`, or the notebook's own name."""
        path = notebook_path(shell)
        own = re.sub(r"[^a-zA-Z0-9_-]+", "-", path.stem if path else "").strip("-_")
        return self.namespace or NAMESPACE, self.id or own or "notebook"

    def plan(self, shell: Any) -> Plan:  # Any: as above
        """Who needs whom, by the cells as they ran last."""
        return plan(self.cells(shell), [str(one["id"]) for one in self.inputs])

    def cells(self, shell: Any) -> list[Cell]:  # Any: as above
        ordered = self.record.in_order(saved_ids(notebook_path(shell)))
        return [_planned(cell) for cell in _without_older(ordered)]

    def yaml(self, planned: Plan, shell: Any, directory: str) -> str:  # Any: as above
        """The flow. Raises: FlowCellError when there are no tasks, or they do not go together."""
        if not planned.tasks:
            raise FlowCellError(
                "the notebook has no tasks yet", "write %%task NAME above the code of a cell and run it"
            )
        if planned.errors:
            count = len(planned.errors)
            first = planned.errors[0]
            message = f"{first.cell}: {first.message}" if count == 1 else f"there are {count} problems with the tasks"
            raise FlowCellError(message, first.hint if count == 1 else "")
        namespace, flow_id = self.named(shell)
        document = flow_document(
            planned, flow_id, namespace, directory=directory, description=self.description, inputs=self.inputs
        )
        return dump_flow(document)


def _planned(cell: RanCell) -> Cell:
    line = cell.task
    if line is None:
        return Cell(f"In[{cell.number}]", cell.code, is_task=False)
    return Cell(
        line.name,
        cell.code,
        line.type,
        needs=line.needs,
        takes=line.takes,
        gives=line.gives,
        properties=line.properties,
    )


def _without_older(cells: list[RanCell]) -> list[RanCell]:
    """Where no ids tell cells apart, as in a terminal: a plain cell that binds the same anew replaces the older one."""
    kept = list(cells)
    for newer in [cell for cell in cells if cell.task is None and not cell.cell_id]:
        binds, reads = _binds(newer)
        if not binds:
            continue
        for place, older in enumerate(kept):
            if older is newer:
                break
            if older.task is None and not older.cell_id and (bound := _binds(older)[0]) and bound <= binds - reads:
                kept.remove(newer)
                kept[place] = newer
                break
    return kept


def _binds(cell: RanCell) -> tuple[frozenset[str], frozenset[str]]:
    try:
        names = names_of(cell.code)
    except SyntaxError:
        return frozenset(), frozenset()
    return names.binds, names.reads


def show_task(session: Session, name: str, former: str = "") -> None:
    """Show below its cell what was inferred of a task."""
    flow = session.notebook
    planned = flow.plan(session.shell)
    notes = [f"it was called {former} before"] if former else []
    if flow.record.tasks[name].failed:
        notes.append("it failed here; in the flow it stands all the same")
    publish(task_bundle(planned, name, ".".join(flow.named(session.shell)), notes))
