"""`conditions` on tasks, as older flows write them."""

from __future__ import annotations

import pytest

from tests.tasks.conftest import RunTasks

CORE = "io.kestra.plugin.core"


@pytest.mark.parametrize(("least", "state"), [(8, "SUCCESS"), (24, "SKIPPED")])
@pytest.mark.parametrize(
    "printed", ["outputs['check-condition']", "outputs['check-condition'].value", "outputs.check-condition"]
)
def test_a_task_runs_when_an_expression_task_said_yes(
    run_tasks: RunTasks, least: int, state: str, printed: str
) -> None:
    execution = run_tasks(f"""
        - id: check-condition
          type: {CORE}.condition.Expression
          expression: "{{{{ 12 > {least} }}}}"
        - id: day-task
          type: {CORE}.log.Log
          message: Running during day hours
          conditions:
            - {{type: {CORE}.condition.Expression, expression: "{{{{ {printed} }}}}"}}
    """)
    assert str(execution.task_runs["day-task"].state) == state


def test_a_status_condition_looks_at_the_execution_so_far(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: only_when_failed
          type: io.kestra.core.tasks.scripts.Shell
          commands: [echo never]
          conditions: [{type: io.kestra.core.models.conditions.ExecutionStatusCondition, in: [FAILED]}]
        - id: while_running
          type: log
          message: here
          conditions: [{type: io.kestra.core.models.conditions.ExecutionStatusCondition, notIn: [FAILED]}]
    """)
    assert {run.task_id: str(run.state) for run in execution.task_runs} == {
        "only_when_failed": "SKIPPED",
        "while_running": "SUCCESS",
    }


def test_an_execution_without_a_failure_counts_as_a_success_so_far(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: first, type: log, message: fine}
        - id: task_with_condition
          type: io.kestra.core.tasks.scripts.Shell
          commands: [echo runs]
          conditions: [{type: io.kestra.core.models.conditions.ExecutionStatusCondition, in: [SUCCESS, WARNING]}]
    """)
    assert str(execution.task_runs["task_with_condition"].state) == "SUCCESS"
