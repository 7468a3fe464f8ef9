"""`nbflow run` as a process: what it shows, what it leaves behind, how it ends."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from nbflow.engine import Engine
from tests.cli.cli_calls import BROKEN, FAILING, HELLO, SLEEPER, command, environment, run_process


@pytest.fixture
def flow_file(tmp_path: Path) -> Path:
    path = tmp_path / "hello.yaml"
    path.write_text(HELLO, encoding="utf-8")
    return path


def test_a_file_is_run_and_shown(home: Path, flow_file: Path) -> None:
    done = run_process(home, ["run", str(flow_file), "name=Ada", "--label", "team=qa"])
    assert (done.status, done.err) == (0, "")
    assert "INFO  greet: Hello Ada" in done.out
    assert "SUCCESS after" in done.out
    assert "greeted: Ada" in done.out
    with Engine(home) as engine:
        [execution] = engine.executions()
        assert execution.labels["team"] == "qa"
        assert f"nbflow executions logs {execution.id}" in done.out
        assert engine.flow("company.team", "hello").source == HELLO


def test_a_deployed_flow_is_run_by_its_name(home: Path) -> None:
    with Engine(home) as engine:
        engine.deploy(HELLO)
    done = run_process(home, ["run", "company.team.hello", "--output", "json"])
    assert done.status == 0
    assert done.json["state"]["current"] == "SUCCESS"
    assert [run["taskId"] for run in done.json["taskRunList"]] == ["greet", "answer"]


def test_a_flow_comes_from_standard_input(home: Path) -> None:
    assert "Hello World" in run_process(home, ["run", "-"], stdin=HELLO).out


def test_a_failed_execution_ends_with_1(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "failing.yml"
    path.write_text(FAILING, encoding="utf-8")
    done = run_process(home, ["run", str(path)])
    assert done.status == 1
    assert "it is broken" in done.out
    assert "FAILED broken" in done.out


def test_an_invalid_flow_ends_with_2_and_points_at_the_fault(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    done = run_process(home, ["run", str(path)])
    assert (done.status, done.out) == (2, "")
    assert f"{path}:5:11" in done.err
    assert "^^^" in done.err
    assert "io.kestra.plugin.core.log.Log" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["company.team.nothing"], "there is no flow `company.team.nothing`"),
        (["nothing.yaml"], "there is no file nothing.yaml"),
        (["hello"], "name a flow"),
        (["company.team.hello", "name"], "an input is written key=value, got `name`"),
        (["company.team.hello", "--label", "x"], "a label is written key=value, got `x`"),
    ],
)
def test_what_cannot_be_run_ends_with_2_and_one_message(home: Path, arguments: list[str], message: str) -> None:
    done = run_process(home, ["run", *arguments])
    assert done.status == 2
    assert done.err.startswith(f"error: {message}")
    assert "Traceback" not in done.err


def test_a_timeout_kills_the_execution(home: Path) -> None:
    done = run_process(home, ["run", "-", "--timeout", "0.5"], stdin=SLEEPER)
    assert done.status == 1
    assert "0.5 s have passed" in done.err
    assert "KILLED after" in done.out


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_kills_the_execution_cleanly(home: Path, tmp_path: Path, number: int, status: int) -> None:
    path = tmp_path / "sleeper.yaml"
    path.write_text(SLEEPER, encoding="utf-8")
    with subprocess.Popen(
        command("run", str(path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home)
    ) as process:
        assert process.stdout is not None
        assert "execution" in process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert "interrupted" in err
    assert "Traceback" not in err
    assert "KILLED after" in out
    with Engine(home) as engine:
        assert [execution.state for execution in engine.executions()] == ["KILLED"]


def test_another_process_follows_and_kills_the_execution(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "sleeper.yaml"
    path.write_text(
        SLEEPER.replace(
            "tasks:\n", "tasks:\n  - id: first\n    type: io.kestra.plugin.core.log.Log\n    message: here\n"
        ),
        encoding="utf-8",
    )
    with subprocess.Popen(
        command("run", str(path)), stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment(home)
    ) as process:
        assert process.stdout is not None
        execution_id = process.stdout.readline().split()[-1]
        follow = command("executions", "logs", "--id", execution_id, "--follow")
        with subprocess.Popen(
            follow, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment(home)
        ) as follower:
            assert follower.stdout is not None
            assert "first: here" in follower.stdout.readline()
            killed = run_process(home, ["executions", "kill", execution_id])
            assert (killed.status, killed.out) == (0, f"{execution_id} KILLED\n")
            follower.communicate(timeout=30)
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, follower.returncode) == (1, 0)
    assert "KILLED after" in out


def test_a_reader_that_goes_away_ends_the_execution(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "chatty.yaml"
    talk = "".join(
        f"  - id: t{number}\n    type: io.kestra.plugin.core.log.Log\n    message: {number}\n" for number in range(30)
    )
    path.write_text(SLEEPER.replace("tasks:\n", f"tasks:\n{talk}"), encoding="utf-8")
    with subprocess.Popen(
        command("run", str(path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(home)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in err
    with Engine(home) as engine:
        assert [execution.state for execution in engine.executions()] == ["KILLED"]
