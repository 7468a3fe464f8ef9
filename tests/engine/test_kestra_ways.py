"""What flows written for Kestra count on: what expressions see around a task, and what a wrong one does to a flow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import FlowValidationError, InputError
from tests.engine.conftest import RunTasks, messages, states

WRONG = """
id: flow
namespace: tests
inputs: [{id: who, type: STRING}]
tasks:
  - {id: first, type: log, message: "{{ inputs.who }}"}
  - {id: second, type: log, message: "{{ EXPRESSION }}"}
"""


@pytest.mark.parametrize(
    "expression",
    ["outputs.frst.value", "inputs.whom", "'a' | uper", "1 +", "{% if x %}1{% endif %}"],
)
def test_a_wrong_expression_fails_the_run_that_gets_to_it(engine: Engine, expression: str) -> None:
    text = WRONG.replace("EXPRESSION", expression)
    assert [problem.at_run for problem in engine.validate(text) if problem.is_error] == [True]
    with pytest.raises(FlowValidationError):
        engine.deploy(text, strict=True)
    engine.deploy(text)
    execution = engine.run("tests", "flow", {"who": "Ada"}, wait=True, timeout=30)
    assert states(execution) == {"first": "SUCCESS", "second": "FAILED"}


def test_a_flow_that_is_wrong_otherwise_is_refused_with_all_its_problems(engine: Engine) -> None:
    with pytest.raises(FlowValidationError) as refused:
        engine.deploy(WRONG.replace("EXPRESSION", "outputs.frst.value").replace("id: first", "nope: 1, id: first"))
    assert [problem.at_run for problem in refused.value.problems] == [False, True]


def test_parents_are_the_rounds_and_what_has_put_out_something(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: outer
          type: foreach
          values: [x]
          tasks:
            - id: group
              type: sequential
              tasks:
                - id: inner
                  type: foreach
                  values: [1, 2]
                  tasks:
                    - id: choose
                      type: switch
                      value: "{{ taskrun.value }}"
                      cases: {"1": [{id: one, type: return, format: "{{ parents | toJson }}"}]}
                      defaults: [{id: other, type: return, format: "{{ parent.outputs.value }}"}]
        - {id: alone, type: return, format: "{{ parents | toJson }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["one"].outputs["value"] == (
        '[{"taskrun":{"value":"1"},"outputs":{"value":"1","defaults":false}},{"taskrun":{"value":"x"}}]'
    )
    assert execution.task_runs["other"].outputs["value"] == "2"
    assert execution.task_runs["alone"].outputs["value"] == "[]"


def test_the_output_of_this_round_is_found_however_deep_the_loops_are(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: a
          type: foreach
          values: [a1]
          tasks:
            - id: b
              type: foreach
              values: [b1, b2]
              tasks:
                - {id: put, type: return, format: "{{ parent.taskrun.value }}{{ taskrun.value }}"}
                - {id: take, type: return, format: "{{ currentEachOutput(outputs.put).value }}"}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert [run.outputs["value"] for run in execution.task_runs if run.task_id == "take"] == ["a1b1", "a1b2"]


def test_the_output_of_another_round_is_found_however_deep_the_loops_are(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: outer
          type: foreach
          values: [x, y]
          tasks:
            - id: inner
              type: foreach
              values: [a, b]
              tasks:
                - {id: own, type: return, format: "{{ parent.taskrun.value }}{{ taskrun.value }}"}
                - {id: plain, type: return, format: "{{ iterationOutput(outputs.own).value ?? 'none' }}"}
                - id: if
                  type: if
                  condition: "true"
                  then: [{id: deep, type: return, format: "{{ iterationOutput(outputs.own, 1).value ?? 'none' }}"}]
            - {id: after, type: return, format: "{{ taskrun.value }}"}
            - id: switch
              type: switch
              value: any
              defaults: [{id: last, type: return, format: "{{ iterationOutput(outputs.after).value ?? 'none' }}"}]
    """)
    assert execution.state == "SUCCESS", messages(execution)

    def said(task_id: str) -> list[object]:
        return [run.outputs["value"] for run in execution.task_runs if run.task_id == task_id]

    assert said("plain") == ["none", "xa", "none", "ya"]
    assert said("deep") == ["none", "xb", "none", "yb"]
    assert said("last") == ["none", "x"]


def test_a_shared_directory_hands_on_its_round(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: each
          type: foreach
          values: [x]
          tasks:
            - id: dir
              type: working_directory
              tasks:
                - {id: inside, type: return, format: "{{ taskrun.value }} {{ workerTaskrun.value }}"}
    """)
    assert execution.task_runs["inside"].outputs == {"value": "x x"}


def test_instants_are_told_to_the_millisecond(run_tasks: RunTasks) -> None:
    execution = run_tasks('- {id: r, type: return, format: "{{ execution.startDate }} {{ taskrun.startDate }}"}')
    instant = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(f"{instant} {instant}", str(execution.task_runs["r"].outputs["value"]))


def test_a_map_is_json_as_a_text_output_of_the_flow(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: r, type: return, format: x}", more="outputs: [{id: all, type: STRING, value: '{{ outputs.r }}'}]"
    )
    assert (execution.state, execution.outputs) == ("SUCCESS", {"all": '{"value":"x"}'})


def test_a_pause_that_runs_out_of_time_fails_as_it_stands(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: p, type: pause, timeout: PT0.05S}\n- {id: q, type: pause, delay: PT0.05S}")
    assert states(execution) == {"p": "FAILED"}
    history = execution.task_runs["p"].history.moves
    assert [str(state) for state, _ in history] == ["CREATED", "RUNNING", "PAUSED", "FAILED"]


def test_a_task_may_run_on_pause(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: pause, type: pause, onPause: {id: tell, type: log, message: please resume me}}
        - {id: after, type: log, message: resumed}
        """,
        wait=False,
    )
    engine.wait(execution.id, "PAUSED", 10)
    assert states(engine.execution(execution.id)) == {"pause": "PAUSED", "tell": "SUCCESS"}
    engine.resume(execution.id)
    execution.wait(10)
    assert messages(execution) == ["please resume me", "resumed"]


def test_a_task_on_pause_that_fails_leaves_no_pause(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: pause, type: pause, onPause: {id: tell, type: fail}}")
    assert states(execution) == {"pause": "FAILED", "tell": "FAILED"}


def test_a_file_handed_over_on_resume_is_stored(engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    execution = run_tasks(
        """
        - {id: ask, type: pause, onResume: [{id: data, type: FILE}]}
        - {id: use, type: return, format: "{{ read(outputs.ask.onResume.data) }}"}
        """,
        wait=False,
    )
    engine.wait(execution.id, state="PAUSED", timeout=10)
    with pytest.raises(InputError, match="not valid"):
        execution.resume({"data": str(tmp_path / "missing.txt")})
    (tmp_path / "data.txt").write_text("rows")
    execution.resume({"data": tmp_path / "data.txt"}).wait(timeout=10)
    assert execution.task_runs["use"].outputs == {"value": "rows"}
