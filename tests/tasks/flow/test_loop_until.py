"""LoopUntil: rounds until a condition holds, the waits between them, and the most there may be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.errors import FlowValidationError, WaitTimeoutError
from nbflow.model.state import State
from nbflow.testing import FakeClock, eventually
from tests.tasks.conftest import RunTasks

FLOW = """
id: flow
namespace: tests
tasks:
  - id: loop
    type: io.kestra.plugin.core.flow.LoopUntil
    condition: "{{ outputs.round.value == '3' }}"
    checkFrequency: {interval: PT1H}
    tasks:
      - {id: round, type: return, format: "{{ outputs.loop.iterationCount }}"}
  - {id: after, type: return, format: "{{ outputs.round.value }} of {{ outputs.loop.iterationCount }}"}
"""


def rounds(execution: Execution, task_id: str = "round") -> list[tuple[int | None, object]]:
    return [(run.iteration, run.outputs.get("value")) for run in execution.task_runs if run.task_id == task_id]


def test_rounds_go_on_until_the_condition_holds(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: io.kestra.plugin.core.flow.LoopUntil
          condition: "{{ outputs.second.value == 'round 3' }}"
          checkFrequency: {interval: PT0.01S}
          tasks:
            - {id: first, type: return, format: "{{ outputs.loop.iterationCount }}"}
            - {id: second, type: return, format: "round {{ outputs.first.value }}"}
    """)
    assert execution.state == "SUCCESS"
    assert rounds(execution, "second") == [(0, "round 1"), (1, "round 2"), (2, "round 3")]
    assert execution.task_runs["loop"].outputs == {"iterationCount": 3}


def test_the_time_between_rounds_is_that_of_the_clock(tmp_path: Path) -> None:
    clock = FakeClock()
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(FLOW)
        execution = engine.run("tests", "flow")
        for _ in range(2):
            eventually(lambda: clock.sleepers)
            clock.advance(timedelta(hours=1))
        execution.wait(10)
        starts = [run.start for run in execution.task_runs if run.task_id == "round"]
        assert [later - starts[0] for later in starts] == [timedelta(hours=hours) for hours in range(3)]
        assert execution.task_runs["after"].outputs == {"value": "3 of 3"}


def test_a_wait_goes_on_when_the_engine_has_stopped_in_the_middle(tmp_path: Path) -> None:
    clock = FakeClock()
    with Engine(tmp_path / "home", clock=clock) as first:
        first.deploy(FLOW)
        execution_id = first.run("tests", "flow").id
        eventually(lambda: clock.sleepers)
        clock.advance(timedelta(hours=1))
        eventually(lambda: len(rounds(first.execution(execution_id))) == 2)
        eventually(lambda: clock.sleepers)
        clock.advance(timedelta(minutes=45))
    later = FakeClock(clock.now())
    with Engine(tmp_path / "home", clock=later) as second:
        with pytest.raises(WaitTimeoutError):
            second.wait(execution_id, timeout=0.01)
        execution = second.execution(execution_id)
        eventually(lambda: later.sleepers)
        assert len(rounds(execution)) == 2
        later.advance(timedelta(minutes=15))
        execution.wait(10)
        assert execution.state == "SUCCESS"
        assert rounds(execution) == [(0, "1"), (1, "2"), (2, "3")]
        ends = [run.start for run in execution.task_runs if run.task_id == "round"]
        assert ends[2] - ends[1] == timedelta(hours=1)


@pytest.mark.parametrize(
    ("frequency", "message"),
    [
        (
            "{interval: PT0.01S, maxIterations: 3}",
            "the condition is not true after round 3, the last that `maxIterations` allows",
        ),
        (
            "{interval: PT10S, maxDuration: PT5S}",
            "the condition is not true after round 1, the last that `maxDuration` (PT5S) allows",
        ),
        (
            "{interval: PT0.01S, maxIterations: '{{ inputs.most }}'}",
            "the condition is not true after round 2, the last that `maxIterations` allows",
        ),
    ],
)
@pytest.mark.parametrize(("fails", "state"), [("false", "SUCCESS"), ("true", "FAILED"), ("'{{ 1 == 1 }}'", "FAILED")])
def test_there_are_no_more_rounds_than_allowed(
    run_tasks: RunTasks, frequency: str, message: str, fails: str, state: str
) -> None:
    execution = run_tasks(
        f"""
        - id: loop
          type: loop_until
          condition: "{{{{ false }}}}"
          checkFrequency: {frequency}
          failOnMaxReached: {fails}
          tasks: [{{id: round, type: return, format: x}}]
        """,
        more="inputs: [{id: most, type: INT, defaults: 2}]",
    )
    assert execution.state == state
    assert [line.message for line in execution.logs(task_id="loop")] == [message]


def test_a_round_that_fails_ends_the_loop(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: io.kestra.core.tasks.flows.WaitFor
          condition: "{{ false }}"
          checkFrequency: {interval: PT0.01S}
          tasks: [{id: bad, type: fail, condition: "{{ outputs.loop.iterationCount == 2 }}"}]
          errors: [{id: note, type: log, message: "noted"}]
    """)
    assert [(run.task_id, str(run.state)) for run in execution.task_runs] == [
        ("loop", "FAILED"),
        ("bad", "SUCCESS"),
        ("bad", "FAILED"),
        ("note", "SUCCESS"),
    ]
    assert execution.task_runs["loop"].outputs == {"iterationCount": 2}


def test_a_round_that_may_fail_leaves_the_state_of_the_last_one(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: io.kestra.plugin.core.flow.WaitFor
          condition: "{{ tasks.try.state == 'SUCCESS' }}"
          checkFrequency: {interval: PT0.01S}
          tasks: [{id: try, type: fail, condition: "{{ outputs.loop.iterationCount < 3 }}", allowFailure: true}]
    """)
    assert [run.state for run in execution.task_runs if run.task_id == "try"] == [
        State.WARNING,
        State.WARNING,
        State.SUCCESS,
    ]
    assert execution.state == "SUCCESS"


def test_a_condition_that_cannot_be_rendered_fails(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop_until
          condition: "{{ outputs.round.nothing }}"
          tasks: [{id: round, type: return, format: x}]
    """)
    assert execution.state == "FAILED"
    assert execution.task_runs["loop"].outputs == {"iterationCount": 1}


def test_rounds_without_a_task_that_runs_wait_all_the_same(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: loop
          type: loop_until
          condition: "{{ false }}"
          checkFrequency: {interval: PT0.01S, maxIterations: 3}
          tasks: [{id: round, type: return, format: x, disabled: true}]
    """)
    assert execution.task_runs["loop"].outputs == {"iterationCount": 3}


@pytest.mark.parametrize(
    ("frequency", "message"),
    [
        ("{interval: PT0S}", "must be longer than nothing, got PT0S"),
        ("{maxIterations: 0}", "tasks[0].checkFrequency.maxIterations"),
    ],
)
def test_a_frequency_that_makes_no_sense_is_refused(engine: Engine, frequency: str, message: str) -> None:
    with pytest.raises(FlowValidationError) as refused:
        engine.deploy(FLOW.replace("{interval: PT1H}", frequency))
    assert message in str(refused.value)
