"""Template: the tasks of another flow, run in place."""

from __future__ import annotations

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages

GREETING = """
id: greeting
namespace: tests.shared
pluginDefaults: [{type: return, values: {format: default}}]
tasks:
  - {id: greet, type: log, message: "Hello {{ parent.outputs.args['whom'] }}"}
  - {id: maybe, type: fail, condition: "{{ parent.outputs.args['fails'] == 'yes' }}"}
  - {id: last, type: return}
errors:
  - {id: regret, type: log, message: sorry}
"""


def test_the_tasks_of_a_template_run_in_place(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(GREETING)
    execution = run_tasks(
        """
        - id: use
          type: io.kestra.core.tasks.flows.Template
          namespace: tests.shared
          templateId: greeting
          args: {whom: "{{ inputs.name }}", fails: "{{ 'n' ~ 'o' }}"}
        - {id: after, type: return, format: "{{ outputs.last.value }} {{ outputs.use.args.whom }}"}
        """,
        more="inputs: [{id: name, type: STRING, defaults: Ada}]",
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert [run.task_id for run in execution.task_runs] == ["use", "greet", "maybe", "last", "after"]
    assert {run.parent_task_run_id for run in list(execution.task_runs)[1:4]} == {execution.task_runs["use"].id}
    assert execution.task_runs["after"].outputs == {"value": "default Ada"}
    assert messages(execution)[0] == "Hello Ada"


def test_errors_of_a_template_run_when_one_of_its_tasks_fails(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(GREETING)
    execution = run_tasks("""
        - id: use
          type: flow_template
          namespace: tests.shared
          templateId: greeting
          args: {whom: Ada, fails: "yes"}
        - {id: after, type: return, format: never}
    """)
    assert {run.task_id: str(run.state) for run in execution.task_runs} == {
        "use": "FAILED",
        "greet": "SUCCESS",
        "maybe": "FAILED",
        "regret": "SUCCESS",
    }


def test_a_template_that_is_not_there_fails_the_task(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: use, type: flow_template, namespace: tests, templateId: nothing}")
    assert [str(run.state) for run in execution.task_runs] == ["FAILED"]
    [message] = messages(execution)
    assert message.startswith("there is no flow `tests.nothing`")


def test_a_template_that_holds_itself_fails(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: use, type: flow_template, namespace: tests, templateId: flow}")
    assert execution.state == "FAILED"
    assert messages(execution) == ["`use` lies in itself: tests.flow has itself among its tasks"]
