"""The README's promise: one command runs a real flow end to end and prints a result that people can read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nbflow.engine import Engine

ROOT = Path(__file__).parents[2]


def _nbflow(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nbflow.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, "NBFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_first_flow_runs_on_real_data_and_shows_what_came_of_it(tmp_path: Path) -> None:
    done = _nbflow(tmp_path, "run", "notebooks/flows/first_etl.yaml")
    assert done.returncode == 0, done.stderr
    assert "those of ExpressJet Airlines Inc. were the latest: 21.4 minutes on average." in done.stdout
    assert "SUCCESS after" in done.stdout
    assert done.stderr == ""
    with Engine(tmp_path, takes_over=False) as engine:
        execution = engine.executions()[0]
        assert [run.task_id for run in execution.task_runs] == ["transform", "query", "report"]
        assert execution.task_runs["transform"].outputs["vars"] == {"flights": 6064}
        assert len(execution.outputs["delays"]) == 5  # type: ignore[arg-type]


def test_a_deployed_flow_runs_again_by_its_name(tmp_path: Path) -> None:
    _nbflow(tmp_path, "flows", "deploy", "notebooks/flows/01_hello_world.yaml")
    done = _nbflow(tmp_path, "run", "zoomcamp.01_hello_world", "name=Ada")
    assert done.returncode == 0, done.stderr
    assert "Hello Ada! Welcome to the Data Engineering course!" in done.stdout
