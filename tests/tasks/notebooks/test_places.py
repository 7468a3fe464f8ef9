"""Where a notebook comes from, and what `nbflow.outputs` does elsewhere."""

from __future__ import annotations

from pathlib import Path

from nbflow.engine import Engine, Execution
from nbflow.model.state import State
from nbflow.tasks.notebooks.progress import titles_of
from nbflow.testing import run_task

FLOW = """
id: report
namespace: demo
tasks:
  - {id: report, type: notebook, path: PATH, outputFiles: ["*.txt"]}
"""
CELLS = "import local, os\nprint(local.NAME, 'NBFLOW_EXECUTION_ID' in os.environ)\nopen('out.txt', 'w').write('x')"


def run_in(project: Path, path: str) -> Execution:
    """Run a notebook in a project, which is the folder around its home."""
    with Engine(project / ".nbflow") as engine:
        engine.deploy(FLOW.replace("PATH", path))
        return engine.run("demo", "report", wait=True, timeout=60)


def project_in(folder: Path) -> Path:
    project = folder / "project"
    (project / "reports").mkdir(parents=True)
    (project / "reports" / "daily.py").write_text(CELLS)
    (project / "reports" / "local.py").write_text("NAME = 'ours'")
    (folder / "outside.py").write_text("print('outside')")
    return project


def test_a_notebook_of_the_project_runs_in_its_own_folder(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    execution = run_in(project, "reports/daily.py")
    assert execution.state == "SUCCESS"
    assert "ours True" in [entry.message for entry in execution.logs()]
    assert (project / "reports" / "out.txt").read_text() == "x"
    assert list(execution.task_runs["report"].outputs["outputFiles"]) == ["out.txt"]  # type: ignore[arg-type]


def test_a_path_never_leaves_the_project(tmp_path: Path) -> None:
    project = project_in(tmp_path)
    for path in ("../outside.py", str(tmp_path / "outside.py")):
        execution = run_in(project, path)
        assert execution.state == "FAILED"
        assert "outside\n" not in "".join(entry.message + "\n" for entry in execution.logs())


def test_a_stored_notebook_is_run_by_its_uri() -> None:
    result = run_task("{type: notebook, path: \"{{ vars.files['a.py'] }}\"}", files={"a.py": "print('stored')"})
    assert result.state is State.SUCCESS
    assert "stored" in result.messages


def test_outputs_and_stop_work_in_a_script_too() -> None:
    script = "import nbflow, datetime\nnbflow.outputs(day=datetime.date(2026, 1, 2), s={2, 1})\nnbflow.stop('x')\n1 / 0"
    result = run_task({"type": "python", "script": script})
    assert result.state is State.SUCCESS
    assert result.outputs["vars"] == {"day": "2026-01-02", "s": [1, 2]}


def test_a_cell_is_called_as_it_says_or_after_its_comment_or_its_heading() -> None:
    cells = [
        {"id": "a", "cell_type": "markdown", "source": "# Load\ntext", "metadata": {}},
        {"id": "b", "cell_type": "code", "source": "x = 1", "metadata": {}},
        {"id": "c", "cell_type": "code", "source": "# the rest\nx", "metadata": {}},
        {"id": "d", "cell_type": "code", "source": "# no\nx", "metadata": {"name": "own"}},
    ]
    assert titles_of(cells) == {"b": "Load", "c": "the rest", "d": "own"}
