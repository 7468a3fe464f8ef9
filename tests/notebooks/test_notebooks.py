"""Every notebook that teaches runs from top to bottom, says what it promises, and is kept without outputs."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MINE = ("01_hello_world", "02_python", "03_first_etl")

RunNotebook = Callable[[str], Any]


@pytest.fixture
def run_notebook(home: Path, tmp_path: Path) -> RunNotebook:
    """Run a notebook in a copy of its folder, with a home of its own."""

    def run(name: str) -> Any:
        folder = tmp_path / "notebooks"
        shutil.copytree(NOTEBOOKS, folder)
        notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
        nbclient.NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(folder)}}).execute()
        return notebook

    return run


def texts(cell: Any) -> str:
    """All that a cell shows, as text."""
    shown = []
    for output in cell.outputs:
        data = output.get("data", {})
        shown += [data.get("text/plain", ""), output.get("text", ""), "\n".join(output.get("traceback", []))]
    return "\n".join(shown)


def cell_with(notebook: Any, code: str) -> Any:
    """The code cell that holds a text."""
    return next(cell for cell in notebook.cells if cell.cell_type == "code" and code in cell.source)


@pytest.mark.parametrize("name", MINE)
def test_a_notebook_is_kept_without_outputs(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_hello_world(run_notebook: RunNotebook) -> None:
    notebook = run_notebook("01_hello_world")
    ran = texts(cell_with(notebook, "%flow run"))
    assert "✓ SUCCESS  zoomcamp.01_hello_world" in ran
    assert "Hello Ada! Welcome to the Data Engineering course!" in ran
    assert "The task before said: Cheers, Ada!" in ran
    assert "{'greeting': 'Cheers, Ada!'}" in texts(cell_with(notebook, "ex.outputs"))
    mistakes = texts(cell_with(notebook, "with_mistakes"))
    assert "did you mean `io.kestra.plugin.core.log.Log`" in mistakes
    assert "did you mean `message`?" in mistakes
    assert "nothing was deployed" in mistakes
    assert "with_mistakes" not in texts(cell_with(notebook, "%flow list"))


def test_python(run_notebook: RunNotebook) -> None:
    notebook = run_notebook("02_python")
    ran = texts(cell_with(notebook, "%flow run"))
    assert "✓ SUCCESS  zoomcamp.02_python" in ran
    assert "2170 flights left JFK" in ran
    counts = ast.literal_eval(texts(cell_with(notebook, "run.wait(60)")).strip())
    assert sum(counts.values()) == 6099


def test_first_etl(run_notebook: RunNotebook) -> None:
    notebook = run_notebook("03_first_etl")
    ran = texts(cell_with(notebook, "%flow run"))
    assert "✓ SUCCESS  zoomcamp.03_getting_started_data_pipeline" in ran
    assert "arrivals kept" in ran
    frame = cell_with(notebook, "pd.DataFrame").outputs[-1]["data"]["text/plain"]
    assert "on_time_percent" in frame
    assert "JetBlue Airways" in frame
    assert "carrier,origin,dest,arr_delay" in texts(cell_with(notebook, "read_file"))
