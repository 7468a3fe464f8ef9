"""The notebook task: what it runs, what it puts out, and how it ends."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from nbflow.model.state import State
from nbflow.testing import TaskResult, run_task


def run(cells: str, *, secrets: dict[str, str] | None = None, **properties: Any) -> TaskResult:
    """Run cells, given in the percent format."""
    task = {"type": "notebook", "path": "report.py", "inputFiles": {"report.py": cells}, **properties}
    return run_task(task, secrets=secrets)


def saved(result: TaskResult) -> dict[str, Any]:
    """The notebook as it was stored."""
    return json.loads(result.files[str(result.outputs["notebook"])])


def outputs_of(result: TaskResult) -> list[dict[str, Any]]:
    return [output for cell in saved(result)["cells"] for output in cell.get("outputs", [])]


def test_each_cell_is_a_task_run_with_its_log_and_memory() -> None:
    result = run("# %% Load\nprint('one')\n# %%\nprint('two')\n41 + 1")
    assert result.state is State.SUCCESS
    first, second = result.task_runs[1:]
    assert (first.task_id, first.state, first.outputs["title"]) == ("cell 1", State.SUCCESS, "Load")
    assert first.outputs["memory"] > 10_000_000
    assert [entry.message for entry in result.logs if entry.task_run_id == second.id] == ["two", "42"]
    assert [message for message in result.messages if message.startswith("cell ")] == ["cell 1/2", "cell 2/2"]


def test_values_come_from_nbflow_kestra_and_scrapbook() -> None:
    glue = "display({'application/scrapbook.scrap.json+json': {'name': 'c', 'data': [3], 'encoder': 'json'}}, raw=True)"
    cells = f"import nbflow\nnbflow.outputs({{'a': 1}})\nfrom kestra import Kestra\nKestra.outputs({{'b': 2}})\n{glue}"
    assert run(cells).outputs["vars"] == {"a": 1, "b": 2, "c": [3]}


def test_parameters_are_read_as_the_types_that_the_notebook_declares() -> None:
    cells = '# %% tags=["parameters"]\nimport datetime\nn: int = 1\nday: datetime.date = None\nunused = 5\n'
    cells += "# %%\nprint(n + 1, day.year, unused)"
    result = run(cells, parameters={"n": "41", "day": "2026-11-21"})
    assert "42 2026 5" in result.messages


def test_parameters_that_do_not_fit_are_told_at_once() -> None:
    cells = '# %% tags=["parameters"]\nrows: int = 1\nname: str\n# %%\nprint(rows)'
    result = run(cells, parameters={"row": 2, "rows": "many"})
    assert result.state is State.FAILED
    assert result.messages[-1].startswith(
        "the parameters do not fit the notebook: the notebook has no parameter `row`: did you mean `rows`?; "
        "`rows` must be an integer, got 'many'; `name` is required, and no value is given"
    )


def test_a_failure_shows_the_cell_and_its_traceback_and_saves_the_notebook() -> None:
    result = run("# %%\nx = 1\n# %%\n# half\nx / 0\n# %%\nprint('never')")
    assert result.state is State.FAILED
    assert result.outputs["failedCell"] == 2
    error = result.messages[-1]
    assert error.startswith("cell 2 failed: ZeroDivisionError: division by zero\n   1 | # half\n   2 | x / 0\n")
    assert "----> 2 x / 0" in error
    assert "\x1b" not in error
    assert [output["output_type"] for output in outputs_of(result)] == ["error"]
    assert [run.state for run in result.task_runs] == [State.FAILED, State.SUCCESS, State.FAILED]


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV")])
def test_a_kernel_that_dies_is_a_failure_with_its_last_output(number: int, name: str) -> None:
    result = run(
        f"import os\nprint('so far', flush=True)\nimport time; time.sleep(0.3)\nos.kill(os.getpid(), {number})"
    )
    assert result.state is State.FAILED
    assert f"the kernel died by {name}" in result.messages[-1]
    assert "MiB\nlast output: so far" in result.messages[-1]
    assert outputs_of(result)[0]["text"] == "so far\n"


@pytest.mark.parametrize("state", ["SUCCESS", "SKIPPED", "WARNING"])
def test_stop_ends_a_notebook_early_without_a_traceback(state: str) -> None:
    result = run(
        f"import nbflow\ntry:\n    nbflow.stop('no data', state='{state}')\nexcept Exception:\n    pass\n# %%\n1 / 0"
    )
    assert result.state == state
    assert result.outputs["stopped"] == "stopped: no data"
    assert [output["output_type"] for output in outputs_of(result)] == ["display_data"]
    assert not [entry for entry in result.logs if entry.level == "ERROR"]


def test_a_cell_that_takes_too_long_is_interrupted() -> None:
    result = run("import time\ntime.sleep(60)", cellTimeout="PT0.5S")
    assert result.state is State.FAILED
    assert result.messages[-1] == "cell 1 was interrupted: it took longer than its `cellTimeout` of PT0.5S"
    assert outputs_of(result)[-1]["ename"] == "KeyboardInterrupt"


def test_a_timeout_of_the_task_keeps_the_notebook_as_far_as_it_came() -> None:
    result = run("# %%\nprint('done')\n# %%\nimport time; time.sleep(60)", timeout="PT2S")
    assert result.state is State.FAILED
    assert [run.state for run in result.task_runs] == [State.FAILED, State.SUCCESS, State.KILLED]
    [content] = result.files.values()
    assert "done" in content.decode()


def test_outputs_beyond_the_budget_are_cut_and_told() -> None:
    result = run("print('x' * 1_000_000)\ndisplay({'text/html': 'y' * 1_000_000}, raw=True)", outputSize="100KB")
    assert result.state is State.SUCCESS
    assert len(json.dumps(saved(result))) < 110_000
    assert any("characters of output are left out" in message for message in result.messages)


def test_images_are_kept_and_display_updates_too() -> None:
    cells = "h = display({'text/plain': 'a'}, raw=True, display_id='d');\n# %%\n"
    cells += "display({'image/png': 'AAAA', 'text/plain': 'pic'}, raw=True)\n"
    cells += "display({'text/plain': 'b'}, raw=True, display_id='d', update=True);"
    data = [output["data"] for output in outputs_of(run(cells))]
    assert data == [{"text/plain": "b"}, {"image/png": "AAAA", "text/plain": "pic"}]


def test_env_and_files_reach_the_notebook_and_files_come_back() -> None:
    cells = "import os\nopen('out.txt', 'w').write(open('in.txt').read() + os.environ['WHO'])"
    files = {"report.py": cells, "in.txt": "hello "}
    result = run("", inputFiles=files, env={"WHO": "Ada"}, outputFiles=["*.txt"])
    stored = result.outputs["outputFiles"]
    assert result.files[stored["out.txt"]] == b"hello Ada"  # type: ignore[index,call-overload]


def test_html_is_stored_by_request() -> None:
    result = run("print('seen')", html=True)
    assert b"seen" in result.files[str(result.outputs["html"])]


def test_cells_may_be_tagged_to_be_skipped_or_to_raise() -> None:
    result = run("# %% tags=['skip-execution']\n1 / 0\n# %% tags=['raises-exception']\n1 / 0\n# %%\nprint('on')")
    assert result.state is State.SUCCESS
    assert "on" in result.messages


def test_a_notebook_that_is_not_there_is_told_with_the_nearest_name() -> None:
    result = run_task(
        {"type": "notebook", "path": "reprot.ipynb"}, namespace_files={"report.ipynb": '{"cells": [], "nbformat": 4}'}
    )
    assert result.messages[-1].startswith("there is no notebook `reprot.ipynb`; did you mean `report.ipynb`?")


def test_a_kernel_that_is_not_installed_is_told() -> None:
    result = run("1", kernelName="python33")
    assert "no kernel is installed as `python33`" in result.messages[-1]


def test_no_kernel_is_left_behind() -> None:
    result = run("import os\nprint(os.getpid())")
    with pytest.raises(ProcessLookupError):
        os.kill(int(result.messages[-1]), 0)
