"""What happens when something goes wrong: retries, timeouts, `errors`, `finally`, forgiveness, kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError, FlowNotFoundError, InputError
from nbflow.testing import FakeClock, eventually
from tests.engine.conftest import RunTasks, messages, states


def test_errors_run_after_a_failure_and_do_not_mend_it(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail}",
        more="errors:\n  - {id: alert, type: log, message: something failed}",
    )
    assert execution.state == "FAILED"
    assert states(execution) == {"bad": "FAILED", "alert": "SUCCESS"}


def test_errors_of_a_flowable_run_for_failures_in_it(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: block
          type: io.kestra.plugin.core.flow.Sequential
          tasks:
            - {id: bad, type: io.kestra.plugin.core.execution.Fail}
          errors:
            - {id: local, type: log, message: local}
    """)
    assert states(execution) == {"block": "FAILED", "bad": "FAILED", "local": "SUCCESS"}


def test_finally_runs_after_errors(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail}",
        more="""
        errors:
          - {id: alert, type: log, message: alert}
        finally:
          - {id: clean, type: log, message: clean}
        """,
    )
    assert list(states(execution)) == ["bad", "alert", "clean"]
    assert execution.state == "FAILED"


def test_allow_failure_ends_in_warning_and_goes_on(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: bad, type: io.kestra.plugin.core.execution.Fail, allowFailure: true}
        - {id: next, type: log, message: on}
    """)
    assert execution.state == "WARNING"
    assert states(execution) == {"bad": "WARNING", "next": "SUCCESS"}


def test_allow_failure_and_allow_warning_end_in_success(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail, allowFailure: true, allowWarning: true}"
    )
    assert execution.state == "SUCCESS"


def test_retry_gives_up_after_max_attempts(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: bad
          type: io.kestra.plugin.core.execution.Fail
          retry: {type: constant, maxAttempts: 3, interval: PT0.01S}
    """)
    run = execution.task_runs["bad"]
    assert [str(attempt.state) for attempt in run.attempts] == ["FAILED"] * 3
    assert run.state == "FAILED"


def test_retry_stops_once_an_attempt_succeeds(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: flaky
          type: io.kestra.plugin.core.execution.Fail
          condition: "{{ taskrun.attemptsCount < 2 }}"
          retry: {maxAttempts: 5, delay: PT0.01S}
    """)
    assert len(execution.task_runs["flaky"].attempts) == 3
    assert execution.state == "SUCCESS"


def test_a_retry_waits_its_interval_on_the_engines_clock(tmp_path: Path) -> None:
    clock = FakeClock()
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(
            dedent("""
            id: flow
            namespace: tests
            tasks:
              - id: bad
                type: io.kestra.plugin.core.execution.Fail
                retry: {type: exponential, maxAttempts: 3, interval: PT1H}
            """)
        )
        execution = engine.run("tests", "flow")
        for hours in (1, 2):
            eventually(lambda: clock.sleepers)
            assert execution.task_runs["bad"].state == "RETRYING"
            clock.advance(timedelta(hours=hours))
        execution.wait(10)
        starts = [attempt.start for attempt in execution.task_runs["bad"].attempts]
        assert [later - starts[0] for later in starts] == [timedelta(), timedelta(hours=1), timedelta(hours=3)]


def test_timeout_ends_an_attempt_as_failed(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: long, type: io.kestra.plugin.core.flow.Sleep, duration: PT1H, timeout: PT0.05S}")
    assert execution.state == "FAILED"
    assert messages(execution) == ["the attempt was ended: it took longer than its timeout of PT0.05S"]


def test_a_property_that_cannot_be_rendered_fails_its_task(run_tasks: RunTasks) -> None:
    execution = run_tasks('- {id: bad, type: log, message: "{{ 1 / (2 - 2) }}"}')
    assert execution.state == "FAILED"
    assert messages(execution)[0].startswith("a property cannot be rendered: ")


def test_kill_ends_the_execution_and_still_runs_finally(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: long, type: io.kestra.plugin.core.flow.Sleep, duration: PT1H}",
        more="finally:\n  - {id: clean, type: log, message: clean}",
        wait=False,
    )
    eventually(lambda: [run for run in execution.task_runs if run.state == "RUNNING"])
    engine.kill(execution.id)
    execution.wait(10)
    assert execution.state == "KILLED"
    assert states(execution) == {"long": "KILLED", "clean": "SUCCESS"}
    assert [str(state) for state, _ in execution.record.history.moves] == ["CREATED", "RUNNING", "KILLING", "KILLED"]


def test_kill_ends_what_runs_after_a_failure(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: bad, type: io.kestra.plugin.core.execution.Fail}",
        more="errors: [{id: alert, type: sleep, duration: PT1H}]\nfinally: [{id: clean, type: log, message: clean}]",
        wait=False,
    )
    eventually(lambda: states(execution).get("alert") == "RUNNING")
    engine.kill(execution.id)
    execution.wait(10)
    assert execution.state == "KILLED"
    assert states(execution) == {"bad": "FAILED", "alert": "KILLED", "clean": "SUCCESS"}


def test_kill_ends_subflows_that_are_waited_for(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy("""
id: child
namespace: tests
tasks:
  - {id: long, type: io.kestra.plugin.core.flow.Sleep, duration: PT1H}
""")
    execution = run_tasks(
        "- {id: call, type: io.kestra.plugin.core.flow.Subflow, namespace: tests, flowId: child}", wait=False
    )
    child = eventually(lambda: engine.executions(flow_id="child"))[0]
    eventually(lambda: child.state == "RUNNING")
    execution.kill().wait(10)
    child.wait(10)
    assert (str(execution.state), str(child.state)) == ("KILLED", "KILLED")


def test_an_execution_that_has_ended_cannot_be_killed(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: hi, type: log, message: hi}")
    with pytest.raises(ConflictError, match="has ended already: SUCCESS"):
        engine.kill(execution.id)


def test_an_output_that_cannot_be_rendered_fails_the_execution(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: hi, type: log, message: hi}",
        more="outputs:\n  - {id: total, type: INT, value: \"{{ 'many' }}\"}",
    )
    assert execution.state == "FAILED"
    assert "output `total`" in messages(execution)[-1]


def test_bad_inputs_are_all_told_and_nothing_is_started(engine: Engine, run_tasks: RunTasks) -> None:
    more = "inputs:\n  - {id: n, type: INT}\n  - {id: day, type: DATE}"
    with pytest.raises(InputError) as refused:
        run_tasks("- {id: hi, type: log, message: hi}", more=more, n="many", day="tomorrow")
    assert [problem.path for problem in refused.value.problems] == ["inputs.n", "inputs.day"]
    assert engine.executions() == []


def test_a_disabled_flow_is_refused(run_tasks: RunTasks) -> None:
    with pytest.raises(ConflictError, match=r"tests\.flow is disabled"):
        run_tasks("- {id: hi, type: log, message: hi}", more="disabled: true")


def test_an_unknown_flow_is_told_with_the_nearest_name(engine: Engine, run_tasks: RunTasks) -> None:
    run_tasks("- {id: hi, type: log, message: hi}")
    with pytest.raises(FlowNotFoundError, match=r"did you mean `tests\.flow`"):
        engine.run("tests", "flwo")


_CRASHING = """
import os, sys, time
from nbflow.engine import Engine
engine = Engine(sys.argv[1])
engine.deploy(open(sys.argv[2]).read())
execution = engine.run("tests", "flow")
print(execution.id, flush=True)
time.sleep(60)
"""

_SHELL_FLOW = """
id: flow
namespace: tests
tasks:
  - id: first
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo first >> MARKS"]
  - id: second
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo second >> MARKS; test -f GO || sleep 30"]
  - id: third
    type: io.kestra.plugin.core.debug.Return
    format: "{{ outputs.first.exitCode }}"
"""


def test_another_engine_goes_on_after_a_crash_and_runs_nothing_twice(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    flow = tmp_path / "flow.yaml"
    flow.write_text(_SHELL_FLOW.replace("MARKS", str(marks)).replace("GO", str(tmp_path / "go")))
    process = subprocess.Popen(
        [sys.executable, "-c", _CRASHING, str(tmp_path / "home"), str(flow)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    execution_id = process.stdout.readline().strip()
    with Engine(tmp_path / "home", takes_over=False) as watching:
        watched = watching.execution(execution_id)
        eventually(lambda: [run for run in watched.task_runs if run.task_id == "second" and run.state == "RUNNING"])
    eventually(lambda: "second" in marks.read_text())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (tmp_path / "go").touch()
    with Engine(tmp_path / "home") as engine:
        execution = engine.wait(execution_id, timeout=30)
        assert execution.state == "SUCCESS"
        assert marks.read_text().split() == ["first", "second", "second"]
        assert [str(attempt.state) for attempt in execution.task_runs["second"].attempts] == ["KILLED", "SUCCESS"]
        assert execution.task_runs["third"].outputs == {"value": "0"}
