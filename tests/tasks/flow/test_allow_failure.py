"""AllowFailure: a failure inside becomes a WARNING of it and of all around it."""

from __future__ import annotations

import pytest

from nbflow.engine import Execution
from tests.tasks.conftest import RunTasks


def shown(execution: Execution) -> dict[str, str]:
    return {run.task_id: str(run.state) for run in execution.task_runs}


def test_it_and_its_parents_become_warning_and_what_is_inside_stays_failed(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: around
          type: io.kestra.plugin.core.flow.Sequential
          tasks:
            - id: try
              type: io.kestra.core.tasks.flows.AllowFailure
              tasks:
                - id: block
                  type: parallel
                  tasks: [{id: bad, type: fail}, {id: good, type: log, message: x}]
                - {id: never, type: log, message: never}
              errors: [{id: note, type: log, message: noted}]
              finally: [{id: last, type: log, message: last}]
            - {id: next, type: log, message: on}
    """)
    assert execution.state == "WARNING"
    assert shown(execution) == {
        "around": "WARNING",
        "try": "WARNING",
        "block": "FAILED",
        "bad": "FAILED",
        "good": "SUCCESS",
        "note": "SUCCESS",
        "last": "SUCCESS",
        "next": "SUCCESS",
    }


@pytest.mark.parametrize(
    ("child", "state"),
    [
        ("{id: child, type: log, message: x}", "SUCCESS"),
        ("{id: child, type: fail, allowFailure: true}", "WARNING"),
        ("{id: child, type: log, message: x, runIf: 'false'}", "SUCCESS"),
    ],
)
def test_without_a_failure_it_ends_as_its_tasks_do(run_tasks: RunTasks, child: str, state: str) -> None:
    execution = run_tasks(f"""
        - id: try
          type: allow_failure
          tasks: [{child}]
          errors: [{{id: note, type: log, message: never}}]
    """)
    assert execution.state == state
    assert "note" not in shown(execution)
