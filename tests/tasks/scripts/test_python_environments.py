"""Which Python a task runs in, and how its packages get there."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbflow.tasks.scripts.python import Commands, Script
from nbflow.testing import TaskResult, run_task
from tests.tasks.test_scripts import make_wheel

SAY = "import nbflow_sample, sys; print(nbflow_sample.answer, sys.prefix)"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBFLOW_CACHE", str(tmp_path / "cache"))


def run(script: str, **properties: object) -> TaskResult:
    return run_task(Script.model_validate({"id": "script", "script": script, **properties}))


def environments(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache" / "environments").glob("*") if path.is_dir()]


@pytest.mark.parametrize("manager", ["UV", "PIP"])
def test_packages_are_installed_once_and_the_second_run_starts_at_once(manager: str, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "nbflow_sample", "answer = 42\n")
    first = run(SAY, dependencies=[str(wheel)], packageManager=manager)
    assert first.state == "SUCCESS", first.messages
    began = time.perf_counter()
    second = run(SAY, dependencies=[str(wheel)], packageManager=manager)
    assert time.perf_counter() - began < 1.5
    assert second.messages == [first.messages[-1]]
    [home] = environments(tmp_path)
    assert second.messages == [f"42 {home}"]


def test_without_the_cache_an_environment_is_the_tasks_own(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "nbflow_sample", "answer = 42\n")
    for _ in range(2):
        result = run(SAY, dependencies=[str(wheel)], dependencyCacheEnabled=False, outputFiles=["*"])
        assert result.messages[0] == f"installing {wheel}"
        assert "42 " in result.messages[1]
        assert "/.nbflow-env-" in result.messages[1]
    assert environments(tmp_path) == []


def test_another_set_of_packages_is_another_environment(tmp_path: Path) -> None:
    one = make_wheel(tmp_path, "nbflow_sample", "answer = 1\n")
    two = make_wheel(tmp_path, "nbflow_other", "answer = 2\n")
    assert run("pass", dependencies=[str(one)]).state == "SUCCESS"
    assert run("import nbflow_sample, nbflow_other", dependencies=[str(two), str(one)]).state == "SUCCESS"
    assert run("import nbflow_sample, nbflow_other", dependencies=[str(one), str(two)]).state == "SUCCESS"
    assert len(environments(tmp_path)) == 2


def test_commands_find_the_environments_python_and_pip(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "nbflow_sample", "answer = 42\n")
    task = Commands(id="s", commands=["python main.py"], input_files={"main.py": SAY}, dependencies=[str(wheel)])
    assert run_task(task).messages[-1].startswith("42 ")


def test_older_flows_may_go_without_an_environment() -> None:
    result = run("import sys; print(sys.prefix)", requirements=["no-such-package"], virtualEnv=False)
    assert result.messages == [sys.prefix]


@pytest.mark.parametrize("version", [platform.python_version(), ".".join(platform.python_version_tuple()[:2])])
def test_the_version_that_nbflow_runs_in_is_taken_as_it_is(version: str) -> None:
    assert run("import sys; print(sys.executable)", pythonVersion=version).messages == [sys.executable]


def test_another_version_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    pretender = folder / "python3.99"  # says that it is 3.99, and is the one that runs here
    pretender.write_text(
        f'#!/bin/sh\ncase "$2" in *platform*) echo 3.99.1;; *) echo pretending; exec {sys.executable} "$@";; esac\n'
    )
    pretender.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.defpath}")
    monkeypatch.setattr(sys, "executable", str(_lonely_python(tmp_path)))
    for version in ("3.99", "3.99.1"):
        assert run("print('ran')", pythonVersion=version).messages == ["pretending", "ran"]
    missing = run("print('ran')", pythonVersion="3.99.2")
    assert missing.messages == ["Python 3.99.2 is not installed here (install it, or uv, which can fetch it)"]


def _lonely_python(tmp_path: Path) -> Path:
    """An interpreter with no uv beside it."""
    place = tmp_path / "lonely"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    return place / "bin" / "python"


def test_what_is_no_version_is_refused() -> None:
    result = run("pass", pythonVersion="newest")
    assert result.messages == ["`pythonVersion: newest` is no version (write it as 3.12 or 3.12.1)"]


def test_the_environment_of_the_kernel_is_that_of_scripts() -> None:
    """Its interpreter and its packages, whatever else is on the PATH; `pip` in commands is its own as well."""
    commands = ["command -v python", "python -c 'import pydantic, sys; print(sys.prefix)'"]
    result = run_task(Commands(id="s", commands=commands))
    found = shutil.which("python", path=os.path.dirname(sys.executable)) or sys.executable
    assert result.messages == [found, sys.prefix]
    assert run("import pydantic, sys; print(sys.executable)").messages == [sys.executable]
