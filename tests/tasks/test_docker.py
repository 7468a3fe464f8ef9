"""Tasks that ask a real Docker engine, and a registry that wants a password."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from nbflow.engine import Engine, Execution
from nbflow.settings import DockerSettings, Settings
from tests.podman import BOX, Podman, podman

__all__ = ["podman"]

RunTask = Callable[..., Execution]


@pytest.fixture
def engine(podman: Podman, settings: Settings) -> Iterator[Engine]:
    docker = DockerSettings("auto", podman.host)
    with Engine(settings.home, settings=Settings(settings.home, durability="normal", docker=docker)) as engine:
        yield engine
    assert podman.containers() == [], "a container was left behind"


@pytest.fixture
def run(engine: Engine) -> RunTask:
    def run(type: str, **properties: object) -> Execution:
        task = {"id": "task", "type": f"io.kestra.plugin.docker.cli.{type}", **properties}
        engine.deploy(f"id: flow\nnamespace: tests\ntasks: [{json.dumps(task)}]")
        return engine.run("tests", "flow", wait=True, timeout=60)

    return run


def said(execution: Execution) -> list[str]:
    return [entry.message for entry in execution.logs()]


def test_a_container_runs_with_files(run: RunTask, engine: Engine) -> None:
    execution = run(
        "Run",
        containerImage=BOX,
        commands=["sh", "-c", "echo $GREETING; cat in.txt > out.txt"],
        env={"GREETING": "hello {{ flow.id }}"},
        inputFiles={"in.txt": "given"},
        outputFiles=["*.txt"],
    )
    assert execution.state == "SUCCESS", said(execution)
    assert said(execution) == ["hello flow"]
    files = execution["task"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert engine.read_file(str(files["out.txt"])) == b"given"


def test_a_container_that_fails_fails_the_task(run: RunTask) -> None:
    execution = run("Run", containerImage=BOX, commands=["sh", "-c", "echo why >&2; exit 4"], user="1234")
    assert execution.state == "FAILED"
    assert said(execution)[-1] == "the container ended with exit status 4: why"
    assert execution["task"].outputs["exitCode"] == 4


def test_a_container_is_not_replaced_by_a_process(settings: Settings) -> None:
    docker = DockerSettings("auto", f"unix://{settings.home}/none.sock")
    with Engine(settings.home, settings=Settings(settings.home, docker=docker)) as engine:
        task = {"id": "task", "type": "docker_run", "containerImage": BOX}
        engine.deploy(f"id: flow\nnamespace: tests\ntasks: [{json.dumps(task)}]")
        execution = engine.run("tests", "flow", wait=True, timeout=60)
    assert execution.state == "FAILED"
    assert said(execution)[-1].startswith(f"there is no Docker engine at unix://{settings.home}/none.sock")


@pytest.fixture
def built(podman: Podman) -> Iterator[str]:
    name = "localhost/built:1"
    yield name
    podman.run("rmi", "--force", "--ignore", name)


def test_an_image_is_built_from_a_text_and_files(run: RunTask, podman: Podman, built: str) -> None:
    execution = run(
        "Build",
        dockerfile=f"FROM {BOX}\nARG WHO\nENV WHO=$WHO\nCOPY say.sh /say.sh\nCMD sh /say.sh\n",
        inputFiles={"say.sh": 'echo "by $WHO"'},
        buildArgs={"WHO": "{{ flow.id }}"},
        labels={"of": "tests"},
        tags=[built],
        pull=False,
    )
    assert execution.state == "SUCCESS", said(execution)
    image = podman.client.images.get(built)
    assert str(execution["task"].outputs["imageId"]).removeprefix("sha256:")[:12] in image.id
    assert image.labels["of"] == "tests"
    assert said(run("Run", containerImage=built)) == ["by flow"]


def test_a_dockerfile_that_is_wrong_says_why(run: RunTask) -> None:
    execution = run("Build", dockerfile=f"FROM {BOX}\nRUN exit 9\n", tags=["localhost/wrong:1"], pull=False)
    assert execution.state == "FAILED"
    assert said(execution)[-1].startswith("the image cannot be built: ")


def test_images_are_pushed_and_pulled_with_a_password(run: RunTask, podman: Podman, engine: Engine) -> None:
    registry = podman.registry
    image = f"{registry.address}/team/box:1"
    login = {"username": registry.user, "password": registry.password}
    assert run("Tag", sourceImage=BOX, targetImage=image).state == "SUCCESS"

    refused = run("Push", tags=[image])
    assert refused.state == "FAILED"
    assert said(refused)[-1].startswith(f"the image {image} cannot be pushed: ")
    assert f"check the name, and the `credentials` for {registry.address}" in said(refused)[-1]

    pushed = run("Push", tags=[image], credentials=login)
    assert pushed.state == "SUCCESS", said(pushed)
    assert "/v2/team/box/manifests/1" in registry.manifests
    assert run("Rm", imageIds=[image]).state == "SUCCESS"

    wrong = run("Pull", image=image, credentials={**login, "password": "wrong"})
    assert wrong.state == "FAILED"
    assert said(wrong)[-1].startswith(f"the image {image} cannot be pulled: ")
    assert "wrong" not in said(wrong)[-1].replace("wrong:", "")

    pulled = run("Pull", image="team/box:1", credentials={**login, "registry": f"http://{registry.address}"})
    assert pulled.state == "SUCCESS", said(pulled)
    assert run("Rm", imageIds=[image], force=True).state == "SUCCESS"

    # A script pulls what is not there, here with a login as Docker's own configuration has it.
    auth = {"auths": {registry.address: {"username": registry.user, "password": registry.password}}}
    runner = {"type": "docker", "config": json.dumps(auth)}
    task = {"id": "a", "type": "shell_script", "containerImage": image, "taskRunner": runner, "script": "echo ran"}
    engine.deploy(f"id: script\nnamespace: tests\ntasks: [{json.dumps(task)}]")
    script = engine.run("tests", "script", wait=True, timeout=60)
    assert said(script) == [f"pulling the image {image}", "ran"]
    podman.run("rmi", "--force", image)


def test_a_container_is_stopped_and_removed(run: RunTask, podman: Podman) -> None:
    podman.client.containers.run(BOX, ["sleep", "600"], name="sleeper", detach=True)
    assert run("Stop", containerId="sleeper", kill=True).state == "SUCCESS"
    assert podman.containers() == []


def test_what_is_not_there_cannot_be_removed(run: RunTask) -> None:
    execution = run("Rm", containerIds=["nobody"])
    assert execution.state == "FAILED"
    assert said(execution)[-1].startswith("the container nobody cannot be removed: ")
