"""Exit ends the execution where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks


@pytest.mark.parametrize("state", ["SUCCESS", "WARNING", "FAILED", "KILLED", "CANCELLED"])
def test_exit_ends_the_execution_in_its_state(run_tasks: RunTasks, state: str) -> None:
    execution = run_tasks(
        f"""
        - id: block
          type: sequential
          tasks:
            - {{id: before, type: log, message: before}}
            - {{id: leave, type: exit, state: {state}}}
            - {{id: inside, type: log, message: inside}}
        - {{id: after, type: log, message: after}}
        """,
        more="""
        errors: [{id: mend, type: log, message: mend}]
        finally: [{id: tidy, type: log, message: tidy}]
        """,
    )
    assert execution.state == state
    states = {run.task_id: str(run.state) for run in execution.task_runs}
    expected = {"block": state, "before": "SUCCESS", "leave": state, "tidy": "SUCCESS"}
    assert states == (expected | {"mend": "SUCCESS"} if state == "FAILED" else expected)
    assert execution.task_runs["leave"].attempts[-1].state == state


def test_exit_stops_what_runs_beside_it(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: both
          type: parallel
          tasks:
            - {id: long, type: sleep, duration: PT60S}
            - {id: leave, type: exit}
    """)
    assert execution.state == "SUCCESS"
    assert {run.task_id: run.state for run in execution.task_runs} == {
        "both": "SUCCESS",
        "long": "KILLED",
        "leave": "SUCCESS",
    }


def test_exit_within_finally_lets_it_go_on(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: work, type: log, message: work}",
        more="finally: [{id: leave, type: exit, state: CANCELED}, {id: tidy, type: log, message: tidy}]",
    )
    assert execution.task_runs["leave"].state == "CANCELLED"


def test_a_rendered_state_and_one_that_is_none(run_tasks: RunTasks) -> None:
    assert run_tasks("- {id: leave, type: exit, state: \"{{ 'WARN' ~ 'ING' }}\"}").state == "WARNING"
    assert run_tasks("- {id: leave, type: exit, state: \"{{ 'NO' }}\"}").state == "FAILED"


def test_an_engine_that_takes_over_knows_that_the_execution_was_to_end(tmp_path: Path) -> None:
    flow = """
id: flow
namespace: tests
tasks:
  - {id: leave, type: exit, state: WARNING}
  - {id: after, type: log, message: after}
finally:
  - {id: wait, type: pause}
"""
    with Engine(tmp_path / "home") as engine:
        engine.deploy(flow)
        begun = engine.run("tests", "flow")
        engine.wait(begun.id, "PAUSED", timeout=30)
    with Engine(tmp_path / "home") as engine:
        engine.resume(begun.id)
        execution = engine.wait(begun.id, timeout=30)
        assert execution.state == "WARNING"
        assert [run.task_id for run in execution.task_runs] == ["leave", "wait"]
