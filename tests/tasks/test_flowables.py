"""Flowables: what their own code decides. How the engine runs children is tested with the engine."""

from __future__ import annotations

import pytest

from nbflow.engine import Engine
from nbflow.errors import TaskFailedError
from nbflow.model.dag import find_cycle
from nbflow.plugins import Order
from nbflow.tasks.debug import Return
from nbflow.tasks.flow.dag import Dag, DagTask
from nbflow.tasks.flow.if_ import If
from nbflow.tasks.flow.parallel import Parallel
from nbflow.tasks.flow.switch import Switch
from nbflow.tasks.flow.values import items_of, text_of
from tests.tasks.conftest import RunTasks, messages


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (1, "1"), (1.5, "1.5"), (True, "true"), (None, ""), ({"k": [1, "ü"]}, '{"k":[1,"ü"]}'), ([], "[]")],
)
def test_values_become_text(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("values", "items"),
    [
        (["a", 1, {"b": 2}], ["a", "1", '{"b":2}']),
        ('["a", 1]', ["a", "1"]),
        ({"a": 1, "b": "x"}, ['{"key":"a","value":1}', '{"key":"b","value":"x"}']),
        ('{"a": 1}', ['{"key":"a","value":1}']),
        ([], []),
    ],
)
def test_items_come_from_lists_maps_and_json(values: object, items: list[str]) -> None:
    assert items_of(values, "values") == items


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("a, b", r"^`values` must be a list, a map or JSON text of one, got a, b"),
        (3, r"got 3"),
        (None, r"got nothing"),
        (["a", None], r"^`values\[1\]` is null"),
    ],
)
def test_other_values_are_refused(values: object, message: str) -> None:
    with pytest.raises(TaskFailedError, match=message):
        items_of(values, "values")


@pytest.mark.parametrize(
    ("needs", "cycle"),
    [
        ({}, None),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, None),
        ({"a": ["unknown"]}, None),
        ({"a": ["a"]}, ["a", "a"]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, ["b", "c", "b"]),
        ({"x": [], "a": ["x", "b"], "b": ["a"]}, ["a", "b", "a"]),
    ],
)
def test_cycles_are_found(needs: dict[str, list[str]], cycle: list[str] | None) -> None:
    assert find_cycle(needs) == cycle


def test_a_long_chain_is_no_trouble_for_the_check() -> None:
    assert find_cycle({str(n): [str(n + 1)] for n in range(50_000)}) is None


def task(name: str) -> Return:
    return Return(id=name, type="return")


def test_branches_are_labelled_for_pictures() -> None:
    choice = If(id="if", condition="x", then=[task("a")], else_=[task("b")])
    assert [(b.label, [t.id for t in b.tasks]) for b in choice.branches()] == [("then", ["a"]), ("else", ["b"])]
    switch = Switch(id="s", value="x", cases={"red": [task("a")]}, defaults=[task("b")])
    assert [(b.label, [t.id for t in b.tasks]) for b in switch.branches()] == [("red", ["a"]), ("defaults", ["b"])]
    assert Parallel(id="p", tasks=[task("a")]).branches()[0].order is Order.PARALLEL
    dag = Dag(id="d", tasks=[DagTask(task=task("a")), DagTask(task=task("b"), depends_on=["a"])])
    assert dag.branches()[0].needs == {"a": [], "b": ["a"]}
    assert [child.id for child in dag.children()] == ["a", "b"]


def test_switch_decides_by_text_whatever_the_type(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: choice
          type: switch
          value: "{{ 1 == 1 }}"
          cases:
            "true": [{id: right, type: return, format: y}]
          defaults: [{id: wrong, type: return, format: n}]
    """)
    assert [run.task_id for run in execution.task_runs] == ["choice", "right"]
    assert execution.task_runs["choice"].outputs == {"value": "true", "defaults": False}


def test_switch_runs_its_defaults_for_other_values(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: choice, type: switch, value: x, cases: {}, defaults: [{id: other, type: return, format: o}]}
    """)
    assert execution.task_runs["choice"].outputs == {"value": "x", "defaults": True}


def test_a_loop_one_after_another_ends_with_the_round_that_fails(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: foreach
          values: [1, 2, 3]
          tasks:
            - {id: bad, type: fail, condition: "{{ taskrun.value == '2' }}"}
    """)
    assert execution.state == "FAILED"
    assert [(run.value, str(run.state)) for run in execution.task_runs if run.task_id == "bad"] == [
        ("1", "SUCCESS"),
        ("2", "FAILED"),
    ]


def test_a_loop_at_once_runs_all_rounds(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: foreach
          concurrencyLimit: 2
          values: "{{ inputs.map }}"
          tasks:
            - {id: one, type: return, format: "{{ fromJson(taskrun.value).key }}"}
    """, more="""inputs: [{id: map, type: JSON, defaults: '{"a": 1, "b": 2, "c": 3}'}]""")  # fmt: skip
    assert execution.state == "SUCCESS"
    values = [run.outputs["value"] for run in execution.task_runs if run.task_id == "one"]
    assert sorted(map(str, values)) == ["a", "b", "c"]


@pytest.mark.parametrize("kind", ["EachSequential", "EachParallel"])
def test_the_older_loops_run_each_value(run_tasks: RunTasks, kind: str) -> None:
    execution = run_tasks(f"""
        - id: loop
          type: io.kestra.core.tasks.flows.{kind}
          value: '["a", "b"]'
          tasks:
            - {{id: one, type: return, format: "1{{{{ taskrun.value }}}}"}}
            - {{id: two, type: return, format: "2{{{{ taskrun.value }}}}"}}
    """)
    values = [str(run.outputs["value"]) for run in execution.task_runs if run.task_id != "loop"]
    assert sorted(values) == ["1a", "1b", "2a", "2b"]


def test_allow_failure_ends_in_warning_and_runs_its_errors(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: try
          type: allow_failure
          tasks: [{id: bad, type: fail}]
          errors: [{id: note, type: log, message: noted}]
        - {id: after, type: log, message: on}
    """)
    assert execution.state == "WARNING"
    assert {run.task_id: str(run.state) for run in execution.task_runs} == {
        "try": "WARNING",
        "bad": "FAILED",
        "note": "SUCCESS",
        "after": "SUCCESS",
    }


CHILD = """
id: child
namespace: tests
inputs: [{id: code, type: INT, defaults: 0}]
tasks: [{id: maybe, type: fail, condition: "{{ inputs.code > 0 }}"}]
"""


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ("inputs: {code: 1}", "FAILED"),
        ("inputs: {code: 1}, transmitFailed: false", "SUCCESS"),
        ("inputs: {}", "SUCCESS"),
    ],
)
def test_a_subflow_hands_its_failure_on_unless_told_otherwise(
    engine: Engine, run_tasks: RunTasks, properties: str, state: str
) -> None:
    engine.deploy(CHILD)
    execution = run_tasks(f"- {{id: call, type: subflow, namespace: tests, flowId: child, {properties}}}")
    assert execution.state == state
    child = engine.execution(str(execution.task_runs["call"].outputs["executionId"]))
    assert execution.task_runs["call"].outputs["state"] == str(child.state)
    if state == "FAILED":
        assert messages(execution) == [f"the subflow tests.child ended in FAILED: execution {child.id}"]


def test_a_subflow_gets_labels_and_inherits_those_of_its_caller(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    execution = run_tasks(
        """
        - id: call
          type: io.kestra.core.tasks.flows.Flow
          namespace: tests
          flowId: "{{ 'child' }}"
          inheritLabels: true
          labels: [{key: team, value: "{{ flow.id }}"}]
        """,
        more="labels: {a.b: c, team: none}",
    )
    child = engine.execution(str(execution.task_runs["call"].outputs["executionId"]))
    assert {key: value for key, value in child.labels.items() if not key.startswith("system.")} == {
        "a.b": "c",
        "team": "flow",
    }
