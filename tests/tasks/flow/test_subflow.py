"""Subflow: what it hands to the flow it runs, and what it takes from it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.testing import FakeClock, eventually
from tests.tasks.conftest import RunTasks, messages

CHILD = """
id: child
namespace: tests
labels: {own: kept}
variables: {greeting: "Hello {{ inputs.name }}"}
inputs: [{id: name, type: STRING, defaults: Ada}, {id: fails, type: BOOLEAN, defaults: false}]
tasks:
  - {id: greet, type: return, format: "{{ render(vars.greeting) }}"}
  - {id: loop, type: foreach, values: [1, 2], tasks: [{id: square, type: return, format: "{{ taskrun.value }}"}]}
  - {id: maybe, type: fail, condition: "{{ inputs.fails }}"}
"""


def child_of(engine: Engine, execution: Execution, task_id: str = "call") -> Execution:
    return engine.execution(str(execution.task_runs[task_id].outputs["executionId"]))


def test_outputs_are_rendered_as_if_within_the_flow(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    execution = run_tasks("""
        - id: call
          type: subflow
          namespace: tests
          flowId: child
          inputs: {name: Grace}
          outputs:
            said: "{{ outputs.greet.value }}"
            two: "{{ outputs.square['2'].value }}"
            whose: "{{ flow.id }} {{ inputs.name }} {{ labels.own }}"
            list: ["{{ outputs.greet.value }}", 1]
        - {id: after, type: return, format: "{{ outputs.call.outputs.said }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["call"].outputs["outputs"] == {
        "said": "Hello Grace",
        "two": "2",
        "whose": "child Grace kept",
        "list": ["Hello Grace", 1],
    }
    assert execution.task_runs["after"].outputs == {"value": "Hello Grace"}


def test_outputs_that_cannot_be_rendered_fail_the_caller_alone(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    execution = run_tasks("""
        - {id: call, type: subflow, namespace: tests, flowId: child, outputs: {said: "{{ outputs.nothing.value }}"}}
    """)
    assert execution.state == "FAILED"
    assert child_of(engine, execution).state == "SUCCESS"
    assert "`outputs` cannot be taken from execution" in messages(execution)[0]


def test_what_is_secret_in_outputs_is_hidden_in_the_log_of_the_caller(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD.replace("inputs: [", "inputs: [{id: key, type: SECRET}, "))
    execution = run_tasks("""
        - {id: call, type: subflow, namespace: tests, flowId: child, inputs: {key: hunter22},
           outputs: {key: "{{ inputs.key }}"}}
        - {id: show, type: log, message: "it is {{ outputs.call.outputs.key }}"}
    """)
    assert messages(execution) == ["it is ********"]


def test_outputs_that_the_flow_declares_come_first(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD + 'outputs: [{id: declared, type: STRING, value: "{{ outputs.greet.value }}"}]\n')
    execution = run_tasks("""
        - {id: call, type: subflow, namespace: tests, flowId: child, outputs: {said: "{{ outputs.greet.value }}"}}
    """)
    assert execution.task_runs["call"].outputs["outputs"] == {"declared": "Hello Ada"}


def test_a_flow_that_is_not_waited_for_only_starts(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    execution = run_tasks("""
        - {id: call, type: subflow, namespace: tests, flowId: child, wait: false, inputs: {fails: true}}
    """)
    assert execution.state == "SUCCESS"
    assert list(execution.task_runs["call"].outputs) == ["executionId"]
    assert child_of(engine, execution).wait(20).state == "FAILED"


def test_a_warning_is_handed_on(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD.replace("condition:", "allowFailure: true, condition:"))
    call = "{id: call, type: subflow, namespace: tests, flowId: child, inputs: {fails: true}"
    assert run_tasks(f"- {call}}}").state == "WARNING"
    assert run_tasks(f"- {call}, transmitFailed: false}}").state == "SUCCESS"


def test_a_revision_may_be_named_by_an_expression(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    engine.deploy(CHILD.replace("Hello", "Good day"))
    execution = run_tasks("""
        - {id: old, type: subflow, namespace: tests, flowId: child, revision: "{{ 0 + 1 }}",
           outputs: {said: "{{ outputs.greet.value }}"}}
        - {id: new, type: subflow, namespace: tests, flowId: child, outputs: {said: "{{ outputs.greet.value }}"}}
    """)
    assert execution.task_runs["old"].outputs["outputs"] == {"said": "Hello Ada"}
    assert execution.task_runs["new"].outputs["outputs"] == {"said": "Good day Ada"}


def test_labels_come_from_the_flow_the_caller_and_the_task(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    execution = run_tasks(
        """
        - {id: add, type: labels, labels: {added: late}}
        - id: call
          type: subflow
          namespace: tests
          flowId: child
          inheritLabels: "{{ 1 == 1 }}"
          labels: {team: "{{ flow.id }}", empty: null}
        - {id: alone, type: subflow, namespace: tests, flowId: child}
        """,
        more="labels: {a.b: c, team: none}",
    )
    assert execution.state == "SUCCESS", messages(execution)
    correlation = {"system.correlationId": execution.id}
    assert child_of(engine, execution).labels == {
        "own": "kept",
        "a.b": "c",
        "added": "late",
        "team": "flow",
        "empty": "",
        **correlation,
    }
    assert child_of(engine, execution, "alone").labels == {"own": "kept", **correlation}


def test_the_correlation_id_runs_through_all_flows(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    engine.deploy("""
id: middle
namespace: tests
tasks: [{id: call, type: subflow, namespace: tests, flowId: child}]
""")
    execution = run_tasks("- {id: call, type: subflow, namespace: tests, flowId: middle}")
    innermost = child_of(engine, child_of(engine, execution))
    assert innermost.labels["system.correlationId"] == execution.id


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("labels: {system.username: me}", "the label `system.username` cannot be set: `system.*` belongs to nbflow"),
        ("labels: [{key: system.correlationId, value: x}]", "the label `system.correlationId` cannot be set"),
        ("revision: 9", "the flow tests.child has no revision 9"),
        ("revision: '{{ flow.id }}'", "`revision`"),
        ("inputs: {fails: perhaps}", "the inputs of tests.child are not valid"),
    ],
)
def test_what_cannot_be_called_fails(engine: Engine, run_tasks: RunTasks, properties: str, message: str) -> None:
    engine.deploy(CHILD)
    execution = run_tasks(f"- {{id: call, type: subflow, namespace: tests, flowId: child, {properties}}}")
    assert execution.state == "FAILED"
    assert message in messages(execution)[0]
    assert engine.executions("tests", "child") == []


@pytest.mark.parametrize("date", ["2024-01-01T02:00:00Z", "2024-01-01T04:00:00+02:00", "2024-01-01T02:00:00"])
def test_a_schedule_date_is_waited_for(tmp_path: Path, date: str) -> None:
    clock = FakeClock()
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(CHILD)
        engine.deploy(f"""
id: flow
namespace: tests
tasks: [{{id: call, type: subflow, namespace: tests, flowId: child, scheduleDate: {date}}}]
""")
        execution = engine.run("tests", "flow")
        eventually(lambda: clock.sleepers)
        assert engine.executions("tests", "child") == []
        clock.advance(timedelta(hours=2))
        assert execution.wait(20).state == "SUCCESS"
        assert child_of(engine, execution).start == clock.now()


def test_a_kill_ends_the_flow_that_is_waited_for(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy("id: child\nnamespace: tests\ntasks: [{id: long, type: sleep, duration: PT1H}]\n")
    execution = run_tasks("- {id: call, type: subflow, namespace: tests, flowId: child}", wait=False)
    eventually(lambda: engine.executions("tests", "child", state="RUNNING"))
    execution.kill().wait(20)
    assert engine.executions("tests", "child")[0].wait(20).state == "KILLED"


def test_a_flow_that_is_killed_kills_the_task_that_waits_for_it(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy("id: slow\nnamespace: tests\ntasks: [{id: sleep, type: sleep, duration: PT20S}]")
    execution = run_tasks(
        "- {id: call, type: subflow, namespace: tests, flowId: slow}\n- {id: after, type: log, message: never}",
        more="errors: [{id: wrong, type: log, message: never}]\nfinally: [{id: last, type: log, message: in any case}]",
        wait=False,
    )
    eventually(lambda: [each.state for each in engine.executions("tests", "slow")] == ["RUNNING"])
    [child] = engine.executions("tests", "slow")
    engine.kill(child.id)
    execution.wait(10)
    assert execution.state == "KILLED"
    assert {run.task_id: str(run.state) for run in execution.task_runs} == {"call": "KILLED", "last": "SUCCESS"}
    assert messages(execution) == [f"the subflow tests.slow ended in KILLED: execution {child.id}", "in any case"]


@pytest.mark.parametrize("behavior", ["RETRY_FAILED", "NEW_EXECUTION"])
def test_a_restart_goes_on_with_the_flow_that_failed_or_starts_a_new_one(
    engine: Engine, run_tasks: RunTasks, behavior: str
) -> None:
    engine.deploy("""
id: child
namespace: tests
tasks:
  - {id: before, type: return, format: done}
  - {id: maybe, type: fail, condition: "{{ kv('mended', errorOnMissing=false) == null }}"}
""")
    execution = run_tasks(
        f"- {{id: call, type: subflow, namespace: tests, flowId: child, restartBehavior: {behavior}}}"
    )
    assert execution.state == "FAILED"
    first = child_of(engine, execution)
    for _ in range(2):
        engine.restart(execution.id).wait(10)
    engine.deploy("id: mend\nnamespace: tests\ntasks: [{id: set, type: kv_set, key: mended, value: x}]")
    engine.run("tests", "mend", wait=True)
    again = engine.restart(execution.id).wait(10)
    assert again.state == "SUCCESS", messages(again)
    last = child_of(engine, again)
    assert (last.id == first.id) == (behavior == "RETRY_FAILED")
    assert len(last.task_runs["before"].attempts) == 1
    assert len(engine.executions("tests", "child")) == (1 if behavior == "RETRY_FAILED" else 4)
