"""Containers whose nbflow process was killed: taken up again, or removed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.runners.docker import leftovers
from nbflow.settings import DockerSettings, Settings
from nbflow.testing import eventually
from tests.podman import BOX, Podman, podman

__all__ = ["podman"]

_ENGINE = """
import sys, time
from nbflow.engine import Engine
engine = Engine(sys.argv[1])
print(engine.run("tests", "flow").id, flush=True)
time.sleep(600)
"""
_WAITS = """
echo begun >> /shared/begun
echo given > out.txt
echo '::{"outputs": {"first": 1}}::'
while [ ! -e /shared/go ]; do sleep 0.05; done
echo '::{"outputs": {"second": 2}}::'
echo done
"""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A directory that containers and the test share."""
    place = tmp_path / "shared"
    place.mkdir()
    return place


@pytest.fixture
def required(podman: Podman, settings: Settings) -> Iterator[Settings]:
    docker = DockerSettings("require", podman.host)
    yield Settings(settings.home, durability="normal", docker=docker)
    left = podman.containers()
    for container in left:
        container.remove(force=True)
    assert left == [], "a container was left behind"


def killed(podman: Podman, settings: Settings, shared: Path, **runner: object) -> str:
    """The id of an execution whose engine was killed while its container runs."""
    task = {
        "id": "script",
        "type": "shell_script",
        "containerImage": BOX,
        "taskRunner": {"type": "docker", "volumes": [f"{shared}:/shared"], **runner},
        "outputFiles": ["out.txt"],
        "script": _WAITS,
    }
    with Engine(settings.home, takes_over=False) as engine:
        engine.deploy(f"id: flow\nnamespace: tests\ntasks: [{json.dumps(task)}]")
    environment = {**os.environ, "DOCKER_HOST": podman.host, "NBFLOW_DOCKER": "require"}
    process = subprocess.Popen(
        [sys.executable, "-c", _ENGINE, str(settings.home)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    execution_id = process.stdout.readline().strip()
    eventually((shared / "begun").exists, within=30)
    with Engine(settings.home, takes_over=False) as watching:
        eventually(lambda: [run for run in watching.execution(execution_id).task_runs if run.state == "RUNNING"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    [container] = podman.containers()
    assert container.status == "running"
    return execution_id


def begun(shared: Path) -> int:
    return len((shared / "begun").read_text().splitlines())


def messages(execution: Execution) -> list[str]:
    return [entry.message for entry in execution.logs()]


def test_a_container_that_outlived_its_engine_is_taken_up(podman: Podman, required: Settings, shared: Path) -> None:
    execution_id = killed(podman, required, shared)
    with Engine(settings=required) as engine:
        engine.wait(execution_id, state="RUNNING", timeout=30)
        eventually(
            lambda: any("going on with the container" in line for line in messages(engine.execution(execution_id))),
            within=30,
        )
        (shared / "go").touch()
        execution = engine.wait(execution_id, timeout=30)
        assert execution.state == "SUCCESS", messages(execution)
        assert begun(shared) == 1
        outputs = execution["script"].outputs
        assert outputs["vars"] == {"first": 1, "second": 2}
        assert isinstance(outputs["outputFiles"], dict)
        assert engine.read_file(str(outputs["outputFiles"]["out.txt"])) == b"given\n"


def test_a_container_that_has_ended_meanwhile_is_not_run_again(
    podman: Podman, required: Settings, shared: Path
) -> None:
    execution_id = killed(podman, required, shared)
    (shared / "go").touch()
    eventually(lambda: podman.containers()[0].status == "exited")
    with Engine(settings=required) as engine:
        execution = engine.wait(execution_id, timeout=30)
        assert execution.state == "SUCCESS", messages(execution)
    assert begun(shared) == 1


def test_one_that_may_not_be_taken_up_is_removed(podman: Podman, required: Settings, shared: Path) -> None:
    execution_id = killed(podman, required, shared, resume=False)
    (shared / "go").touch()
    with Engine(settings=required) as engine:
        execution = engine.wait(execution_id, timeout=30)
        assert execution.state == "SUCCESS", messages(execution)
    assert begun(shared) == 2


def test_one_whose_execution_is_no_more_is_removed(podman: Podman, required: Settings) -> None:
    of_home = {leftovers.HOME: leftovers.home_id(required.home), leftovers.RESUMABLE: "true"}
    gone = {leftovers.EXECUTION: "none"}
    machine = leftovers._machine()
    for owner in (f"{machine}:1:another-boot:0", f"{machine}:999999999:same-boot:0"):
        labels = {**of_home, **gone, leftovers.OWNER: owner}
        podman.client.containers.run(BOX, ["sleep", "600"], labels=labels, detach=True)
    others = {**of_home, **gone, leftovers.OWNER: owner, leftovers.HOME: "another home"}
    other = podman.client.containers.run(BOX, ["sleep", "600"], labels=others, detach=True)
    with Engine(settings=required) as engine:
        task = {"id": "a", "type": "shell", "commands": ["true"], "containerImage": BOX}
        engine.deploy(f"id: other\nnamespace: tests\ntasks: [{json.dumps(task)}]")
        assert engine.run("tests", "other", wait=True, timeout=30).state == "SUCCESS"
    assert [container.id for container in podman.containers()] == [other.id]
    other.remove(force=True)


def test_a_home_keeps_its_name(tmp_path: Path) -> None:
    name = leftovers.home_id(tmp_path / "home")
    assert leftovers.home_id(tmp_path / "home") == name
    assert leftovers.home_id(tmp_path / "other") != name
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["docker.id"]
