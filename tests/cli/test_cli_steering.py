"""Moving executions on from the command line."""

from __future__ import annotations

from pathlib import Path

from nbflow.engine import Engine
from tests.cli.cli_calls import Nbflow

FLOW = """id: f
namespace: n
inputs: [{id: file, type: STRING}]
tasks:
  - {id: a, type: return, format: x}
  - {id: b, type: io.kestra.plugin.scripts.shell.Commands, commands: ["test -e {{ inputs.file }}"]}
"""
PAUSED = """id: p
namespace: n
tasks:
  - {id: ask, type: pause, onResume: [{id: x, type: INT}]}
  - {id: say, type: log, message: "got {{ outputs.ask.onResume.x }}"}
"""


def last(nbflow: Nbflow) -> str:
    return str(nbflow("executions", "list", "--limit", "1", "-o", "json").json[0]["id"])


def test_a_failed_execution_is_restarted_and_replayed(nbflow: Nbflow, tmp_path: Path) -> None:
    flow, flag = tmp_path / "f.yaml", tmp_path / "flag"
    flow.write_text(FLOW)
    assert nbflow("run", str(flow), f"file={flag}").status == 1
    execution = last(nbflow)
    assert nbflow("executions", "restart", execution).status == 1
    flag.touch()
    again = nbflow("executions", "restart", "--id", execution)
    assert (again.status, "SUCCESS" in again.out) == (0, True)
    refused = nbflow("executions", "restart", execution)
    assert (refused.status, "nothing of it failed" in refused.err) == (2, True)
    replayed = nbflow("executions", "replay", execution, "--task", "b", "-o", "json")
    assert replayed.status == 0
    assert replayed.json["originalId"] == execution
    assert nbflow("executions", "replay", execution, "file=/nowhere").status == 1


def test_a_state_is_set_and_an_execution_deleted(nbflow: Nbflow, tmp_path: Path) -> None:
    flow = tmp_path / "f.yaml"
    flow.write_text(FLOW)
    nbflow("run", str(flow), "file=/nowhere")
    execution = last(nbflow)
    runs = nbflow("executions", "get", execution, "-o", "json").json["taskRunList"]
    failed = next(run["id"] for run in runs if run["taskId"] == "b")
    assert nbflow("executions", "set-state", execution, failed, "success").status == 0
    assert nbflow("executions", "delete", execution).out == f"{execution} deleted\n"
    assert nbflow("executions", "get", execution).status == 2


def test_a_paused_execution_that_nobody_owns_is_resumed_here(nbflow: Nbflow, home: Path) -> None:
    with Engine(home) as engine:
        engine.deploy(PAUSED)
        execution = engine.run("n", "p").id
        engine.wait(execution, "PAUSED", timeout=20)
    wrong = nbflow("executions", "resume", execution, "x=many")
    assert (wrong.status, "must be a whole number" in wrong.err) == (2, True)
    done = nbflow("executions", "resume", execution, "x=7")
    assert (done.status, "got 7" in done.out) == (0, True)
    assert nbflow("executions", "pause", execution).status == 2
    assert nbflow("executions", "force-run", execution).status == 2
