"""The task that is made from a text."""

from __future__ import annotations

import pytest

from tests.tasks.conftest import RunTasks, messages


def test_a_task_is_made_from_a_text(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: made
          type: io.kestra.plugin.core.templating.TemplatedTask
          spec: |
            type: io.kestra.plugin.core.debug.{{ vars.what }}
            {{ vars.property }}: "{{ '{{ 1 + 1 }}' }} of {{ flow.id }}"
        - {id: use, type: return, format: "{{ outputs.made.value }}"}
        """,
        more="variables: {what: Return, property: format}",
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["use"].outputs == {"value": "2 of flow"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("type: nothing", "there is no task type `nothing`"),
        ("format: x", "needs a `type`"),
        ("type: return, x: [", "`spec` "),
        ("text", "`spec` is no task"),
        ("{type: return, formt: x}", "formt"),
        ("{type: templated_task, spec: x}", "`spec` is a TemplatedTask"),
        ("{type: sequential, tasks: [{id: a, type: return}]}", "`spec` is a Sequential"),
    ],
)
def test_what_is_no_task_is_said(run_tasks: RunTasks, spec: str, message: str) -> None:
    execution = run_tasks(f'- {{id: made, type: templated_task, spec: "{spec}"}}')
    assert execution.state == "FAILED"
    assert any(message in line for line in messages(execution)), messages(execution)
