"""A notebook with `%%task` cells in Notebook 7: its cells run, the flow runs, its Gantt is seen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from tests.ui.conftest import TOKEN, await_server
from tests.ui.pictures import keep_picture

pytestmark = [pytest.mark.ui, pytest.mark.slow]

CELLS = (
    "%load_ext nbflow\n%flow new seven --namespace tests",
    "%%task make\nnumbers = [1, 2, 3]\nsum(numbers)",
    "%%task double\ndoubled = [number * 2 for number in numbers]\nprint(doubled)",
    "%flow run",
)


def test_task_cells_and_their_gantt_in_notebook_7(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / "seven.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    env = {
        **os.environ,
        **{f"JUPYTER_{name}_DIR": str(tmp_path / place) for name, place in places.items()},
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "NBFLOW_HOME": str(tmp_path / "home"),
    }
    command = [
        *(sys.executable, "-m", "jupyter", "notebook", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}"),
        *("--JupyterNotebookApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}"),
    ]
    log = tmp_path / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    page = browser.new_page(viewport={"width": 1200, "height": 1400})
    complaints: list[str] = []

    def hear(text: str) -> None:  # Notebook 7 has errors of its own
        if "nbflow" in text:
            complaints.append(text)

    page.on("console", lambda message: hear(f"{message.text} {message.location}") if message.type == "error" else None)
    page.on("pageerror", lambda error: hear(str(error.stack)))
    try:
        await_server(url, server, log)
        page.goto(f"{url}/notebooks/seven.ipynb?token={TOKEN}")
        page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
        page.evaluate("async () => { await window.jupyterapp.restored; }")
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=60_000,
        )
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        cell = page.locator(".jp-CodeCell")
        expect(cell.nth(1).locator(".jp-OutputArea")).to_contain_text("6", timeout=30_000)
        expect(cell.nth(2).locator(".jp-OutputArea")).to_contain_text("[2, 4, 6]", timeout=30_000)
        final = page.locator(".nbflow-execution").last
        expect(final).to_contain_text("SUCCESS", timeout=60_000)
        for task in ("make", "double"):
            expect(final).to_contain_text(task)
        assert final.locator("rect").count() >= 2
        final.scroll_into_view_if_needed()
        keep_picture("notebook-7", page.screenshot())
        assert complaints == []
    finally:
        page.close()
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
