"""What becomes of a script that wants a container where there is no engine, or where it must not have one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.errors import SettingsError
from nbflow.settings import DockerPolicy, DockerSettings, Settings
from tests.podman import BOX, Podman, podman

__all__ = ["podman"]

PYTHON = "io.kestra.plugin.scripts.python.Script"
IMAGE = "ghcr.io/kestra-io/pydata:latest"


def run(settings: Settings, policy: DockerPolicy, host: str | None, **task: object) -> Execution:
    changed = Settings(settings.home, durability="normal", docker=DockerSettings(policy, host))
    with Engine(settings.home, settings=changed) as engine:
        engine.deploy(f"id: flow\nnamespace: tests\ntasks: [{json.dumps({'id': 'script', 'type': PYTHON, **task})}]")
        return engine.run("tests", "flow", wait=True, timeout=60)


def lines(execution: Execution) -> list[tuple[str, str]]:
    return [(str(entry.level), entry.message) for entry in execution.logs()]


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    """The address of no engine."""
    return f"unix://{tmp_path}/docker.sock"


def test_without_an_engine_a_script_runs_here_and_says_so_once(settings: Settings, nowhere: str) -> None:
    execution = run(settings, "auto", nowhere, containerImage=IMAGE, script="print('ran')")
    assert execution.state == "SUCCESS"
    assert lines(execution) == [
        (
            "WARN",
            f"there is no Docker engine at {nowhere}: the script runs as a process of this machine, without the image "
            f"{IMAGE}; Python packages it needs come from its `dependencies`",
        ),
        ("INFO", "ran"),
    ]


def test_a_module_that_the_image_would_have_had_is_named(settings: Settings, nowhere: str) -> None:
    execution = run(settings, "auto", nowhere, containerImage=IMAGE, script="import no_such_module.deep")
    assert execution.state == "FAILED"
    advice = [message for level, message in lines(execution) if level == "WARN"][1]
    assert advice == (
        f"the module `no_such_module` is not installed here; the image {IMAGE} may have had it: add `no_such_module` "
        "to the task's `dependencies`, or start a Docker engine"
    )


def test_a_program_that_the_image_would_have_had_is_named(settings: Settings, nowhere: str) -> None:
    execution = run(
        settings, "auto", nowhere, type="shell", containerImage="some/tool", commands=["no-such-tool --all"]
    )
    assert execution.state == "FAILED"
    advice = [message for level, message in lines(execution) if level == "WARN"][1]
    assert advice.startswith("there is no program `no-such-tool` here; the image some/tool may have had it")


def test_a_script_that_must_have_a_container_fails_without(settings: Settings, nowhere: str) -> None:
    execution = run(settings, "require", nowhere, containerImage=IMAGE, script="print('ran')")
    assert execution.state == "FAILED"
    assert lines(execution) == [
        (
            "ERROR",
            f"there is no Docker engine at {nowhere} (start Docker or Podman, or name the engine by `DOCKER_HOST`, "
            "or by `docker.host` of the settings)",
        )
    ]


def test_containers_can_be_switched_off(settings: Settings, podman: Podman) -> None:
    execution = run(settings, "never", podman.host, containerImage=BOX, script="print('ran')")
    assert [line for line in lines(execution) if line[0] != "DEBUG"] == [("INFO", "ran")]


def test_the_engine_is_found_by_docker_host(
    settings: Settings, podman: Podman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", podman.host)
    execution = run(settings, "auto", None, type="shell", containerImage=BOX, commands=["ls /bin/busybox"])
    assert lines(execution) == [("INFO", "/bin/busybox")]


def test_a_host_of_the_flow_wins(settings: Settings, podman: Podman, nowhere: str) -> None:
    docker = {"image": BOX, "host": podman.host}
    execution = run(settings, "auto", nowhere, type="shell", docker=docker, commands=["ls /bin/busybox"])
    assert lines(execution) == [("INFO", "/bin/busybox")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nbflow: {docker: never}", DockerSettings("never")),
        ("kestra: {docker: {policy: require, host: 'tcp://box:2375'}}", DockerSettings("require", "tcp://box:2375")),
        ("nbflow: {docker: {volumes: false}}", DockerSettings(volumes=False)),
        ("nbflow: {workerSlots: 3}", DockerSettings()),
    ],
)
def test_the_policy_is_in_the_settings(home: Path, text: str, expected: DockerSettings) -> None:
    home.mkdir()
    (home / "nbflow.yaml").write_text(text)
    assert Settings.load(home).docker == expected


def test_the_environment_wins(home: Path) -> None:
    assert Settings.load(home, {"NBFLOW_DOCKER": "never"}).docker.policy == "never"
    with pytest.raises(SettingsError, match="must be auto or require or never, got perhaps"):
        Settings.load(home, {"NBFLOW_DOCKER": "perhaps"})


def test_a_wrong_policy_is_refused(home: Path) -> None:
    home.mkdir()
    (home / "nbflow.yaml").write_text("nbflow: {docker: perhaps}")
    with pytest.raises(SettingsError, match="must be auto or require or never, got perhaps"):
        Settings.load(home)
