"""Loop: rounds by themselves, what is taken out of them, and when there are no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.testing import eventually
from tests.tasks.conftest import RunTasks, messages


def returned(execution: Execution, task_id: str) -> list[object]:
    """What a task put out, in the order of the rounds."""
    runs = [run for run in execution.task_runs if run.task_id == task_id]
    return [run.outputs["value"] for run in sorted(runs, key=lambda run: run.iteration or 0)]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_a_round_sees_its_own_item_and_its_own_outputs(run_tasks: RunTasks, limit: int) -> None:
    execution = run_tasks(f"""
        - {{id: before, type: return, format: "!"}}
        - id: loop
          type: io.kestra.plugin.core.flow.Loop
          values: [a, b, {{"k": 1}}]
          concurrencyLimit: {limit}
          tasks:
            - {{id: one, type: return, format: "{{{{ item.index }}}} {{{{ item.value }}}}"}}
            - id: check
              type: if
              condition: "{{{{ item.value == 'b' }}}}"
              then: [{{id: deep, type: return, format: "deep {{{{ outputs.one.value }}}} {{{{ item.value }}}}"}}]
            - {{id: two, type: return, format: "{{{{ outputs.one.value ~ outputs.before.value }}}}"}}
        - {{id: after, type: return, format: "{{{{ outputs.two.b.value }}}}"}}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert returned(execution, "two") == ["0 a!", "1 b!", '2 {"k":1}!']
    assert returned(execution, "deep") == ["deep 1 b b"]
    assert execution.task_runs["after"].outputs == {"value": "1 b!"}
    assert execution.task_runs["loop"].outputs == {"iterationCount": 3, "terminatedIterations": {"SUCCESS": 3}}


def test_entries_of_a_map_have_a_key(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop
          values: {a: 1, b: {c: 2}}
          tasks: [{id: one, type: return, format: "{{ item.key }}={{ item.value }}"}]
    """)
    assert returned(execution, "one") == ["a=1", 'b={"c":2}']


def test_loops_in_loops_see_the_items_around(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: years
          type: loop
          values: [2025, 2026]
          concurrencyLimit: 1
          tasks:
            - {id: year, type: return, format: "y{{ item.value }}"}
            - id: each
              type: foreach
              values: [p, q]
              tasks:
                - id: months
                  type: loop
                  values: [may, june]
                  concurrencyLimit: 1
                  tasks:
                    - {id: month, type: return, format: "{{ item.value }}"}
                    - id: all
                      type: return
                      format: "{{ outputs.year.value }} {{ parent.taskrun.value }} {{ outputs.month.value }}
                        {{ item.parent.value }}{{ item.parents[0].index }} {{ item.parents | length }}"
            - {id: last, type: return, format: "{{ outputs.month.q.june.value }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    runs = [run.outputs["value"] for run in execution.task_runs if run.task_id == "all"]
    assert runs == [
        f"y{year} {letter} {month} {year}{number} 1"
        for number, year in enumerate((2025, 2026))
        for letter in "pq"
        for month in ("may", "june")
    ]
    assert returned(execution, "last") == ["june", "june"]


def test_declared_outputs_are_taken_out_of_each_round(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop
          values: {x: alpha, y: beta}
          outputs:
            - {id: label, type: STRING, value: "{{ outputs.process.value }}"}
            - {id: length, type: INT, value: "{{ outputs.process.value | length }}"}
            - {id: maybe, type: STRING, value: "{{ outputs.nothing.value }}", required: false}
          tasks: [{id: process, type: return, format: "<{{ item.value }}>"}]
        - {id: after, type: return, format: "{{ outputs.loop.outputs[1].outputs.label }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["loop"].outputs["outputs"] == [
        {"item": {"value": "alpha", "iteration": 0, "key": "x"}, "outputs": {"label": "<alpha>", "length": 7}},
        {"item": {"value": "beta", "iteration": 1, "key": "y"}, "outputs": {"label": "<beta>", "length": 6}},
    ]
    assert execution.task_runs["after"].outputs == {"value": "<beta>"}


def test_outputs_can_be_stored(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop
          values: [1]
          fetchType: STORE
          outputs: [{id: label, value: "{{ item.value }}"}]
          tasks: [{id: one, type: log, message: x}]
    """)
    outputs = execution.task_runs["loop"].outputs["outputs"]
    assert isinstance(outputs, list)
    assert isinstance(outputs[0], dict)
    assert isinstance(outputs[0]["outputs"], dict)
    assert json.loads(engine.read_file(str(outputs[0]["outputs"]["uri"]))) == {"label": "1"}


def test_an_output_that_cannot_be_rendered_fails_its_round(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop
          values: [1, 2]
          outputs: [{id: label, value: "{{ outputs.one.wrong }}"}]
          tasks: [{id: one, type: return, format: x}]
    """)
    assert execution.state == "FAILED"
    assert execution.task_runs["loop"].outputs["terminatedIterations"] == {"FAILED": 2}


@pytest.mark.parametrize(
    ("properties", "state", "ended"),
    [
        ("concurrencyLimit: 1", "FAILED", {"SUCCESS": 1, "FAILED": 1}),
        ("concurrencyLimit: 2", "FAILED", {"SUCCESS": 3, "FAILED": 1}),
        ("concurrencyLimit: 1, transmitFailed: false", "SUCCESS", {"SUCCESS": 3, "FAILED": 1}),
    ],
)
def test_a_round_that_fails(run_tasks: RunTasks, properties: str, state: str, ended: dict[str, int]) -> None:
    execution = run_tasks(f"""
        - {{id: loop, type: loop, values: [1, 2, 3, 4], {properties},
           tasks: [{{id: bad, type: fail, condition: "{{{{ item.index == 1 }}}}"}}]}}
    """)
    assert execution.state == state
    assert execution.task_runs["loop"].outputs["terminatedIterations"] == ended


def test_break_when_ends_the_loop(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop
          values: [1, 2, 3, 4]
          concurrencyLimit: 1
          outputs: [{id: value, type: INT, value: "{{ item.value }}"}]
          breakWhen: "{{ iteration.outputs.value == 3 and iteration.state == 'SUCCESS' }}"
          tasks: [{id: one, type: log, message: x}]
    """)
    assert execution.task_runs["loop"].outputs["iterationCount"] == 3


def test_values_in_a_stored_file_are_refused_with_a_way_out(engine: Engine, run_tasks: RunTasks) -> None:
    uri = engine.store.files.put_bytes("tests/values.ion", b"1\n2\n")
    execution = run_tasks(f"- {{id: loop, type: loop, values: '{uri}', tasks: [{{id: one, type: log, message: x}}]}}")
    assert execution.state == "FAILED"
    assert "run a flow for its lines with ForEachItem" in messages(execution)[0]


def test_after_a_takeover_rounds_still_see_their_own_outputs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with Engine(tmp_path / "home") as first:
        first.deploy(f"""
id: flow
namespace: tests
tasks:
  - id: loop
    type: loop
    values: [a, b]
    tasks:
      - id: check
        type: if
        condition: "{{{{ true }}}}"
        then: [{{id: deep, type: return, format: "{{{{ item.value }}}}"}}]
      - {{id: wait, type: shell, commands: ["while [ ! -e {go} ]; do sleep 0.02; done"]}}
      - {{id: last, type: return, format: "{{{{ outputs.deep.value }}}}{{{{ item.index }}}}"}}
""")
        execution_id = first.run("tests", "flow").id
        eventually(lambda: len([run for run in first.task_runs_of(execution_id) if run.task_id == "wait"]) == 2)
    go.touch()
    with Engine(tmp_path / "home") as second:
        execution = second.wait(execution_id, timeout=30)
        assert execution.state == "SUCCESS", messages(execution)
        assert returned(execution, "last") == ["a0", "b1"]
