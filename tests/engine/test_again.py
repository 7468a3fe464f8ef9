"""What runs again: a replayed task, a subflow, an execution in the place of another; and what waits for its date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from nbflow.engine import Engine
from nbflow.model.execution import Execution, TaskRun
from nbflow.testing import eventually
from tests.engine.conftest import RunTasks, messages, states


def moves(record: Execution | TaskRun) -> list[str]:
    return [str(state) for state, _ in record.history.moves]


def test_a_replayed_task_gets_another_attempt(engine: Engine, run_tasks: RunTasks) -> None:
    first = run_tasks("""
        - {id: a, type: log, message: a}
        - {id: b, type: log, message: "attempt {{ taskrun.attemptsCount }}"}
        - {id: c, type: log, message: c}
    """)
    again = engine.replay(first.id, first.task_runs["b"].id)
    ended = engine.wait(again.id, timeout=20)
    assert (ended.parent_id, ended.original_id) == (first.id, first.id)
    assert moves(ended.record) == ["CREATED", "RESTARTED", "RUNNING", "SUCCESS"]
    assert moves(ended.task_runs["b"]) == ["CREATED", "RUNNING", "SUCCESS", "RESTARTED", "RUNNING", "SUCCESS"]
    assert messages(ended) == ["attempt 1", "c"]
    assert ended.start >= (first.end or first.start)


def test_a_resumed_execution_was_restarted(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: p, type: pause}", wait=False)
    engine.wait(execution.id, "PAUSED", timeout=20)
    engine.resume(execution.id)
    ended = engine.wait(execution.id, timeout=20)
    assert moves(ended.record) == ["CREATED", "RUNNING", "PAUSED", "RESTARTED", "RUNNING", "SUCCESS"]


CHILD = """
id: child
namespace: tests
tasks: [{id: t, type: fail}]
"""


def test_a_subflow_is_tried_again_with_a_new_execution(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD)
    execution = run_tasks("""
        - id: call
          type: subflow
          namespace: tests
          flowId: child
          retry: {type: constant, interval: PT0.05S, maxAttempts: 3}
    """)
    assert states(execution) == {"call": "FAILED"}
    assert [str(attempt.state) for attempt in execution.task_runs["call"].attempts] == ["FAILED"] * 3
    assert len(engine.executions("tests", "child")) == 3


def test_a_subflow_has_one_attempt(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(CHILD.replace("{id: t, type: fail}", "{id: t, type: log, message: m}"))
    execution = run_tasks("- {id: call, type: subflow, namespace: tests, flowId: child}")
    assert [str(attempt.state) for attempt in execution.task_runs["call"].attempts] == ["SUCCESS"]


def test_the_first_execution_bounds_the_retries_of_all(engine: Engine, run_tasks: RunTasks) -> None:
    first = run_tasks("""
        - id: t
          type: fail
          retry: {type: constant, interval: PT0.4S, maxDuration: PT1S, behavior: CREATE_NEW_EXECUTION}
    """)
    eventually(lambda: engine.executions("tests", "flow", "FAILED"), within=20)
    tries = engine.executions("tests", "flow")
    assert {one.original_id for one in tries} == {first.id}
    assert [str(one.state) for one in tries] == ["FAILED", *["RETRIED"] * (len(tries) - 1)]
    assert 2 <= len(tries) <= 3


def test_an_execution_waits_for_its_date(engine: Engine, run_tasks: RunTasks) -> None:
    run_tasks("- {id: t, type: log, message: m}")
    date = datetime.now(UTC) + timedelta(seconds=0.5)
    execution = engine.run("tests", "flow", schedule_date=date)
    assert execution.state == "CREATED"
    ended = engine.wait(execution.id, timeout=20)
    assert ended.task_runs["t"].start >= date
