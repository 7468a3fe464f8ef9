"""`%flow check`, `%flow schedule` and `%flow last`: the notebook as a scheduled pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbflow.engine import Engine
from tests.magics.conftest import Run

REPORT = """
# %% tags=["parameters"]
n: int = 3  # how many
# %%
import nbflow
nbflow.outputs({"n": n})
"""


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "report.py"
    file.write_text(REPORT)
    return file


def test_a_notebook_is_put_on_a_schedule_and_its_last_run_fetched(run: Run, report: Path) -> None:
    done = run('%flow schedule "0 9 * * *" n=5 --timezone Europe/Paris --notebook report.py')
    assert done.text.startswith("notebooks.report, revision 1: runs the notebook as it is now"), done.text
    assert "It fires next at " in done.text
    assert "No scheduler runs on " in done.text
    [trigger] = Engine.default().flow("notebooks", "report").triggers
    assert (trigger.inputs, trigger.type_name) == ({"n": 5}, "io.kestra.plugin.core.trigger.Schedule")
    assert run("%flow run notebooks.report --wait").success
    done = run("%flow last notebooks.report")
    assert "report.executed.ipynb: execution " in done.text
    executed = json.loads((report.parent / "report.executed.ipynb").read_text())
    assert any("n = 5" in "".join(cell["source"]) for cell in executed["cells"])
    [ran] = Engine.default().executions("notebooks", "report")
    assert f"report.{ran.id}.executed.ipynb" in run(f"%flow last {ran.id}").text
    assert not run("%flow last nothing").success


def test_a_check_tells_what_is_wrong_and_how_a_clean_run_ends(run: Run, report: Path) -> None:
    assert run("%flow check --notebook report.py").text == "a run of report.py in a clean kernel ended in SUCCESS\n"
    report.write_text(REPORT + "print(hidden)\n")
    done = run("%flow check --notebook report.py")
    assert "hidden state" in done.text
    assert "`hidden` is used and defined nowhere" in done.text
    assert "ended in FAILED" in done.text
    assert run("%flow check --notebook report.py --no-run").text.count("clean kernel") == 0


def test_a_run_of_the_notebook_does_not_schedule_itself_again(
    run: Run, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBFLOW_EXECUTION_ID", "x")
    assert "runs as a task" in run('%flow schedule "@daily" --notebook report.py').text
    assert run("%flow check --notebook report.py").text == ""
    assert Engine.default().flows() == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('%flow schedule "@daily"', "name its file: --notebook report.ipynb"),
        ("%flow schedule --notebook report.py", "something is missing"),
        ('%flow schedule "often" --notebook report.py', "cron expression"),
        ('%flow schedule "@daily" m=1 --notebook report.py', "has no parameter `m`"),
        ('%flow schedule "@daily" --notebook gone.py', "there is no notebook"),
        ("%flow last notebooks.report", "has left no executed notebook"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, report: Path, line: str, said: str) -> None:
    done = run(line)
    assert not done.success
    assert said in done.text
