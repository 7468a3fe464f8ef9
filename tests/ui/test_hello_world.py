"""The first story of a newcomer, in a real JupyterLab: open the notebook, run the cells, fill in the form, watch."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Lab, OpenNotebook

pytestmark = [pytest.mark.ui, pytest.mark.slow]

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_hello_world.ipynb"


def _cell_that(begins: str) -> int:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    return next(index for index, cell in enumerate(cells) if "".join(cell["source"]).startswith(begins))


def _keep_picture(name: str, picture: bytes) -> None:
    """Pictures are for people: they are kept where `NBFLOW_PICTURES` says, if it says so."""
    folder = os.environ.get("NBFLOW_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(picture)


def test_a_newcomer_runs_hello_world_by_its_form(open_notebook: OpenNotebook, lab: Lab) -> None:
    notebook = open_notebook(NOTEBOOK)
    page = notebook.page
    notebook.run_cell(_cell_that("%load_ext nbflow"))
    notebook.run_cell(_cell_that("%%flow"))

    run = page.get_by_role("button", name="Run", exact=True)
    run.scroll_into_view_if_needed()
    field = page.locator(".jp-OutputArea input[type=text]").first
    field.fill("Ada Lovelace")
    field.press("Tab")
    run.click()

    state = page.locator(".nbflow-chip").last
    expect(state).to_have_text("SUCCESS", timeout=20_000)
    bars = page.locator(".nbflow-x").last.locator(".nbflow-bar.nbflow-c-SUCCESS")
    expect(bars.first).to_be_visible()
    tasks = page.locator(".nbflow-x").last.locator(".nbflow-row")
    assert tasks.count() >= 2
    expect(page.locator(".nbflow-x").last).to_contain_text("Ada Lovelace")
    _keep_picture("hello-world", page.screenshot())
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
    _keep_picture("lint", page.screenshot())
    assert notebook.complaints == []


def test_the_panel_lists_flows_and_opens_an_execution(open_notebook: OpenNotebook) -> None:
    notebook = open_notebook(NOTEBOOK)
    page = notebook.page
    notebook.run_cell(_cell_that("%load_ext nbflow"))
    notebook.run_cell(_cell_that("%%flow"))
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".nbflow-chip").last).to_have_text("SUCCESS", timeout=20_000)

    notebook.command("nbflow:open-panel")
    panel = page.locator("#nbflow-panel")
    expect(panel).to_contain_text("hello_world", timeout=15_000)
    execution = panel.locator(".jp-nbflow-execution-row").first
    expect(execution).to_contain_text("SUCCESS", timeout=15_000)
    execution.click()
    view = page.locator(".jp-nbflow-view")
    expect(view).to_contain_text("hello", timeout=15_000)
    _keep_picture("panel", page.screenshot())
    assert notebook.complaints == []
