"""What people do to executions from outside: pause, resume, restart, replay, set a state, force, delete."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.errors import BulkError, ConflictError, ExecutionNotFoundError, InputError, NotFoundError
from nbflow.testing import FakeClock, eventually
from tests.engine.conftest import RunTasks, messages, states

FLAKY = """
- {id: before, type: return, format: "{{ execution.id }}"}
- id: shaky
  type: io.kestra.plugin.scripts.shell.Commands
  commands: ["test -e {{ inputs.file }}"]
- {id: after, type: return, format: "{{ outputs.before.value }}"}
"""
INPUT = "inputs: [{id: file, type: STRING}]"


def deployed(engine: Engine, tasks: str, more: str = "") -> None:
    lines = "".join(f"  {line}\n" for line in tasks.strip().splitlines())
    engine.deploy(f"id: flow\nnamespace: tests\n{more}\ntasks:\n{lines}")


def started(engine: Engine, state: str, **inputs: object) -> Execution:
    """An execution that is in a state."""
    execution = engine.run("tests", "flow", inputs)
    return engine.wait(execution.id, state, timeout=20)


def test_a_restart_gives_failed_tasks_another_attempt(engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    execution = run_tasks(FLAKY, more=INPUT + "\nerrors: [{id: alert, type: log, message: bad}]", file=str(flag))
    assert states(execution) == {"before": "SUCCESS", "shaky": "FAILED", "alert": "SUCCESS"}
    kept = execution.task_runs["before"].id
    flag.touch()
    again = engine.restart(execution.id)
    assert again.id == execution.id
    ended = engine.wait(execution.id, timeout=20)
    assert ended.state == "SUCCESS"
    assert states(ended) == {"before": "SUCCESS", "shaky": "SUCCESS", "after": "SUCCESS"}
    assert ended.task_runs["before"].id == kept
    assert [str(attempt.state) for attempt in ended.task_runs["shaky"].attempts] == ["FAILED", "SUCCESS"]
    assert [str(state) for state, _ in ended.record.history.moves] == [
        "CREATED", "RUNNING", "FAILED", "RESTARTED", "RUNNING", "SUCCESS",
    ]  # fmt: skip


def test_a_restart_inside_flowables_keeps_what_ended(engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    flag = tmp_path / "2"
    execution = run_tasks(
        f"""
        - id: each
          type: io.kestra.plugin.core.flow.ForEach
          values: [1, 2, 3]
          concurrencyLimit: 0
          tasks:
            - id: check
              type: io.kestra.plugin.scripts.shell.Commands
              commands: ["test {{{{ taskrun.value }}}} != 2 -o -e {flag}"]
          errors: [{{id: local, type: log, message: local}}]
        - {{id: last, type: log, message: done}}
        """
    )
    assert execution.state == "FAILED"
    ids = {run.value: run.id for run in execution.task_runs if run.task_id == "check"}
    flag.touch()
    engine.restart(execution.id)
    ended = engine.wait(execution.id, timeout=20)
    assert states(ended) == {
        "each": "SUCCESS", "check[1]": "SUCCESS", "check[2]": "SUCCESS", "check[3]": "SUCCESS", "last": "SUCCESS",
    }  # fmt: skip
    assert {run.value: run.id for run in ended.task_runs if run.task_id == "check"} == ids
    assert [len(run.attempts) for run in ended.task_runs if run.task_id == "check"] == [1, 2, 1]


def test_retries_count_anew_after_a_restart(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail, retry: {maxAttempts: 2, interval: PT0S}}"
    )
    engine.restart(execution.id)
    assert len(engine.wait(execution.id, timeout=20).task_runs["bad"].attempts) == 4


def test_what_succeeded_cannot_be_restarted(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: a, type: log, message: hi}")
    with pytest.raises(ConflictError, match="nothing of it failed"):
        engine.restart(execution.id)
    with pytest.raises(ExecutionNotFoundError):
        engine.restart("nope")


def test_a_restart_may_use_a_newer_revision(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: a, type: return, format: x}\n- {id: bad, type: io.kestra.plugin.core.execution.Fail}")
    deployed(engine, "- {id: a, type: return, format: x}\n- {id: bad, type: log, message: mended}")
    engine.restart(execution.id, revision=2)
    ended = engine.wait(execution.id, timeout=20)
    assert (ended.state, ended.flow_revision, messages(ended)[-1]) == ("SUCCESS", 2, "mended")


def test_a_restarted_subflow_restarts_the_flow_it_called(engine: Engine, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    engine.deploy(f"""id: child
namespace: tests
tasks:
  - {{id: first, type: return, format: x}}
  - {{id: check, type: io.kestra.plugin.scripts.shell.Commands, commands: ["test -e {flag}"]}}
""")
    deployed(engine, "- {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: tests, flowId: child}")
    execution = engine.run("tests", "flow", wait=True, timeout=30)
    assert execution.state == "FAILED"
    flag.touch()
    engine.restart(execution.id)
    assert engine.wait(execution.id, timeout=20).state == "SUCCESS"
    [child] = engine.executions("tests", "child")
    assert (child.state, len(child.task_runs["first"].attempts)) == ("SUCCESS", 1)


def test_a_replay_is_a_new_execution(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: a, type: return, format: '{{ inputs.n }}'}", more="inputs: [{id: n, type: INT}]", n=1)
    new = engine.wait(engine.replay(execution.id).id, timeout=20)
    assert new.id != execution.id
    assert (new.original_id, new.state, new.task_runs["a"].outputs) == (execution.id, "SUCCESS", {"value": "1"})
    assert new.labels["system.replay"] == "true"
    other = engine.wait(engine.replay(execution.id, inputs={"n": 5}).id, timeout=20)
    assert other.task_runs["a"].outputs == {"value": "5"}
    with pytest.raises(InputError):
        engine.replay(execution.id, inputs={"n": "many"})


def test_a_replay_from_a_task_takes_over_what_came_before(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: a, type: return, format: "{{ execution.id }}"}
        - id: group
          type: io.kestra.plugin.core.flow.Sequential
          tasks:
            - {id: b, type: return, format: "{{ execution.id }}"}
            - {id: c, type: return, format: "{{ execution.id }}"}
        - {id: d, type: return, format: "{{ execution.id }}"}
    """)
    new = engine.wait(engine.replay(execution.id, execution.task_runs["c"].id).id, timeout=20)
    values = {run.task_id: run.outputs.get("value") for run in new.task_runs}
    assert values == {"a": execution.id, "group": None, "b": execution.id, "c": new.id, "d": new.id}
    assert not {run.id for run in new.task_runs} & {run.id for run in execution.task_runs}
    assert new.state == "SUCCESS"
    with pytest.raises(NotFoundError):
        engine.replay(execution.id, "nope")


def test_a_replay_from_a_round_of_a_loop(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: each
          type: io.kestra.plugin.core.flow.ForEach
          values: [x, y, z]
          tasks:
            - {id: b, type: return, format: "{{ execution.id }}"}
            - {id: c, type: return, format: "{{ execution.id }}"}
    """)
    start = next(run for run in execution.task_runs if run.task_id == "c" and run.value == "y")
    new = engine.wait(engine.replay(execution.id, start.id).id, timeout=20)
    old, mine = execution.id, new.id
    assert {(run.task_id, run.value): run.outputs["value"] for run in new.task_runs if run.value} == {
        ("b", "x"): old, ("c", "x"): old, ("b", "y"): old, ("c", "y"): mine, ("b", "z"): mine, ("c", "z"): mine,
    }  # fmt: skip


def test_a_state_set_by_hand_lets_the_flow_go_on(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: bad, type: io.kestra.plugin.core.execution.Fail}
        - {id: next, type: log, message: on}
    """)
    bad = execution.task_runs["bad"]
    engine.change_state(execution.id, bad.id, "success")
    ended = engine.wait(execution.id, timeout=20)
    assert states(ended) == {"bad": "SUCCESS", "next": "SUCCESS"}
    with pytest.raises(ConflictError, match="there is no state `ok`"):
        engine.change_state(execution.id, bad.id, "ok")
    with pytest.raises(ConflictError, match="a state that ends it"):
        engine.change_state(execution.id, bad.id, "RUNNING")


def test_a_pause_waits_for_somebody(engine: Engine) -> None:
    deployed(
        engine,
        """
        - id: approve
          type: io.kestra.plugin.core.flow.Pause
          onResume:
            - {id: reason, type: STRING}
            - {id: amount, type: INT, defaults: 5}
        - {id: say, type: log, message: "{{ outputs.approve.onResume.reason }} {{ outputs.approve.onResume.amount }}"}
        """.replace("\n        ", "\n"),
    )
    execution = started(engine, "PAUSED")
    assert states(execution) == {"approve": "PAUSED"}
    with pytest.raises(InputError, match="reason"):
        engine.resume(execution.id, {"amount": 1})
    with pytest.raises(InputError, match="no input `x`"):
        engine.resume(execution.id, {"reason": "r", "x": 1})
    resumed = engine.resume(execution.id, {"reason": "fine"})
    assert resumed.state != "PAUSED"
    ended = engine.wait(execution.id, timeout=20)
    assert messages(ended) == ["fine 5"]
    assert "on" in ended.task_runs["approve"].outputs["resumed"]  # type: ignore[operator]
    with pytest.raises(ConflictError, match="nothing to resume"):
        engine.resume(execution.id)


@pytest.mark.parametrize(
    ("properties", "state"),
    [
        ("pauseDuration: PT1H", "SUCCESS"),
        ("delay: PT1H", "SUCCESS"),
        ("pauseDuration: PT1H, behavior: WARN", "WARNING"),
        ("pauseDuration: PT1H, behavior: FAIL", "FAILED"),
        ("pauseDuration: PT1H, behavior: CANCEL", "CANCELLED"),
        ("timeout: PT1H", "FAILED"),
    ],
)
def test_the_end_of_a_pause(tmp_path: Path, properties: str, state: str) -> None:
    clock = FakeClock()
    with Engine(tmp_path / "home", clock=clock) as engine:
        deployed(
            engine,
            f"- {{id: p, type: io.kestra.plugin.core.flow.Pause, {properties}}}\n- {{id: l, type: log, message: on}}",
        )
        execution = started(engine, "PAUSED")
        eventually(lambda: clock.sleepers == 1)
        clock.advance(timedelta(minutes=59))
        assert engine.execution(execution.id).state == "PAUSED"
        clock.advance(timedelta(minutes=2))
        ended = engine.wait(execution.id, timeout=20)
        assert (ended.state, states(ended)["p"]) == (state, state)
        assert ("l" in states(ended)) is (state in ("SUCCESS", "WARNING"))


def test_a_pause_outlives_its_engine(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        deployed(
            engine,
            "- {id: p, type: pause, onResume: [{id: x, type: INT}]}\n"
            "- {id: l, type: log, message: '{{ outputs.p.onResume.x }}'}",
        )
        execution = started(engine, "PAUSED")
    with Engine(tmp_path / "home") as engine:
        assert engine.execution(execution.id).state == "PAUSED"
        engine.resume(execution.id, {"x": 7})
        ended = engine.wait(execution.id, timeout=20)
        assert messages(ended) == ["7"]
        assert len(ended.task_runs) == 2


def test_an_engine_resumes_what_another_one_runs(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as owner, Engine(tmp_path / "home") as other:
        deployed(owner, "- {id: p, type: pause}")
        execution = started(owner, "PAUSED")
        assert other.resume(execution.id).state != "PAUSED"
        assert owner.wait(execution.id, timeout=20).state == "SUCCESS"


def test_a_pause_that_was_passed_does_not_pause_again_after_a_restart(engine: Engine, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    deployed(
        engine,
        "- {id: p, type: pause}\n"
        f"- {{id: s, type: io.kestra.plugin.scripts.shell.Commands, commands: ['test -e {flag}']}}",
    )
    execution = started(engine, "PAUSED")
    engine.resume(execution.id)
    assert engine.wait(execution.id, timeout=20).state == "FAILED"
    flag.touch()
    engine.restart(execution.id)
    assert engine.wait(execution.id, timeout=20).state == "SUCCESS"


def test_an_execution_is_paused_as_a_whole(engine: Engine) -> None:
    deployed(engine, "- {id: s, type: sleep, duration: PT0.5S}\n- {id: l, type: log, message: on}")
    execution = started(engine, "RUNNING")
    assert engine.pause(execution.id).state == "PAUSED"
    eventually(lambda: states(engine.execution(execution.id)) == {"s": "SUCCESS"})
    assert engine.execution(execution.id).state == "PAUSED"
    with pytest.raises(ConflictError, match="nothing asks for inputs"):
        engine.resume(execution.id, {"x": 1})
    engine.resume(execution.id)
    assert engine.wait(execution.id, timeout=20).state == "SUCCESS"
    with pytest.raises(ConflictError, match="nothing to pause"):
        engine.pause(execution.id)


def test_the_end_of_the_last_task_is_no_way_out_of_a_pause(engine: Engine) -> None:
    deployed(engine, "- {id: s, type: sleep, duration: PT0.3S}", "finally: [{id: clean, type: log, message: clean}]")
    execution = started(engine, "RUNNING")
    engine.pause(execution.id)
    eventually(lambda: states(engine.execution(execution.id)) == {"s": "SUCCESS"})
    assert engine.execution(execution.id).state == "PAUSED"
    engine.resume(execution.id)
    assert states(engine.wait(execution.id, timeout=20)) == {"s": "SUCCESS", "clean": "SUCCESS"}


def test_a_paused_execution_is_not_tried_again_before_it_is_resumed(engine: Engine) -> None:
    deployed(
        engine,
        "- {id: s, type: io.kestra.plugin.scripts.shell.Commands, commands: ['sleep 0.3; exit 1']}",
        "retry: {maxAttempts: 2, interval: PT0.01S}",
    )
    execution = started(engine, "RUNNING")
    engine.pause(execution.id)
    eventually(lambda: states(engine.execution(execution.id)) == {"s": "FAILED"})
    engine.resume(execution.id)
    ended = engine.wait(execution.id, timeout=20)
    assert (ended.state, len(ended.task_runs["s"].attempts)) == ("FAILED", 2)


def test_of_two_pauses_the_one_that_began_first_is_resumed(engine: Engine) -> None:
    deployed(engine, "- {id: both, type: parallel, tasks: [{id: a, type: pause}, {id: b, type: pause}]}")
    execution = started(engine, "PAUSED")
    eventually(lambda: [run for run in engine.execution(execution.id).task_runs if run.state == "PAUSED"][1:])
    engine.resume(execution.id)
    assert engine.execution(execution.id).state == "PAUSED"
    assert "b" not in {run.task_id for run in engine.execution(execution.id).task_runs if run.state.is_terminal}
    engine.resume(execution.id)
    assert engine.wait(execution.id, timeout=20).state == "SUCCESS"


def test_a_pause_that_nobody_resumed_pauses_again_after_a_restart(engine: Engine) -> None:
    deployed(engine, "- {id: approve, type: pause}\n- {id: l, type: log, message: approved}")
    execution = started(engine, "PAUSED")
    engine.kill(execution.id)
    engine.wait(execution.id, timeout=20)
    engine.restart(execution.id)
    engine.wait(execution.id, "PAUSED", timeout=20)
    engine.resume(execution.id)
    assert messages(engine.wait(execution.id, timeout=20)) == ["approved"]


def test_a_paused_execution_can_be_killed(engine: Engine) -> None:
    deployed(engine, "- {id: p, type: pause}", "finally: [{id: clean, type: log, message: clean}]")
    execution = started(engine, "PAUSED")
    engine.kill(execution.id)
    ended = engine.wait(execution.id, timeout=20)
    assert (ended.state, states(ended)) == ("KILLED", {"p": "KILLED", "clean": "SUCCESS"})


def test_a_queued_execution_is_forced_to_run(engine: Engine) -> None:
    deployed(engine, "- {id: p, type: pause}", "concurrency: {limit: 1}")
    first, second = started(engine, "PAUSED"), started(engine, "QUEUED")
    engine.force_run(second.id)
    engine.wait(second.id, "PAUSED", timeout=20)
    with pytest.raises(ConflictError, match="nothing to force"):
        engine.force_run(first.id)


def test_an_execution_is_deleted_with_its_files(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: a, type: io.kestra.plugin.scripts.shell.Commands, commands: ["echo x > f"], outputFiles: [f]}
    """)
    [uri] = execution.task_runs["a"].outputs["outputFiles"].values()  # type: ignore[union-attr]
    engine.delete_execution(execution.id)
    assert not engine.store.files.exists(str(uri))
    with pytest.raises(ExecutionNotFoundError):
        engine.execution(execution.id)


def test_the_same_is_done_to_many(engine: Engine) -> None:
    deployed(engine, "- {id: p, type: pause}")
    paused = [started(engine, "PAUSED").id for _ in range(3)]
    with pytest.raises(BulkError, match="2 of 3 executions") as refused:
        engine.bulk("resume", [*paused[:1], "nope", "nor this"])
    assert [problem.path for problem in refused.value.problems] == ["nope", "nor this"]
    assert engine.execution(paused[0]).state == "PAUSED"
    engine.bulk("resume", paused[:1])
    assert engine.wait(paused[0], timeout=20).state == "SUCCESS"
    engine.bulk("kill", namespace="tests", state="PAUSED")
    assert [engine.wait(each, timeout=20).state for each in paused[1:]] == ["KILLED", "KILLED"]
    assert len(engine.bulk("replay", flow_id="flow", state=["KILLED"])) == 2
    with pytest.raises(BulkError, match="nobody can delete it"):
        engine.bulk("delete", flow_id="flow")
    engine.bulk("delete", paused)
    assert len(engine.executions()) == 2
    with pytest.raises(ConflictError, match="nothing called `dance`"):
        engine.bulk("dance")


def test_the_numbers_of_an_execution(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: s, type: sleep, duration: PT0.1S}
        - {id: bad, type: fail, allowFailure: true, retry: {maxAttempts: 2, interval: PT0S}}
    """)
    numbers = {(metric.task_id, metric.name): metric.value for metric in execution.metrics()}
    assert 100 <= numbers["s", "duration"] < 5000
    assert 0 <= numbers["s", "queued"] < 1000
    assert numbers["bad", "attempts"] == 2
    assert {metric.task_id for metric in execution.metrics("bad")} == {"bad"}
