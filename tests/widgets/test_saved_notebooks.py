"""A notebook that was run and saved: readable without a kernel, without widgets, and small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.widgets.test_live_views import SHORT, WIDGET

CELLS = [
    "%load_ext nbflow",
    f"%%flow --wait\n{SHORT}",
    f"%%flow --run --to ex\n{SHORT.replace('id: short', 'id: later')}",
    "ex.wait(30)\nimport time\nfor _ in range(100):\n    time.sleep(0.05)",
    f"%%flow --wait\n{SHORT.replace('hello there', '<script>alert(1)</script>').replace('id: short', 'id: hostile')}",
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("saved")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBFLOW_HOME", str(folder / "home"))
        client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
        client.execute()
    path = folder / "saved.ipynb"
    nbformat.write(notebook, path)
    return nbformat.read(Path(path), as_version=4)


def bundles(cell: Any) -> list[dict[str, Any]]:
    return [output["data"] for output in cell.outputs if "data" in output]


def test_a_cell_that_waited_holds_the_final_gantt(saved: Any) -> None:
    end = bundles(saved.cells[1])[-1]
    assert "✓ SUCCESS" in end["text/html"]
    assert "<svg" in end["text/html"]
    assert "hello there" in end["text/html"]
    assert "✓ SUCCESS  tests.short" in end["text/plain"]
    assert WIDGET not in end


def test_an_execution_that_ended_after_its_cell_is_final_too(saved: Any) -> None:
    end = bundles(saved.cells[2])[-1]
    assert "✓ SUCCESS" in end["text/html"]
    assert WIDGET not in end


def test_the_page_made_of_it_shows_the_gantt_and_no_foreign_script(saved: Any) -> None:
    page, _ = HTMLExporter().from_notebook_node(saved)
    assert page.count('class="nbflow-execution"') == 3
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page


def test_the_saved_notebook_is_small(saved: Any) -> None:
    assert max(len(json.dumps(cell.outputs)) for cell in saved.cells) < 20_000
    states = saved.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {}).get("state", {})
    views = [state["state"] for state in states.values() if state["model_name"] == "AnyModel"]
    assert views
    assert all(view["state"] == {} for view in views)
    assert len(json.dumps(saved)) < 120_000
