"""Time in a real JupyterLab with its extensions: a schedule fires by itself, the panel steers, notebooks are opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from tests.ui.conftest import Lab, Notebook, open_page, running_lab
from tests.ui.pictures import keep_picture

pytestmark = [pytest.mark.ui, pytest.mark.slow]

_LOAD = "%load_ext nbflow"
_TICK = """%%flow
id: tick
namespace: tests.time
tasks: [{id: hello, type: io.kestra.plugin.core.log.Log, message: "{{ trigger.date ?? 'by hand' }}"}]
triggers:
  - {id: each, type: io.kestra.plugin.core.trigger.Schedule, cron: "* * * * * *", withSeconds: true}
"""
_DAILY = """%%flow
id: daily
namespace: tests.time
tasks: [{id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.2S}]
triggers: [{id: morning, type: io.kestra.plugin.core.trigger.Schedule, cron: "0 9 * * *"}]
"""
_REPORT = """%%flow --run
id: nb
namespace: tests.time
tasks:
  - id: report
    type: notebook
    onFailure: keepKernel
    inputFiles: {report.py: "# %%\\nx = 1\\n# %%\\n1/0\\n"}
    path: report.py
"""
_SECONDS = 60_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One of its own: what fires here must not turn up in other stories."""
    with running_lab(tmp_path_factory.mktemp("lab-of-time")) as running:
        yield running


def _open(lab: Lab, browser: Browser, path: Path, *cells: str) -> Notebook:
    source = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (_LOAD, *cells)])
    source.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(source, path)
    notebook = open_page(lab, browser, path)
    notebook.run_cell(0)
    return notebook


def test_a_schedule_fires_by_itself_and_is_switched_off_in_the_panel(
    lab: Lab, browser: Browser, tmp_path: Path
) -> None:
    notebook = _open(lab, browser, tmp_path / "tick.ipynb", _TICK, "%flow scheduler")
    page = notebook.page
    notebook.run_cell(1)
    notebook.command("nbflow:open-panel")
    panel = page.locator("#nbflow-panel")
    expect(panel.locator(".jp-nbflow-scheduler")).to_contain_text("in this Jupyter server", timeout=_SECONDS)
    expect(panel.locator("[data-execution]").nth(2)).to_contain_text("tick", timeout=_SECONDS)
    notebook.run_cell(2)
    expect(page.locator(".jp-OutputArea").last).to_contain_text("A scheduler runs on", timeout=_SECONDS)
    switch = panel.locator('[data-trigger="tests.time.tick.each"] input[role=switch]')
    expect(switch).to_be_checked()
    switch.click()
    expect(panel.locator('[data-trigger="tests.time.tick.each"]')).to_contain_text("off", timeout=_SECONDS)
    expect(switch).not_to_be_checked()
    assert notebook.complaints == []
    page.close()


def test_a_backfill_is_watched_and_cancelled_in_the_panel(lab: Lab, browser: Browser, tmp_path: Path) -> None:
    backfill = "%flow backfill tests.time.daily --start 2025-01-01 --end 2026-01-01"
    notebook = _open(lab, browser, tmp_path / "daily.ipynb", _DAILY, backfill)
    page = notebook.page
    notebook.run_cell(1)
    notebook.run_cell(2)
    view = page.locator(".nbflow-backfill")
    expect(view).to_contain_text("of 365 done", timeout=_SECONDS)
    notebook.command("nbflow:open-panel")
    row = page.locator("#nbflow-panel [data-backfill]").first
    expect(row).to_contain_text("RUNNING", timeout=_SECONDS)
    row.get_by_label("Pause the backfill").click()
    expect(row).to_contain_text("PAUSED", timeout=_SECONDS)
    expect(view).to_contain_text("PAUSED", timeout=_SECONDS)
    keep_picture("backfill", page.screenshot())
    row.get_by_label("Resume the backfill").click()
    expect(row).to_contain_text("RUNNING", timeout=_SECONDS)
    row.get_by_label("Cancel the backfill").click()
    expect(view).to_contain_text("CANCELLED", timeout=_SECONDS)
    assert notebook.complaints == []
    page.close()


def test_the_notebook_that_a_run_has_executed_is_opened_by_a_click(lab: Lab, browser: Browser, tmp_path: Path) -> None:
    notebook = _open(lab, browser, tmp_path / "nb.ipynb", _REPORT)
    page = notebook.page
    notebook.start_cell(1)
    output = page.locator(".nbflow-execution")
    expect(output).to_contain_text("kept its kernel", timeout=_SECONDS)
    expect(output.locator("[data-nbflow-copy]").first).to_contain_text("%flow attach k")
    output.locator("[data-nbflow-notebook]").click()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.title.label.startsWith('report.')", timeout=_SECONDS
    )
    expect(page.locator(".jp-Notebook:visible")).to_contain_text("ZeroDivisionError", timeout=_SECONDS)
    [copied] = (lab.folder / "executed-notebooks").glob("*.ipynb")
    assert "ZeroDivisionError" in copied.read_text()
    assert notebook.complaints == []
    page.close()
