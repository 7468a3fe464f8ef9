"""`nbflow notebook`: from a notebook to a flow that runs by the clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbflow.engine import Engine
from tests.cli.cli_calls import Nbflow

REPORT = """
# %% tags=["parameters"]
n: int = 3  # how many
day: str = "none"
# %%
import nbflow
rows = open("rows.txt").read().split()
# %%
nbflow.outputs({"n": n, "day": day, "rows": len(rows)})
"""


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "report.py").write_text(REPORT)
    (folder / "rows.txt").write_text("a b c\n")
    return folder / "report.py"


def test_a_notebook_is_checked_and_run_in_a_clean_kernel(nbflow: Nbflow, report: Path) -> None:
    done = nbflow("notebook", "check", "report.py")
    assert done.status == 0, done
    assert done.out.splitlines() == [
        "warning: cell 2, line 2: it reads `rows.txt`, which is beside the notebook and not declared; "
        "name it in `inputFiles`; `%flow schedule --file rows.txt` does",
        "a run in a clean kernel ended in SUCCESS",
    ]
    report.write_text(REPORT + "print(totl)\n")
    done = nbflow("notebook", "check", "report.py", "--output", "json")
    assert done.status == 1
    found = json.loads(done.out)
    assert (found["state"], found["needs"]) == ("FAILED", ["rows.txt"])
    assert [(one["cell"], one["message"]) for one in found["findings"] if one["severity"] == "error"] == [
        (3, "`totl` is used and defined nowhere")
    ]


def test_a_scheduled_notebook_is_a_flow_of_its_own(nbflow: Nbflow, report: Path) -> None:
    report.write_text(REPORT.replace('open("rows.txt").read().split()', "[n]"))
    done = nbflow(
        "notebook", "schedule", "report.py", "n=4", "day={{ trigger.date | date('yyyy-MM-dd') }}",
        "--cron", "0 9 * * MON-FRI", "--timezone", "Europe/Paris", "--namespace", "team",
    )  # fmt: skip
    assert done.status == 0, done
    assert "team.report, revision 1: runs the notebook as it is now" in done.out
    report.write_text("raise SystemExit('the file of today is not what was stored')")
    with Engine() as engine:
        [trigger] = engine.flow("team", "report").triggers
        assert trigger.inputs == {"n": 4, "day": "{{ trigger.date | date('yyyy-MM-dd') }}"}
        execution = engine.run("team", "report", {"day": "today"}, wait=True, timeout=60)
        assert execution.task_runs["notebook"].outputs["vars"] == {"n": 4, "day": "today", "rows": 1}, execution.logs()
    done = nbflow("notebook", "last", "team.report", "--to", "last.ipynb")
    assert done.out.startswith("last.ipynb: execution ")
    assert json.loads((report.parent / "last.ipynb").read_text())["cells"]


def test_files_that_are_named_come_along(nbflow: Nbflow, report: Path) -> None:
    assert nbflow("notebook", "schedule", "report.py", "--cron", "@daily", "--file", "rows.txt").status == 0
    with Engine() as engine:
        execution = engine.run("notebooks", "report", wait=True, timeout=60)
    assert execution.task_runs["notebook"].outputs["vars"]["rows"] == 3, execution.logs()


def test_a_notebook_of_the_project_runs_as_it_is_saved_then(
    nbflow: Nbflow, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBFLOW_HOME", str(report.parent / ".nbflow"))
    done = nbflow("notebook", "schedule", "report.py", "--cron", "@daily")
    assert "runs the notebook as it is saved at that time" in done.out
    report.write_text(REPORT.replace('"n": n', '"n": n + 100'))
    with Engine() as engine:
        execution = engine.run("notebooks", "report", wait=True, timeout=60)
    assert execution.task_runs["notebook"].outputs["vars"] == {"n": 103, "day": "none", "rows": 3}, execution.logs()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.py", "--cron", "@daily"], "there is no notebook"),
        (["report.py", "--cron", "0 9 * *"], "must be a cron expression of 5 fields"),
        (["report.py", "--cron", "@daily", "m=1"], "the notebook has no parameter `m`"),
        (["report.py", "--cron", "@daily", "--file", "gone.txt"], "there is no file gone.txt"),
        (["report.py", "--cron", "@daily", "n=many"], "must be a whole number"),
    ],
)
def test_what_cannot_be_scheduled_is_told(nbflow: Nbflow, report: Path, arguments: list[str], said: str) -> None:
    done = nbflow("notebook", "schedule", *arguments)
    assert done.status == 2, done
    assert said in done.err


def test_a_notebook_is_run_once_with_parameters(nbflow: Nbflow, report: Path) -> None:
    done = nbflow("notebook", "run", "report.py", "n=7")
    assert done.status == 0, done
    executed = json.loads((report.parent / "report.executed.ipynb").read_text())
    assert any("n = 7" in "".join(cell["source"]) for cell in executed["cells"])
