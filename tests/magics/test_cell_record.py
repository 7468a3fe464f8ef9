"""Which cells count, and in which order."""

from __future__ import annotations

import json
from pathlib import Path

from nbflow.magics.cell_record import CellRecord, RanCell, saved_ids
from nbflow.magics.task_line import TaskLine


def task(name: str, cell_id: str = "", code: str = "x = 1") -> RanCell:
    return RanCell(code, 1, cell_id, TaskLine(name))


def test_a_cell_with_an_id_is_replaced_and_tells_its_former_name() -> None:
    record = CellRecord()
    record.add(task("a", "id1"))
    record.add(task("b", "id2"))
    assert record.add(task("c", "id1")) == "a"
    assert list(record.tasks) == ["c", "b"]


def test_a_task_that_becomes_a_plain_cell_is_none_any_more() -> None:
    record = CellRecord()
    record.add(task("a", "id1"))
    record.add(RanCell("x = 1", 2, "id1"))
    assert not record.tasks


def test_a_name_moves_to_the_cell_that_has_it_now() -> None:
    record = CellRecord()
    record.add(task("a", "id1", "x = 1"))
    record.add(RanCell("y = 1", 2, "id2"))
    record.add(task("a", "id3", "x = 3"))
    assert [cell.code for cell in record.cells] == ["x = 3", "y = 1"]


def test_the_order_is_that_of_the_saved_notebook() -> None:
    record = CellRecord()
    for name in ("extract", "load", "clean"):
        record.add(task(name, f"id-{name}"))
    record.add(task("new", "id-new"))
    names = [cell.task.name for cell in record.in_order(["id-extract", "id-clean", "id-load"]) if cell.task]
    assert names == ["extract", "clean", "new", "load"]


def test_the_order_is_that_of_running_where_nothing_is_saved() -> None:
    record = CellRecord()
    for name in ("b", "a"):
        record.add(task(name))
    assert [cell.task.name for cell in record.in_order([]) if cell.task] == ["b", "a"]


def test_a_cell_that_ran_before_the_extension_is_known_again() -> None:
    record = CellRecord()
    record.before(["import os", "  ", "x = 1"])
    record.add(RanCell("import os", 5, "id1"))
    assert [(cell.code, cell.cell_id) for cell in record.cells] == [("import os", "id1"), ("x = 1", "")]


def test_the_ids_of_a_saved_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "id": "m"}, {"cell_type": "code", "id": "c"}]}))
    assert saved_ids(path) == ["c"]
    path.write_text("{")
    assert saved_ids(path) == []
    assert saved_ids(None) == []
