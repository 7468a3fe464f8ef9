"""Somebody approves a run, and somebody mends one that failed, in a real JupyterLab."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import OpenNotebook
from tests.ui.pictures import keep_picture

pytestmark = [pytest.mark.ui, pytest.mark.slow]

APPROVAL = """%%flow --run --to ex
id: approval
namespace: tests
tasks:
  - {id: approve, type: pause, onResume: [{id: reason, type: STRING}]}
  - {id: note, type: log, message: "because {{ outputs.approve.onResume.reason }}"}
"""

FLAKY = """%%flow --run
id: flaky
namespace: tests
tasks:
  - {id: prepare, type: return, format: ready}
  - id: check
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["test -e FLAG"]
"""


def written(path: Path, *sources: str) -> Path:
    """A notebook of code cells."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


def test_a_run_waits_for_an_approval(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    source = written(tmp_path / "approval.ipynb", "%load_ext nbflow", APPROVAL, "%flow resume ex reason=fine")
    notebook = open_notebook(source)
    page = notebook.page
    notebook.run_cell(0)
    notebook.run_cell(1)
    expect(page.locator(".nbflow-x .nbflow-chip").last).to_have_text("PAUSED", timeout=15_000)
    keep_picture("paused", page.screenshot())
    notebook.run_cell(2)
    final = page.locator(".nbflow-execution").last
    expect(final).to_contain_text("SUCCESS", timeout=20_000)
    expect(final).to_contain_text("because fine")
    assert notebook.complaints == []


def test_a_failed_run_is_restarted_by_its_button(open_notebook: OpenNotebook, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    source = written(tmp_path / "flaky.ipynb", "%load_ext nbflow", FLAKY.replace("FLAG", str(flag)))
    notebook = open_notebook(source)
    page = notebook.page
    notebook.run_cell(0)
    notebook.run_cell(1)
    expect(page.locator(".nbflow-execution").last).to_contain_text("FAILED", timeout=20_000)
    notebook.command("nbflow:open-panel")
    row = page.locator("#nbflow-panel .jp-nbflow-execution-row", has_text="flaky").first
    expect(row).to_contain_text("FAILED", timeout=15_000)
    row.click()
    view = page.locator(".jp-nbflow-view")
    restart = view.locator("button[data-action=restart]")
    expect(restart).to_be_visible(timeout=15_000)
    keep_picture("failed", page.screenshot())
    flag.touch()
    restart.click()
    expect(view.locator(".jp-nbflow-head")).to_contain_text("SUCCESS", timeout=20_000)
    expect(view.locator("button[data-action=replay]")).to_be_visible()
    keep_picture("restarted", page.screenshot())
    assert notebook.complaints == []
