"""Rules of whole flows: SLAs, checks, listeners, and trying an execution again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError, FlowValidationError, WaitTimeoutError
from nbflow.testing import FakeClock, eventually
from tests.engine.conftest import RunTasks, messages, states

SHELL = "io.kestra.plugin.scripts.shell.Commands"


@pytest.mark.parametrize(("behavior", "state"), [("FAIL", "FAILED"), ("CANCEL", "CANCELLED"), ("NONE", "SUCCESS")])
def test_an_execution_that_takes_too_long(run_tasks: RunTasks, behavior: str, state: str) -> None:
    execution = run_tasks(
        "- {id: s, type: sleep, duration: PT0.6S}\n- {id: l, type: log, message: on}",
        more=f"""
        sla: [{{id: fast, type: MAX_DURATION, duration: PT0.2S, behavior: {behavior}, labels: {{sla: missed}}}}]
        errors: [{{id: alert, type: log, message: alert}}]
        finally: [{{id: clean, type: log, message: clean}}]
        """,
    )
    assert execution.state == state
    assert "the SLA `fast` is broken: it takes longer than 0:00:00.200000" in messages(execution)
    assert execution.labels["sla"] == "missed"
    expected = {
        "FAILED": {"s": "KILLED", "alert": "SUCCESS", "clean": "SUCCESS"},
        "CANCELLED": {"s": "KILLED", "clean": "SUCCESS"},
        "SUCCESS": {"s": "SUCCESS", "l": "SUCCESS", "clean": "SUCCESS"},
    }
    assert states(execution) == expected[state]


def test_an_assertion_is_asked_after_each_task(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: a, type: return, format: ok}
        - {id: b, type: return, format: wrong}
        - {id: c, type: log, message: never}
        """,
        more="""
        sla: [{id: right, type: EXECUTION_ASSERTION, assert: "{{ outputs.b.value != 'wrong' }}", behavior: FAIL}]
        """,
    )
    assert (execution.state, "c" in states(execution)) == ("FAILED", False)


def test_an_sla_says_what_it_needs(engine: Engine) -> None:
    with pytest.raises(FlowValidationError, match="MAX_DURATION needs a `duration`"):
        engine.deploy("id: f\nnamespace: n\nsla: [{id: s, type: MAX_DURATION}]\ntasks: [{id: a, type: return}]")


CHECK = """
inputs: [{id: n, type: INT}]
checks: [{condition: "{{ inputs.n > 1 }}", message: "n is {{ inputs.n }}", style: ERROR, behavior: %s}]
"""
TASK = "- {id: a, type: log, message: run}"


def test_a_check_may_block(engine: Engine, run_tasks: RunTasks) -> None:
    with pytest.raises(ConflictError, match="n is 1"):
        run_tasks(TASK, more=CHECK % "BLOCK_EXECUTION", n=1)
    assert engine.executions() == []
    assert run_tasks(TASK, more=CHECK % "BLOCK_EXECUTION", n=2).state == "SUCCESS"


def test_a_check_may_fail_an_execution(run_tasks: RunTasks) -> None:
    execution = run_tasks(TASK, more=CHECK % "FAIL_EXECUTION", n=1)
    assert (execution.state, states(execution), messages(execution)) == ("FAILED", {}, ["n is 1"])


def test_a_check_may_only_tell(run_tasks: RunTasks) -> None:
    execution = run_tasks(TASK, more=CHECK % "CREATE_EXECUTION", n=1)
    assert execution.state == "SUCCESS"
    assert messages(execution) == ["n is 1", "run"]


def test_listeners_run_when_their_conditions_hold(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail}",
        more="""
        listeners:
          - conditions: [{type: io.kestra.plugin.core.condition.ExecutionStatus, in: [FAILED]}]
            tasks: [{id: failed, type: log, message: "it {{ execution.state }}"}]
          - conditions: [{type: io.kestra.plugin.core.condition.ExecutionStatus, in: [SUCCESS]}]
            tasks: [{id: fine, type: log, message: fine}]
        """,
    )
    assert messages(execution)[-1] == "it FAILED"
    assert states(execution) == {"bad": "FAILED", "failed": "SUCCESS"}


def test_a_flow_tries_its_failed_tasks_again(run_tasks: RunTasks, tmp_path: Path) -> None:
    execution = run_tasks(
        f"""
        - {{id: a, type: return, format: x}}
        - {{id: b, type: {SHELL}, commands: ["echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) -ge 3"]}}
        """,
        more="""
        retry: {type: constant, interval: PT0S, maxAttempts: 5, behavior: RETRY_FAILED_TASK}
        errors: [{id: alert, type: log, message: alert}]
        """,
    )
    assert (execution.state, states(execution)) == ("SUCCESS", {"a": "SUCCESS", "b": "SUCCESS"})
    assert len(execution.task_runs["b"].attempts) == 3
    assert execution.record.attempt_number == 3


def test_a_flow_gives_up_after_its_last_try(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail}",
        more="""
        retry: {type: constant, interval: PT0S, maxAttempts: 2}
        errors: [{id: alert, type: log, message: alert}]
        """,
    )
    assert (execution.state, states(execution)) == ("FAILED", {"bad": "FAILED", "alert": "SUCCESS"})
    assert len(execution.task_runs["bad"].attempts) == 2


@pytest.mark.parametrize("where", ["flow", "task"])
def test_a_new_execution_takes_the_place_of_one_that_failed(engine: Engine, tmp_path: Path, where: str) -> None:
    retry = "retry: {type: constant, interval: PT0S, maxAttempts: 3, behavior: CREATE_NEW_EXECUTION}"
    engine.deploy(f"""id: flow
namespace: tests
{retry if where == "flow" else ""}
inputs: [{{id: n, type: INT}}]
tasks:
  - id: b
    type: {SHELL}
    commands: ["echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) -ge 2"]
    {retry if where == "task" else ""}
""")
    first = engine.run("tests", "flow", {"n": 4}, wait=True, timeout=20)
    assert first.state == "RETRIED"
    second = next(one for one in engine.executions() if one.id != first.id)
    ended = engine.wait(second.id, timeout=20)
    assert (ended.state, ended.original_id, ended.inputs) == ("SUCCESS", first.id, {"n": 4})
    assert ended.record.attempt_number == 2
    assert len(engine.executions()) == 2


def test_a_subflow_that_is_tried_again_counts_as_its_last_try(engine: Engine, tmp_path: Path) -> None:
    engine.deploy(f"""id: child
namespace: tests
retry: {{type: constant, interval: PT0S, maxAttempts: 3, behavior: CREATE_NEW_EXECUTION}}
tasks:
  - {{id: b, type: {SHELL}, commands: ["echo x >> {tmp_path}/tries; test $(wc -l < {tmp_path}/tries) -ge 2"]}}
""")
    engine.deploy(
        "id: flow\nnamespace: tests\ntasks: [{id: call, type: io.kestra.plugin.core.flow.Subflow, "
        "namespace: tests, flowId: child}]"
    )
    assert engine.run("tests", "flow", wait=True, timeout=20).state == "SUCCESS"


def test_the_wait_of_a_flow_goes_on_after_a_crash(tmp_path: Path) -> None:
    clock = FakeClock()
    flow = """id: flow
namespace: tests
retry: {type: constant, interval: PT1H, maxAttempts: 2}
tasks: [{id: bad, type: io.kestra.plugin.core.execution.Fail}]
"""
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(flow)
        execution = engine.run("tests", "flow")
        engine.wait(execution.id, "RETRYING", timeout=20)
        eventually(lambda: clock.sleepers == 1)
        clock.advance(timedelta(minutes=50))
    with Engine(tmp_path / "home", clock=clock) as engine:
        assert engine.wait(execution.id, "RETRYING", timeout=20).state == "RETRYING"
        eventually(lambda: clock.sleepers == 2)
        clock.advance(timedelta(minutes=11))
        ended = engine.wait(execution.id, timeout=20)
        assert (ended.state, len(ended.task_runs["bad"].attempts)) == ("FAILED", 2)


def test_the_wait_of_a_task_goes_on_after_a_crash(tmp_path: Path) -> None:
    clock = FakeClock()
    flow = """id: flow
namespace: tests
tasks: [{id: bad, type: io.kestra.plugin.core.execution.Fail, retry: {interval: PT1H, maxAttempts: 2}}]
"""
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(flow)
        execution = engine.run("tests", "flow")
        eventually(lambda: clock.sleepers == 1)
        clock.advance(timedelta(minutes=50))
    with Engine(tmp_path / "home", clock=clock) as engine:
        with pytest.raises(WaitTimeoutError):
            engine.wait(execution.id, timeout=0.01)  # this wakes the engine, which takes over
        eventually(lambda: clock.sleepers == 2)
        assert len(engine.execution(execution.id).task_runs["bad"].attempts) == 1
        clock.advance(timedelta(minutes=11))
        ended = engine.wait(execution.id, timeout=20)
        assert (ended.state, len(ended.task_runs["bad"].attempts)) == ("FAILED", 2)
