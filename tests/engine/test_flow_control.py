"""How flowable tasks run their children."""

from __future__ import annotations

from itertools import pairwise

from nbflow.engine import Engine
from tests.engine.conftest import RunTasks, messages, states


def test_tasks_run_one_after_another_and_see_earlier_outputs(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: first, type: io.kestra.plugin.core.debug.Return, format: one}
        - {id: second, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.first.value }} and two"}
        - {id: third, type: io.kestra.plugin.core.log.Log, message: "{{ outputs.second.value }}"}
    """)
    assert execution.state == "SUCCESS"
    assert states(execution) == {"first": "SUCCESS", "second": "SUCCESS", "third": "SUCCESS"}
    assert execution.task_runs["second"].outputs == {"value": "one and two"}
    assert messages(execution) == ["one and two"]


def test_what_comes_after_a_failure_does_not_run(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: first, type: io.kestra.plugin.core.execution.Fail}
        - {id: second, type: io.kestra.plugin.core.log.Log, message: never}
    """)
    assert execution.state == "FAILED"
    assert states(execution) == {"first": "FAILED"}


def test_a_disabled_task_leaves_no_task_run(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: first, type: log, message: a, disabled: true}
        - {id: second, type: log, message: b}
    """)
    assert states(execution) == {"second": "SUCCESS"}


def test_run_if_that_is_false_leaves_a_skipped_task_run(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: left, type: log, message: a, runIf: "{{ inputs.wanted == 'b' }}"}
        - {id: right, type: log, message: b, runIf: "{{ inputs.wanted == 'a' }}"}
        """,
        more="inputs:\n  - {id: wanted, type: STRING, defaults: a}",
    )
    assert execution.state == "SUCCESS"
    assert states(execution) == {"left": "SKIPPED", "right": "SUCCESS"}


def test_a_flowable_that_is_skipped_runs_no_children(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: block
          type: io.kestra.plugin.core.flow.Sequential
          runIf: "false"
          tasks:
            - {id: inner, type: log, message: never}
    """)
    assert states(execution) == {"block": "SKIPPED"}


def test_parallel_runs_its_children_at_once(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: block
          type: io.kestra.plugin.core.flow.Parallel
          tasks:
            - {id: a, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.3S}
            - {id: b, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.3S}
    """)
    a, b = execution.task_runs["a"], execution.task_runs["b"]
    assert a.end is not None
    assert b.end is not None
    assert max(a.start, b.start) < min(a.end, b.end)


def test_parallel_finishes_its_other_children_after_a_failure(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: block
          type: io.kestra.plugin.core.flow.Parallel
          tasks:
            - {id: bad, type: io.kestra.plugin.core.execution.Fail}
            - {id: good, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.1S}
    """)
    assert execution.state == "FAILED"
    assert states(execution) == {"block": "FAILED", "bad": "FAILED", "good": "SUCCESS"}


def test_concurrent_bounds_a_parallel(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: block
          type: io.kestra.plugin.core.flow.Parallel
          concurrent: 1
          tasks:
            - {id: a, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.05S}
            - {id: b, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.05S}
    """)
    a, b = execution.task_runs["a"], execution.task_runs["b"]
    assert a.end is not None
    assert a.end <= b.attempts[0].start


def test_concurrent_bounds_the_runs_of_a_task_in_a_loop(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: io.kestra.plugin.core.flow.ForEach
          values: [1, 2, 3]
          concurrencyLimit: 0
          tasks:
            - {id: wait, type: io.kestra.plugin.core.flow.Sleep, duration: PT0.05S, concurrent: 1}
    """)
    runs = sorted((run for run in execution.task_runs if run.task_id == "wait"), key=lambda run: run.attempts[0].start)
    for before, after in pairwise(runs):
        assert before.end is not None
        assert before.end <= after.attempts[0].start


def test_dag_runs_a_task_once_those_it_needs_have_succeeded(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: dag
          type: io.kestra.plugin.core.flow.Dag
          tasks:
            - task: {id: last, type: return, format: "{{ outputs.left.value }}{{ outputs.right.value }}"}
              dependsOn: [left, right]
            - task: {id: left, type: io.kestra.plugin.core.debug.Return, format: l}
            - task: {id: right, type: io.kestra.plugin.core.debug.Return, format: r}
              dependsOn: [left]
    """)
    assert execution.state == "SUCCESS"
    assert execution.task_runs["last"].outputs == {"value": "lr"}


def test_depends_on_at_the_top_level_makes_the_flow_a_dag(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: load, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.extract.value }}!",
           dependsOn: [extract]}
        - {id: extract, type: io.kestra.plugin.core.debug.Return, format: rows}
    """)
    assert execution.state == "SUCCESS"
    assert [run.task_id for run in execution.task_runs] == ["extract", "load"]
    assert execution.task_runs["load"].outputs == {"value": "rows!"}


def test_a_dag_does_not_reach_what_needs_a_failed_task(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: extract, type: io.kestra.plugin.core.execution.Fail}
        - {id: load, type: log, message: never, dependsOn: [extract]}
        - {id: report, type: log, message: never, dependsOn: [load]}
        - {id: other, type: log, message: independent}
    """)
    assert execution.state == "FAILED"
    assert states(execution) == {"extract": "FAILED", "other": "SUCCESS"}


def test_if_takes_the_branch_of_its_condition(run_tasks: RunTasks) -> None:
    tasks = """
        - id: choice
          type: io.kestra.plugin.core.flow.If
          condition: "{{ inputs.n > 1 }}"
          then:
            - {id: many, type: log, message: many}
          else:
            - {id: few, type: log, message: few}
    """
    more = "inputs:\n  - {id: n, type: INT}"
    assert states(run_tasks(tasks, more=more, n=2)) == {"choice": "SUCCESS", "many": "SUCCESS"}
    assert states(run_tasks(tasks, more=more, n=1)) == {"choice": "SUCCESS", "few": "SUCCESS"}


def test_if_without_else_succeeds_when_its_condition_is_false(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: choice
          type: io.kestra.plugin.core.flow.If
          condition: "{{ 0 }}"
          then:
            - {id: never, type: log, message: never}
    """)
    assert states(execution) == {"choice": "SUCCESS"}


def test_switch_without_a_matching_case_fails(run_tasks: RunTasks) -> None:
    tasks = """
        - id: choice
          type: io.kestra.plugin.core.flow.Switch
          value: "{{ inputs.color }}"
          cases:
            red: [{id: red, type: log, message: red}]
            blue: [{id: blue, type: log, message: blue}]
    """
    more = "inputs:\n  - {id: color, type: STRING}"
    assert states(run_tasks(tasks, more=more, color="blue")) == {"choice": "SUCCESS", "blue": "SUCCESS"}
    assert states(run_tasks(tasks, more=more, color="green")) == {"choice": "FAILED"}


def test_for_each_gives_each_round_its_value(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: io.kestra.plugin.core.flow.ForEach
          values: ["a", "b", {"k": 1}]
          tasks:
            - {id: one, type: io.kestra.plugin.core.debug.Return, format: "{{ taskrun.iteration }}:{{ taskrun.value }}"}
            - {id: two, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.one[taskrun.value].value }}!"}
        - {id: after, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.two['b'].value }}"}
    """)
    assert execution.state == "SUCCESS"
    assert [run.value for run in execution.task_runs if run.task_id == "one"] == ["a", "b", '{"k":1}']
    assert [run.outputs["value"] for run in execution.task_runs if run.task_id == "two"] == [
        "0:a!",
        "1:b!",
        '2:{"k":1}!',
    ]
    assert execution.task_runs["after"].outputs == {"value": "1:b!"}


def test_nested_loops_key_outputs_by_all_their_values(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: outer
          type: io.kestra.plugin.core.flow.ForEach
          values: ["x", "y"]
          tasks:
            - id: inner
              type: io.kestra.plugin.core.flow.ForEach
              values: [1, 2]
              tasks:
                - id: cell
                  type: io.kestra.plugin.core.debug.Return
                  format: "{{ parent.taskrun.value }}{{ taskrun.value }}"
        - {id: pick, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.cell['y']['2'].value }}"}
    """)
    assert execution.state == "SUCCESS"
    assert execution.task_runs["pick"].outputs == {"value": "y2"}


def test_children_of_an_if_in_a_loop_read_the_value_of_their_parent(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: io.kestra.plugin.core.flow.ForEach
          values: ["a"]
          tasks:
            - id: choice
              type: io.kestra.plugin.core.flow.If
              condition: "{{ taskrun.value == 'a' }}"
              then:
                - {id: deep, type: io.kestra.plugin.core.debug.Return, format: "{{ parent.taskrun.value }}"}
    """)
    assert execution.task_runs["deep"].outputs == {"value": "a"}
    assert execution.task_runs["deep"].value is None


def test_a_subflow_hands_its_outputs_to_its_caller(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy("""
id: child
namespace: tests
inputs:
  - {id: name, type: STRING}
tasks:
  - {id: greet, type: io.kestra.plugin.core.debug.Return, format: "Hello {{ inputs.name }}"}
outputs:
  - {id: greeting, type: STRING, value: "{{ outputs.greet.value }}"}
""")
    execution = run_tasks("""
        - id: call
          type: io.kestra.plugin.core.flow.Subflow
          namespace: tests
          flowId: child
          inputs: {name: Ada}
        - {id: use, type: io.kestra.plugin.core.debug.Return, format: "{{ outputs.call.outputs.greeting }}!"}
    """)
    assert execution.state == "SUCCESS"
    assert execution.task_runs["use"].outputs == {"value": "Hello Ada!"}
    child = engine.execution(str(execution.task_runs["call"].outputs["executionId"]))
    assert child.parent_id == execution.id
    assert child.labels["system.correlationId"] == execution.id


def test_a_failed_subflow_fails_its_caller(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy("id: child\nnamespace: tests\ntasks:\n  - {id: bad, type: io.kestra.plugin.core.execution.Fail}\n")
    execution = run_tasks("""
        - {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: tests, flowId: child}
    """)
    assert execution.state == "FAILED"
    assert "executionId" in execution.task_runs["call"].outputs
