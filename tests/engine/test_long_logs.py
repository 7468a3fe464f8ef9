"""A log that is too long for the history goes on in a file, which has all its lines in the end."""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine, Execution
from nbflow.model.execution import TaskRun
from nbflow.plugins import RunContext, RunnableTask, task_type
from nbflow.settings import Settings
from nbflow.testing import eventually

MOST = 100
GOES_ON = "this log is long: it goes on in a file, which is stored with all lines at the end of the attempt"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "nbflow.yaml").write_text(f"nbflow: {{maxLogLines: {MOST}, maxLogBytes: 100000}}")
    return home


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    with Engine(home) as engine:
        yield engine


def run(engine: Engine, tasks: str, *, wait: bool = True) -> Execution:
    engine.deploy("id: flow\nnamespace: tests\ntasks:\n" + indent(dedent(tasks), "  "))
    return engine.run("tests", "flow", wait=wait, timeout=60)


def messages(execution: Execution) -> list[str]:
    return [entry.message for entry in execution.logs()]


def in_file(engine: Engine, run: TaskRun) -> list[str]:
    """The lines of the last attempt's file, without their instants."""
    uri = run.attempts[-1].log_file
    assert uri is not None
    return [line.partition(" ")[2] for line in engine.read_file(uri).decode().splitlines()]


def test_the_history_has_the_first_lines_and_the_file_has_all(engine: Engine) -> None:
    execution = run(engine, "- {id: long, type: shell, commands: [seq 1000]}")
    numbers = [str(number) for number in range(1, 1001)]
    [task_run] = execution.task_runs
    assert messages(execution) == [
        *numbers[:MOST],
        GOES_ON,
        f"the log of this attempt is in {task_run.attempts[0].log_file}",
    ]
    assert in_file(engine, task_run) == [f"INFO  {number}" for number in numbers]
    assert task_run.outputs["stdOutLineCount"] == 1000
    assert not list((engine.settings.home / "tmp").iterdir())


def test_a_log_that_just_fits_has_no_file(engine: Engine) -> None:
    execution = run(engine, f"- {{id: short, type: shell, commands: [seq {MOST - 1}]}}")
    assert len(messages(execution)) == MOST - 1
    assert execution.task_runs[0].attempts[0].log_file is None


def test_bytes_count_as_well(engine: Engine) -> None:
    execution = run(engine, "- {id: wide, type: python, script: 'for _ in range(20): print(\"é\" * 5000)'}")
    assert messages(execution)[10] == GOES_ON
    assert in_file(engine, execution.task_runs[0]) == [f"INFO  {'é' * 5000}"] * 20


def test_why_a_task_failed_is_in_the_history_all_the_same(engine: Engine) -> None:
    execution = run(engine, """
        - {id: long, type: shell, commands: [seq 1000, "echo broken >&2", exit 3]}
    """)  # fmt: skip
    reason = "the script ended with exit status 3: broken"
    assert reason in messages(execution)
    assert in_file(engine, execution.task_runs[0])[-2:] == ["ERROR broken", f"ERROR {reason}"]


def test_each_attempt_may_fill_the_history_anew(engine: Engine) -> None:
    execution = run(engine, """
        - {id: long, type: shell, commands: [seq 150, "false"], retry: {type: constant, interval: PT0S, maxAttempts: 2}}
    """)  # fmt: skip
    attempts = execution.task_runs[0].attempts
    assert len({attempt.log_file for attempt in attempts}) == 2
    assert messages(execution).count(GOES_ON) == 2
    assert len(in_file(engine, execution.task_runs[0])) == 151


def test_secrets_are_hidden_in_the_rest(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", base64.b64encode(b"hush-hush").decode())
    execution = run(engine, """
        - {id: long, type: shell, env: {TOKEN: "{{ secret('TOKEN') }}"}, commands: [seq 200, echo $TOKEN]}
    """)  # fmt: skip
    assert in_file(engine, execution.task_runs[0])[-1] == "INFO  ********"


def test_messages_of_a_script_count_beyond_the_end_of_the_log(engine: Engine) -> None:
    execution = run(engine, """
        - {id: long, type: shell, commands: [seq 200, "echo '::{\\"outputs\\": {\\"a\\": 1}}::'", echo last]}
    """)  # fmt: skip
    assert execution.task_runs[0].outputs["vars"] == {"a": 1}
    assert in_file(engine, execution.task_runs[0])[-2:] == ["INFO  200", "INFO  last"]


def test_a_log_that_is_killed_keeps_what_it_had(engine: Engine) -> None:
    execution = run(engine, "- {id: long, type: shell, commands: [seq 300, sleep 60]}", wait=False)
    eventually(lambda: GOES_ON in messages(execution))
    execution.kill().wait(10)
    assert in_file(engine, execution.task_runs[0])[:300] == [f"INFO  {number}" for number in range(1, 301)]


_CRASHING = """
import sys, time
from nbflow.engine import Engine
engine = Engine(sys.argv[1])
print(engine.run("tests", "flow").id, flush=True)
time.sleep(60)
"""


def test_what_a_crashed_engine_had_written_is_joined(home: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with Engine(home, takes_over=False) as engine:
        engine.deploy(
            "id: flow\nnamespace: tests\n"
            f'tasks: [{{id: long, type: shell, commands: ["seq -w 100000; test -f {go} || sleep 30"]}}]'
        )
    process = subprocess.Popen([sys.executable, "-c", _CRASHING, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    execution_id = process.stdout.readline().strip()
    eventually(lambda: [file for file in (home / "tmp").glob("*.rest") if file.stat().st_size > 1_000_000])
    with Engine(home, takes_over=False) as watching:
        eventually(lambda: [run for run in watching.execution(execution_id).task_runs if run.state == "RUNNING"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    go.touch()
    with Engine(home) as engine:
        execution = engine.wait(execution_id, timeout=30)
        lost, made = execution.task_runs[0].attempts
        assert lost.log_file is not None
        kept = engine.read_file(lost.log_file).decode().splitlines()
        assert [line.partition("  ")[2] for line in kept[:1000]] == [f"{number:06}" for number in range(1, 1001)]
        assert made.log_file is not None
        assert engine.read_file(made.log_file).count(b"\n") == 100_000


@pytest.mark.slow
def test_a_million_lines_need_no_more_memory(tmp_path: Path) -> None:
    """Without a limit on the history, all rows wait for the writer: whoever prints waits for it as well."""
    settings = Settings(tmp_path / "home", max_log_lines=10_000_000, max_log_bytes=10**9, durability="normal")
    with Engine(settings=settings) as engine:
        run(engine, "- {id: few, type: shell, commands: [seq 20000]}")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        execution = run(engine, "- {id: many, type: shell, commands: [seq 500000]}")
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        assert engine.store.logs.count(execution_id=execution.id) == 500_000
    assert grown < 40, f"{grown:.0f} MB more"


@task_type("tests.engine.Chatterer")
class Chatterer(RunnableTask):
    """Writes many lines from a thread, and sees how many wait."""

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await asyncio.to_thread(self._chatter, ctx)
        return self.Output()

    def _chatter(self, ctx: RunContext) -> None:
        for number in range(60_000):
            ctx.log.info("%d", number)
            if number % 100 == 0:
                WAITING.append(len(ENGINES[-1].store.writer._rows))


ENGINES: list[Engine] = []
WAITING: list[int] = []


def test_a_thread_that_writes_much_waits_for_the_writer(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home", max_log_lines=10_000_000)
    with Engine(settings=settings) as engine:
        ENGINES.append(engine)
        execution = run(engine, "- {id: many, type: tests.engine.Chatterer}")
        assert engine.store.logs.count(execution_id=execution.id) == 60_000
    assert max(WAITING) < 6000
