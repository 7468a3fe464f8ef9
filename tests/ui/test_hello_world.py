"""The first story of a newcomer, in a real JupyterLab: open the notebook, run the cells, fill in the form, watch."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Lab, OpenNotebook
from tests.ui.pictures import keep_picture

pytestmark = [pytest.mark.ui, pytest.mark.slow]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_hello_world.ipynb"


def _cell_that(begins: str) -> int:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    return next(index for index, cell in enumerate(cells) if "".join(cell["source"]).startswith(begins))


def test_a_newcomer_runs_hello_world_by_its_form(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(NOTEBOOK)
    page = notebook.page
    notebook.run_cell(_cell_that("%load_ext nbflow"))
    notebook.run_cell(_cell_that("%%flow"))

    run = page.locator("button.jupyter-button", has_text="Run")
    run.scroll_into_view_if_needed()
    field = page.locator(".jp-OutputArea input[type=text]").first
    field.fill("Ada Lovelace")
    field.press("Tab")
    run.click()

    # The live view has given way to the static one by now, which is what a saved notebook keeps.
    final = page.locator(".nbflow-execution").last
    expect(final).to_contain_text("SUCCESS", timeout=20_000)
    expect(final).to_contain_text("Hello Ada Lovelace!")
    assert final.locator("rect").count() >= 3
    final.scroll_into_view_if_needed()
    keep_picture("hello-world", page.screenshot())
    assert notebook.complaints == []


_SLOW = """%%flow --run
id: slow
namespace: tests
tasks:
  - {id: quick, type: io.kestra.plugin.core.log.Log, message: "<b>off we go</b>"}
  - {id: long, type: io.kestra.plugin.core.flow.Sleep, duration: PT15S}
"""


def test_the_gantt_is_live_while_other_cells_run(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    path = tmp_path / "slow.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in ("%load_ext nbflow", _SLOW, "6 * 7")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    notebook = open_notebook(path)
    page = notebook.page
    notebook.run_cell(0)
    notebook.run_cell(1)
    view = page.locator(".nbflow-x").last
    expect(view.locator(".nbflow-bar.nbflow-c-RUNNING")).to_be_visible(timeout=10_000)
    expect(view.locator(".nbflow-chip")).to_have_text("RUNNING")
    expect(view).to_contain_text("<b>off we go</b>")

    notebook.run_cell(2)
    expect(page.locator(".jp-OutputArea-executeResult")).to_have_text(re.compile("42"))
    expect(view.locator(".nbflow-chip")).to_have_text("RUNNING")
    keep_picture("live", page.screenshot())

    expect(page.locator(".nbflow-execution").last).to_contain_text("SUCCESS", timeout=60_000)
    assert notebook.complaints == []


def test_the_cell_marks_a_mistake_while_it_is_typed(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(NOTEBOOK)
    page = notebook.page
    index = _cell_that("%%flow")
    page.evaluate(
        """index => {
            const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
            const text = cell.model.sharedModel.getSource();
            cell.model.sharedModel.setSource(text.replace('message:', 'mesage:'));
            window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
        }""",
        index,
    )
    mark = page.locator(".cm-lintRange-error").first
    expect(mark).to_be_visible(timeout=15_000)
    keep_picture("lint", page.screenshot())
    assert notebook.complaints == []


def test_the_panel_lists_flows_and_opens_an_execution(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(NOTEBOOK)
    page = notebook.page
    notebook.run_cell(_cell_that("%load_ext nbflow"))
    notebook.run_cell(_cell_that("%%flow"))
    page.locator("button.jupyter-button", has_text="Run").click()
    expect(page.locator(".nbflow-execution").last).to_contain_text("SUCCESS", timeout=20_000)

    notebook.command("nbflow:open-panel")
    panel = page.locator("#nbflow-panel")
    expect(panel).to_contain_text("hello_world", timeout=15_000)
    execution = panel.locator(".jp-nbflow-execution-row").first
    expect(execution).to_contain_text("SUCCESS", timeout=15_000)
    execution.click()
    view = page.locator(".jp-nbflow-view")
    expect(view).to_contain_text("hello", timeout=15_000)
    keep_picture("panel", page.screenshot())
    assert notebook.complaints == []
