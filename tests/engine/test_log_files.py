"""`logToFile`: the lines of an attempt are a stored file, and the log of the execution names it."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.model.execution import TaskRun
from nbflow.testing import eventually
from tests.engine.conftest import RunTasks, messages


def log_files(run: TaskRun) -> list[str]:
    return [attempt.log_file or "" for attempt in run.attempts]


def lines(engine: Engine, uri: str) -> list[str]:
    """The lines of a file, without their instants."""
    return [line.partition(" ")[2] for line in engine.read_file(uri).decode().splitlines()]


def test_the_lines_are_in_a_file_that_the_log_names(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: filed, type: log, message: [one, "two ☃"], level: WARN, logToFile: true}
        - {id: next, type: log, message: plain}
    """)
    run = execution.task_runs["filed"]
    uri = f"kestra:///tests/flow/executions/{execution.id}/tasks/filed/{run.id}/attempt-0.log"
    assert log_files(run) == [uri]
    assert lines(engine, uri) == ["WARN  one", "WARN  two ☃"]
    assert messages(execution) == [f"the log of this attempt is in {uri}", "plain"]
    attempts = run.to_dict(execution.record, run.end or run.start)["attempts"]
    assert isinstance(attempts, list)
    assert [each["logFile"] for each in attempts if isinstance(each, dict)] == [uri]
    assert list((engine.settings.home / "tmp").glob("*.log")) == []


def test_an_attempt_without_a_line_has_no_file(run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: quiet, type: return, format: x, logLevel: INFO, logToFile: true}")
    run = execution.task_runs["quiet"]
    assert log_files(run) == [""]
    assert messages(execution) == []
    assert "logFile" not in str(run.to_dict(execution.record, run.start))


def test_each_attempt_has_a_file_and_its_error_is_known_to_expressions(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: bad
          type: io.kestra.plugin.core.execution.Fail
          errorMessage: "number {{ taskrun.attemptsCount }}"
          retry: {maxAttempts: 2, interval: PT0S}
          logToFile: true
        """,
        more='errors: [{id: alert, type: log, message: "failed: {{ error.message }}"}]',
    )
    files = log_files(execution.task_runs["bad"])
    assert [lines(engine, uri) for uri in files] == [["ERROR number 0"], ["ERROR number 1"]]
    assert messages(execution)[-1] == "failed: number 1"


def test_secrets_are_masked(engine: Engine, run_tasks: RunTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_DB", base64.b64encode(b"swordfish").decode())
    execution = run_tasks("- {id: filed, type: log, message: \"it is {{ secret('DB') }}\", logToFile: true}")
    [line] = lines(engine, log_files(execution.task_runs["filed"])[0])
    assert line.startswith("INFO  it is **")
    assert "swordfish" not in line


def test_a_killed_attempt_keeps_its_lines(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: long
          type: io.kestra.plugin.scripts.shell.Commands
          commands: ["echo begun; sleep 60"]
          logToFile: true
        """,
        wait=False,
    )
    eventually(lambda: list((engine.settings.home / "tmp").glob("*.log")))
    execution.kill().wait(10)
    run = execution.task_runs["long"]
    assert str(run.attempts[0].state) == "KILLED"
    assert lines(engine, log_files(run)[0]) == ["INFO  begun"]


_CRASHING = """
import sys, time
from nbflow.engine import Engine
engine = Engine(sys.argv[1])
print(engine.run("tests", "flow").id, flush=True)
time.sleep(60)
"""


def test_what_a_crashed_engine_had_written_is_kept(tmp_path: Path) -> None:
    home, go = tmp_path / "home", tmp_path / "go"
    with Engine(home, takes_over=False) as engine:
        engine.deploy(f"""
id: flow
namespace: tests
tasks:
  - id: long
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo begun; test -f {go} || sleep 30"]
    logToFile: true
""")
    process = subprocess.Popen([sys.executable, "-c", _CRASHING, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    execution_id = process.stdout.readline().strip()
    eventually(lambda: [file for file in (home / "tmp").glob("*.log") if file.stat().st_size])
    with Engine(home, takes_over=False) as watching:
        eventually(lambda: [run for run in watching.execution(execution_id).task_runs if run.state == "RUNNING"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    go.touch()
    with Engine(home) as engine:
        execution: Execution = engine.wait(execution_id, timeout=30)
        files = log_files(execution.task_runs["long"])
        assert [lines(engine, uri) for uri in files] == [["INFO  begun"], ["INFO  begun"]]
        assert files[0] != files[1]
