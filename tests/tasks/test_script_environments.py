"""Where the environments of scripts with `dependencies` are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.tasks.scripts.python import Script
from nbflow.testing import run_task
from tests.tasks.test_scripts import make_wheel


def test_environments_are_kept_where_nbflow_cache_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("NBFLOW_CACHE", str(tmp_path / "own"))
    wheel = make_wheel(tmp_path, "nbflow_sample", "answer = 42\n")
    result = run_task(Script(id="script", script="import sys; print(sys.prefix)", dependencies=[str(wheel)]))
    assert result.state == "SUCCESS", result.messages
    assert result.messages[-1].startswith(f"{tmp_path}/own/environments/")
    assert not (tmp_path / "other" / "nbflow").exists()
