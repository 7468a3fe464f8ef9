"""The kernel of a notebook that failed is kept, opened, and resumed; and what was done is said."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.errors import ConflictError, NotFoundError
from nbflow.tasks.notebooks.parking import Parked, ask_to_resume, attach, end_parked, find_parked, parked_kernels
from nbflow.testing import eventually

CELLS = "# %%\nx = 40\nprint('slow')\n# %%\nopen('made.txt', 'w').write('1')\n# %%\nprint(x + y)\n# %%\nprint('end', x)"
FLOW = """
id: kept
namespace: demo
tasks:
  - id: report
    type: notebook
    inputFiles: {{report.py: {cells}}}
    path: report.py
    onFailure: keepKernel
    keepFor: {keep_for}
    outputFiles: ["*.txt"]
  - {{id: after, type: log, message: done}}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home") as engine:
        yield engine


def failed(engine: Engine, keep_for: str = "PT1M") -> tuple[Execution, Parked]:
    """A notebook that has failed in its third cell, and its kernel."""
    engine.deploy(FLOW.format(cells=json.dumps(CELLS), keep_for=keep_for))
    execution = engine.run("demo", "kept", wait=True, timeout=60)
    assert execution.state == "FAILED"
    [record] = parked_kernels(engine.settings.home)
    assert execution.task_runs["report"].outputs["kernel"] == record.id
    return execution, record


def messages(execution: Execution) -> list[str]:
    return [entry.message for entry in execution.logs()]


def resume(engine: Engine, record: Parked) -> Execution:
    engine.restart(record.execution_id)
    return engine.wait(record.execution_id, timeout=60)


def edit(record: Parked, number: int, source: str) -> None:
    """Edit a cell of the copy that lies beside the kernel, as in Jupyter."""
    notebook = json.loads(record.notebook.read_text())
    notebook["cells"][number - 1]["source"] = source
    record.notebook.write_text(json.dumps(notebook))


def test_a_kept_kernel_can_be_attached_to(engine: Engine) -> None:
    _, record = failed(engine)
    assert attach(engine.settings.home, record.id).command == f"jupyter console --existing {record.connection_file}"
    from jupyter_client.blocking.client import BlockingKernelClient

    client = BlockingKernelClient(connection_file=record.connection_file)
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=10)
        reply = client.execute_interactive("assert x == 40; import os; assert os.path.isfile('made.txt')", timeout=10)
    finally:
        client.stop_channels()
    assert reply["content"]["status"] == "ok"


def test_an_edited_cell_is_run_in_the_kept_kernel_and_the_flow_goes_on(engine: Engine) -> None:
    _, record = failed(engine)
    edit(record, 3, "print(x + 2)")
    ask_to_resume(engine.settings.home, record.id)
    execution = resume(engine, record)
    assert execution.state == "SUCCESS"
    said = messages(execution)
    assert f"goes on in the kept kernel `{record.id}` from cell 3 of 4 (edited); cells 1 to 2 are not run again" in said
    assert {"42", "end 40", "done"} <= set(said)
    assert said.count("slow") == 1
    outputs = execution.task_runs["report"].outputs
    assert list(outputs["outputFiles"]) == ["made.txt"]  # type: ignore[arg-type]
    saved = json.loads(engine.read_file(str(outputs["notebook"])))
    assert [
        cell["outputs"][0]["text"] for cell in saved["cells"] if cell["outputs"] and "text" in cell["outputs"][0]
    ] == [
        "slow\n",
        "42\n",
        "end 40\n",
    ]
    assert parked_kernels(engine.settings.home) == []
    assert not record.is_alive


def test_resuming_from_an_earlier_cell_runs_it_again(engine: Engine) -> None:
    _, record = failed(engine)
    edit(record, 3, "print(x)")
    ask_to_resume(engine.settings.home, record.id, from_cell=1)
    said = messages(resume(engine, record))
    assert f"goes on in the kept kernel `{record.id}` from cell 1 of 4" in said
    assert said.count("slow") == 2


def test_a_cell_that_was_edited_but_is_not_run_is_told(engine: Engine) -> None:
    _, record = failed(engine)
    edit(record, 1, "x = 1")
    ask_to_resume(engine.settings.home, record.id, from_cell=4)
    execution = resume(engine, record)
    assert execution.state == "SUCCESS"
    said = messages(execution)
    assert "edited, but not run again: cell 1; the kernel holds what it did before" in said
    assert "cell 3, which failed, is left out" in said
    assert "end 40" in said


def test_a_notebook_that_fails_again_keeps_the_same_kernel(engine: Engine) -> None:
    _, record = failed(engine)
    ask_to_resume(engine.settings.home, record.id)
    assert resume(engine, record).state == "FAILED"
    [again] = parked_kernels(engine.settings.home)
    assert (again.id, again.pid, again.is_alive) == (record.id, record.pid, True)


def test_without_the_kernel_all_is_run_again_and_told(engine: Engine) -> None:
    _, record = failed(engine)
    edit(record, 3, "print(x + 2)")
    os.kill(record.pid, signal.SIGKILL)
    eventually(lambda: not record.is_alive)
    with pytest.raises(ConflictError, match="has ended"):
        attach(engine.settings.home, record.id)
    ask_to_resume(engine.settings.home, record.id)
    execution = resume(engine, record)
    assert execution.state == "SUCCESS"
    said = messages(execution)
    assert any(text.startswith(f"the kept kernel `{record.id}` is gone") for text in said)
    assert any(text.endswith("all 4 cells are run again, in a new kernel") for text in said)
    assert said.count("slow") == 2


def test_a_plain_restart_runs_all_again(engine: Engine) -> None:
    _, record = failed(engine)
    said = messages(resume(engine, record))
    assert said.count("slow") == 2


def test_a_kept_kernel_ends_when_its_time_is_up(engine: Engine) -> None:
    _, record = failed(engine, keep_for="PT0.3S")
    eventually(lambda: not record.is_alive)
    eventually(lambda: not Path(record.connection_file).exists())


def test_a_kept_kernel_can_be_ended(engine: Engine) -> None:
    _, record = failed(engine)
    end_parked(engine.settings.home, record.id)
    eventually(lambda: not record.is_alive)
    with pytest.raises(NotFoundError, match="there is no kept kernel"):
        find_parked(engine.settings.home, record.id)


def test_another_engine_of_the_home_can_resume_it(engine: Engine) -> None:
    _, record = failed(engine)
    edit(record, 3, "print(x + 2)")
    with Engine(engine.settings.home) as other:
        ask_to_resume(other.settings.home, record.id)
        execution = resume(other, record)
    assert execution.state == "SUCCESS"
    assert f"goes on in the kept kernel `{record.id}`" in "".join(messages(execution))
    eventually(lambda: not Path(record.connection_file).exists())
