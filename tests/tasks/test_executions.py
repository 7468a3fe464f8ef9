"""Tasks that look at executions, and at the variables of their own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from nbflow.engine import Engine, Execution
from nbflow.tasks.executions import Count, Fetch, Resume
from tests.tasks.conftest import RunTasks, messages

TWO = """
id: {id}
namespace: {namespace}
tasks:
  - {{id: say, type: log, message: said}}
  - {{id: fail, type: fail, condition: "{{{{ inputs.bad }}}}"}}
inputs:
  - {{id: bad, type: BOOLEAN, defaults: false}}
"""


@pytest.fixture
def history(engine: Engine) -> dict[str, Execution]:
    """Executions of two flows: `a` ran twice and failed once, `b` ran once, in a namespace below."""
    engine.deploy(TWO.format(id="a", namespace="company"))
    engine.deploy(TWO.format(id="b", namespace="company.sub"))
    engine.run("company", "a", wait=True, timeout=60)
    return {
        "failed": engine.run("company", "a", {"bad": True}, wait=True, timeout=60),
        "b": engine.run("company.sub", "b", wait=True, timeout=60),
    }


A, B, NONE = ({"namespace": ns, "flowId": id} for ns, id in (("company", "a"), ("company.sub", "b"), ("company", "x")))


@pytest.mark.parametrize(
    ("properties", "results"),
    [
        (
            {"flows": [A, B, NONE], "expression": "{{ count >= 0 }}"},
            [{**A, "count": 2}, {**B, "count": 1}, {**NONE, "count": 0}],
        ),
        ({"flows": [A, B, NONE], "expression": "{{ count == 0 }}"}, [{**NONE, "count": 0}]),
        ({"flows": [A, B], "states": ["FAILED"], "expression": "{{ count > 0 }}"}, [{**A, "count": 1}]),
        ({"namespaces": ["company"], "expression": "{{ count > 0 }}"}, [{"namespace": "company", "count": 2}]),
        ({"flows": [A], "startDate": "{{ now() | dateAdd(1, 'HOURS') }}", "expression": "{{ count > 0 }}"}, []),
        ({"flows": [A], "endDate": "{{ now() | dateAdd(-1, 'HOURS') }}", "expression": "{{ count > 0 }}"}, []),
    ],
)
@pytest.mark.usefixtures("history")
def test_executions_are_counted(run_tasks: RunTasks, properties: dict[str, Any], results: list[dict[str, Any]]) -> None:
    task = {"id": "count", "type": "io.kestra.plugin.core.execution.Count", **properties}
    execution = run_tasks(f"- {json.dumps(task)}")
    assert execution.state == "SUCCESS", messages(execution)
    total = sum(each["count"] for each in results)
    outputs: Any = execution.task_runs["count"].outputs
    assert outputs["total"] == total
    assert [{key: value for key, value in each.items() if value is not None} for each in outputs["results"]] == results


def test_a_count_must_say_of_what() -> None:
    with pytest.raises(ValidationError, match="needs `flows` or `namespaces`"):
        Count.model_validate({"id": "c", "expression": "x"})


@pytest.mark.parametrize("kind", [Fetch, Resume])
@pytest.mark.parametrize("wrong", [{"namespace": "a", "executionId": "x"}, {"namespace": "a", "flowId": "b"}])
def test_the_execution_must_be_named_in_full(kind: type[Fetch] | type[Resume], wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="needs `"):
        kind.model_validate({"id": "c", **wrong})


def fetched(engine: Engine, execution: Execution) -> list[tuple[str, str]]:
    assert execution.state == "SUCCESS", messages(execution)
    outputs = execution.task_runs["fetch"].outputs
    lines = [json.loads(line) for line in engine.read_file(str(outputs["uri"])).splitlines()]
    assert outputs["size"] == len(lines)
    return [(line["taskId"], line["message"]) for line in lines]


@pytest.mark.parametrize(
    ("more", "lines"),
    [
        ("", [("one", "1"), ("two", "2")]),
        (", level: DEBUG, tasksId: [three, two]", [("three", "low"), ("two", "2")]),
        (", level: WARN", [("two", "2")]),
        (", tasksId: []", []),
    ],
)
def test_the_log_of_the_running_execution_is_fetched(
    run_tasks: RunTasks, engine: Engine, more: str, lines: list[tuple[str, str]]
) -> None:
    execution = run_tasks(f"""
        - {{id: one, type: log, message: "1"}}
        - {{id: two, type: log, message: "2", level: WARN}}
        - {{id: three, type: log, message: low, level: DEBUG}}
        - {{id: fetch, type: io.kestra.plugin.core.log.Fetch{more}}}
    """)
    assert fetched(engine, execution) == lines


def test_the_log_of_another_execution_is_fetched(
    run_tasks: RunTasks, engine: Engine, history: dict[str, Execution]
) -> None:
    other = history["b"].id
    named = f"executionId: {other}, namespace: company.sub, flowId: b"
    assert fetched(engine, run_tasks(f"- {{id: fetch, type: fetch_logs, executionId: {other}}}")) == [("say", "said")]
    assert fetched(engine, run_tasks(f"- {{id: fetch, type: fetch_logs, {named}}}")) == [("say", "said")]
    wrong = run_tasks(f"- {{id: fetch, type: fetch_logs, executionId: {other}, namespace: company, flowId: b}}")
    assert wrong.state == "FAILED"
    assert any("is of company.sub.b, not of company.b" in message for message in messages(wrong))
    none = run_tasks("- {id: fetch, type: fetch_logs, executionId: nowhere}")
    assert any("there is no execution nowhere" in message for message in messages(none))


PAUSED = """
id: paused
namespace: company
tasks:
  - id: pause
    type: pause
    onResume: [{id: answer, type: INT}]
  - {id: use, type: return, format: "{{ outputs.pause.onResume.answer + 1 }}"}
"""


def test_another_execution_is_resumed(run_tasks: RunTasks, engine: Engine) -> None:
    engine.deploy(PAUSED)
    paused = engine.run("company", "paused", wait=False)
    engine.wait(paused.id, "PAUSED", timeout=30)
    wrong = run_tasks(f"- {{id: go, type: resume, executionId: {paused.id}, inputs: {{answer: x}}}}")
    assert wrong.state == "FAILED"
    assert any("answer" in message for message in messages(wrong))
    resumed = run_tasks(f"""
        - id: go
          type: io.kestra.plugin.core.execution.Resume
          executionId: {paused.id}
          inputs: {{answer: "{{{{ 41 }}}}"}}
    """)
    assert resumed.state == "SUCCESS", messages(resumed)
    assert paused.wait(timeout=30).state == "SUCCESS"
    assert paused.task_runs["use"].outputs == {"value": "42"}
    again = run_tasks(f"- {{id: go, type: resume, executionId: {paused.id}}}")
    assert any("there is nothing to resume" in message for message in messages(again))


def test_a_branch_resumes_its_own_execution(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: both
          type: parallel
          tasks:
            - {id: pause, type: pause}
            - id: then
              type: sequential
              tasks:
                - {id: wait, type: shell, commands: [sleep 1]}
                - {id: go, type: resume}
        - {id: after, type: log, message: went on}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert "went on" in messages(execution)


def test_variables_are_taken_back(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: set, type: set_variables, variables: {a: "1", b: "2", c: "3"}}
        - {id: unset, type: io.kestra.plugin.core.execution.UnsetVariables, variables: [a, "{{ 'b' }}"]}
        - {id: use, type: return, format: "{{ vars.a }} {{ vars.b ?? 'none' }} {{ vars.c }}"}
        - {id: loose, type: unset_variables, variables: [b, c], ignoreMissing: true}
        - {id: strict, type: unset_variables, variables: [c]}
        """,
        more="variables: {a: 'of {{ flow.id }}'}",
    )
    assert execution.task_runs["use"].outputs == {"value": "of flow none 3"}
    assert execution.task_runs["loose"].state == "SUCCESS"
    assert execution.state == "FAILED"
    assert any("the variable `c` was not set in this execution" in message for message in messages(execution))
