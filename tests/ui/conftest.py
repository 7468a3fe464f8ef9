"""A real JupyterLab and a real browser for the stories in this folder."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

TOKEN = "t"
_BUILT = Path(__file__).parents[2] / "nbflow" / "labextension"
_CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_READY = """
async () => {
  const app = window.jupyterapp;
  await app.restored;
  return true;
}
"""


@dataclass
class Lab:
    """A running JupyterLab: where it listens, and the folder whose notebooks it shows."""

    url: str
    folder: Path
    log: Path


@dataclass
class Notebook:
    """A notebook open in the browser, driven through JupyterLab's own commands."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def run_cell(self, index: int) -> None:
        """Run one cell; returns at once."""
        self.page.evaluate(
            """async index => {
                const panel = window.jupyterapp.shell.currentWidget;
                panel.content.activeCellIndex = index;
                await window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def start_cell(self, index: int) -> None:
        """Run one cell without waiting for its end."""
        self.page.evaluate(
            """index => {
                const panel = window.jupyterapp.shell.currentWidget;
                panel.content.activeCellIndex = index;
                window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            index,
        )

    def command(self, name: str) -> None:
        self.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@contextmanager
def running_lab(base: Path) -> Iterator[Lab]:
    """A JupyterLab whose settings, home and notebooks lie in a folder; with the front end as it is built here."""
    folder, settings = base / "work", base / "config" / "labconfig"
    folder.mkdir()
    settings.mkdir(parents=True)
    # The news popup would take the focus away.
    (settings / "page_config.json").write_text(
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    _install(base)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "JUPYTER_DATA_DIR": str(base / "data"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "IPYTHONDIR": str(base / "ipython"),
        "NBFLOW_HOME": str(base / "home"),
    }
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"),
        f"--ServerApp.root_dir={folder}",
    ]
    log = base / "lab.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        await_server(url, process, log)
        yield Lab(url, folder, log)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def _install(base: Path) -> None:
    """Link the built front end and enable the server extension, whether or not the environment has them."""
    if _BUILT.is_dir():
        (base / "data" / "labextensions").mkdir(parents=True)
        (base / "data" / "labextensions" / "nbflow").symlink_to(_BUILT, target_is_directory=True)
    enabled = base / "config" / "jupyter_server_config.d"
    enabled.mkdir(parents=True)
    (enabled / "nbflow.json").write_text('{"ServerApp": {"jpserver_extensions": {"nbflow": true}}}')


def await_server(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}/api/status?token={TOKEN}", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")  # no longer: while Playwright is there, its event loop keeps others from starting
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "the UI tests need a Chromium on the PATH: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_CHROMIUM_FLAGS)
        yield browser
        browser.close()


def open_page(lab: Lab, browser: Browser, source: Path) -> Notebook:
    """Copy a notebook into a Lab's folder and open it; whatever the page complains about is collected."""
    shutil.copy(source, lab.folder / source.name)
    page = browser.new_page(viewport={"width": 1400, "height": 1600})
    notebook = Notebook(page)

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            notebook.complaints.append(f"console: {message.text}")

    def fail(error: Any) -> None:  # Any: Playwright's Error has no public name
        notebook.complaints.append(f"page: {error}")

    page.on("console", hear)
    page.on("pageerror", fail)
    page.goto(f"{lab.url}/lab/tree/{source.name}?token={TOKEN}&reset")
    page.wait_for_function("() => window.jupyterapp !== undefined", timeout=60_000)
    page.evaluate(_READY)
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=60_000,
    )
    return notebook


OpenNotebook = Callable[[Path], Notebook]


@pytest.fixture
def open_notebook(lab: Lab, browser: Browser) -> Iterator[OpenNotebook]:
    """Copy a notebook into the Lab's folder and open it; whatever the page complains about is collected."""
    pages: list[Page] = []

    def open_(source: Path) -> Notebook:
        notebook = open_page(lab, browser, source)
        pages.append(notebook.page)
        return notebook

    yield open_
    for page in pages:
        page.close()
