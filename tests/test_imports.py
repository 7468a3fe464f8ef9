"""What importing costs: nothing heavy comes along before somebody uses it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "plotly",
    "duckdb",
    "papermill",
    "pandas",
    "ipywidgets",
    "anywidget",
    "httpx",
    "alembic",
    "babel",
    "jq",
    "rich.console",
    "IPython",
    "tornado",
    "fsspec",
    "croniter",
)

HELLO = """
id: hello
namespace: tests
tasks:
  - id: hello
    type: io.kestra.plugin.core.log.Log
    message: Hello
"""


def modules_after(code: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running `code`."""
    report = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}", *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_nbflow_loads_no_other_package() -> None:
    loaded = {name for name in modules_after("import nbflow") if name.startswith("nbflow")}
    assert loaded == {"nbflow"}


@pytest.mark.parametrize("module", ["nbflow.engine", "nbflow.cli.main", "nbflow.source", "nbflow.expressions"])
def test_no_heavy_package_comes_with(module: str) -> None:
    loaded = modules_after(f"import {module}")
    assert not loaded.intersection(HEAVY)


def test_the_command_line_starts_without_the_engine() -> None:
    loaded = modules_after("import nbflow.cli.main")
    assert not loaded.intersection({"nbflow.engine", "nbflow.store", "sqlalchemy", "pydantic", "asyncio"})


def test_running_a_flow_loads_nothing_heavy(tmp_path: object) -> None:
    code = f"""
import sys
from nbflow import Engine
with Engine(sys.argv[1]) as engine:
    engine.deploy({HELLO!r})
    assert engine.run("tests", "hello", wait=True).state == "SUCCESS"
"""
    loaded = modules_after(code, str(tmp_path))
    assert not loaded.intersection(HEAVY)
