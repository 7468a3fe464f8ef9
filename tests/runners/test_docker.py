"""Commands run in containers of a real engine: files, environment, output, exit status, limits, and their end."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine, Execution
from nbflow.runners.docker import Docker
from nbflow.settings import DockerSettings, Settings
from nbflow.testing import eventually
from tests.podman import BOX, PYTHON_VOLUMES, Podman, podman

__all__ = ["podman"]

RunTasks = Callable[..., Execution]
SCRIPT = "io.kestra.plugin.scripts.shell.Script"
COMMANDS = "io.kestra.plugin.scripts.shell.Commands"
RUNNER = "io.kestra.plugin.scripts.runner.docker.Docker"


@pytest.fixture
def engine(podman: Podman, settings: Settings) -> Iterator[Engine]:
    docker = DockerSettings("require", podman.host)
    with Engine(settings.home, settings=Settings(settings.home, durability="normal", docker=docker)) as engine:
        yield engine
    assert podman.containers() == [], "a container was left behind"


@pytest.fixture
def run(engine: Engine) -> RunTasks:
    """Run a flow made of these tasks (YAML) to its end."""

    def run(tasks: str, *, wait: bool = True, **inputs: object) -> Execution:
        engine.deploy("id: flow\nnamespace: tests\ntasks:\n" + indent(dedent(tasks), "  "))
        return engine.run("tests", "flow", inputs, wait=wait, timeout=60)

    return run


@pytest.fixture
def shell(run: RunTasks) -> RunTasks:
    """Run one shell script in a container; further properties are those of the task, or of its runner."""

    def shell(script: str, *, wait: bool = True, runner: dict[str, object] | None = None, **more: object) -> Execution:
        task = {
            "id": "script",
            "type": SCRIPT,
            "containerImage": BOX,
            "taskRunner": {"type": RUNNER, **(runner or {})},
            "script": dedent(script),
            **more,
        }
        return run(f"- {json.dumps(task)}", wait=wait)

    return shell


def lines(execution: Execution) -> list[tuple[str, str]]:
    return [(str(entry.level), entry.message) for entry in execution.logs()]


def test_a_script_runs_in_its_image_and_not_on_this_machine(shell: RunTasks) -> None:
    execution = shell("tail -n 1 /etc/passwd; echo $WORKING_DIR; pwd")
    assert execution.state == "SUCCESS", lines(execution)
    said = [message for _, message in lines(execution)]
    assert said[0] == "ada:x:1234:1234::/tmp:/bin/sh"
    assert said[1] == said[2]


def test_standard_output_and_error_are_told_apart(shell: RunTasks) -> None:
    execution = shell("echo out; echo error >&2; printf 'no end'")
    assert execution.state == "WARNING"
    assert sorted(lines(execution)) == [("ERROR", "error"), ("INFO", "no end"), ("INFO", "out")]


def test_lines_come_while_the_container_runs(shell: RunTasks, engine: Engine) -> None:
    execution = shell("echo first; while [ ! -e go ]; do sleep 0.1; done", wait=False)
    eventually(lambda: lines(execution) == [("INFO", "first")])
    assert execution.refresh().state == "RUNNING"
    engine.kill(execution.id)
    execution.wait(timeout=30)
    assert execution.state == "KILLED"


def test_the_exit_status_is_that_of_the_command(shell: RunTasks) -> None:
    execution = shell("echo 'no such thing' >&2; exit 3")
    assert execution.state == "FAILED"
    assert execution["script"].outputs["exitCode"] == 3
    assert "exit status 3: no such thing" in lines(execution)[-1][1]


def test_messages_of_the_script_become_outputs_and_metrics(shell: RunTasks) -> None:
    execution = shell("""
        echo '::{"outputs": {"rows": 3}, "metrics": [{"name": "rows", "type": "counter", "value": 3}]}::'
    """)
    assert execution["script"].outputs["vars"] == {"rows": 3}


def test_files_go_in_and_come_out(shell: RunTasks, engine: Engine) -> None:
    execution = shell(
        "cat in.txt deep/er.txt > out.txt; echo x > '{{ outputDir }}/given.txt'; mkdir new; echo y > new/n.csv",
        inputFiles={"in.txt": "one\n", "deep/er.txt": "two\n"},
        outputFiles=["out.txt", "**/*.csv"],
    )
    assert execution.state == "SUCCESS", lines(execution)
    files = execution["script"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert {name: engine.read_file(str(uri)) for name, uri in files.items()} == {
        "out.txt": b"one\ntwo\n",
        "given.txt": b"x\n",
        "new/n.csv": b"y\n",
    }


def test_tasks_that_share_a_directory_see_each_others_files(run: RunTasks) -> None:
    first = "echo new > old.txt; rm gone.txt; echo 1 > one"
    execution = run(f"""
        - id: shared
          type: io.kestra.plugin.core.flow.WorkingDirectory
          inputFiles: {{old.txt: "old", gone.txt: "gone"}}
          tasks:
            - {{id: first, type: {COMMANDS}, containerImage: {BOX}, commands: ["{first}"]}}
            - {{id: second, type: {COMMANDS}, containerImage: {BOX}, commands: ["cat old.txt one; ls"]}}
            - {{id: third, type: {COMMANDS}, commands: ["cat old.txt one; ls"]}}
    """)
    assert execution.state == "SUCCESS", lines(execution)
    assert [message for _, message in lines(execution)] == ["new", "1", "old.txt", "one"] * 2


def test_a_mounted_directory_serves_as_well(shell: RunTasks, engine: Engine) -> None:
    execution = shell(
        "cat in.txt > out.txt",
        inputFiles={"in.txt": "one\n"},
        outputFiles=["out.txt"],
        runner={"fileHandlingStrategy": "MOUNT"},
    )
    assert execution.state == "SUCCESS", lines(execution)
    files = execution["script"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert engine.read_file(str(files["out.txt"])) == b"one\n"


def test_links_out_of_the_directory_do_not_come_back(shell: RunTasks) -> None:
    execution = shell("ln -s /etc/passwd away; echo a > a; ln -s a near; ln a twin", outputFiles=["*"])
    assert execution.state == "SUCCESS", lines(execution)
    files = execution["script"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert sorted(files) == ["a", "near", "twin"]


def test_the_environment_is_the_tasks_and_the_images(shell: RunTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THIS_MACHINE", "secret")
    execution = shell('env; echo "$GREETING"', env={"GREETING": "{{ flow.id }}"}, runner={"env": {"MORE": "more"}})
    said = [message for _, message in lines(execution)]
    assert said[-1] == "flow"
    assert "MORE=more" in said
    assert not any("OF_THIS_MACHINE" in line for line in said)
    assert next(line for line in said if line.startswith("PATH=")).startswith("PATH=/usr/local/sbin:")


def test_the_user_is_another_one_and_can_work_with_the_files(shell: RunTasks) -> None:
    execution = shell("id -u; echo more >> in.txt; cat in.txt", inputFiles={"in.txt": "one\n"}, runner={"user": "1234"})
    assert [message for _, message in lines(execution)] == ["1234", "one", "more"], lines(execution)


def test_an_entry_point_stands_before_the_command(shell: RunTasks) -> None:
    execution = shell("unused", runner={"entryPoint": ["echo", "said:"]})
    assert lines(execution)[0][1].startswith("said: /bin/sh ")


def test_properties_of_the_runner_take_expressions(run: RunTasks) -> None:
    execution = run(f"""
        - id: script
          type: {SCRIPT}
          taskRunner:
            type: {RUNNER}
            image: "{{{{ flow.id | replace({{'flow': '{BOX}'}}) }}}}"
            user: "{{{{ 1234 }}}}"
            pullPolicy: "{{{{ 'NEVER' }}}}"
            memory: {{memory: "{{{{ 64 }}}}MB"}}
            labels: {{from: "{{{{ flow.namespace }}}}"}}
          script: id -u
    """)
    assert lines(execution) == [("INFO", "1234")]


def test_volumes_are_mounted(shell: RunTasks, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("given\n")
    execution = shell("cat /given/given; echo x > /given/given", runner={"volumes": [f"{tmp_path}:/given:ro"]})
    assert execution.state == "FAILED"
    assert lines(execution)[0] == ("INFO", "given")
    assert "Read-only file system" in lines(execution)[1][1]


def test_python_runs_with_the_images_interpreter_and_finds_kestra(run: RunTasks) -> None:
    task = {
        "id": "script",
        "type": "io.kestra.plugin.scripts.python.Script",
        "containerImage": BOX,
        "beforeCommands": ["export BEFORE=done"],
        "taskRunner": {"type": RUNNER, "volumes": PYTHON_VOLUMES},
        "script": "import os\nfrom kestra import Kestra\nKestra.outputs({'before': os.environ['BEFORE']})",
    }
    execution = run(f"- {json.dumps(task)}")
    assert execution.state == "SUCCESS", lines(execution)
    assert execution["script"].outputs["vars"] == {"before": "done"}


@pytest.mark.parametrize(
    "properties",
    [
        {"containerImage": BOX},
        {"docker": {"image": BOX, "pullPolicy": "NEVER"}},
        {"runner": "DOCKER", "docker": {"image": BOX, "user": "root", "cpu": {"cpus": 1}}},
        {"taskRunner": {"type": "docker", "image": BOX}},
        {"taskRunner": {"type": "io.kestra.plugin.scripts.runner.docker.DockerTaskRunner"}, "containerImage": BOX},
    ],
)
def test_all_ways_to_ask_for_a_container_are_understood(run: RunTasks, properties: dict[str, object]) -> None:
    task = {"id": "script", "type": SCRIPT, "script": '[ -z "$(ls /usr)" ] && ls /bin/busybox', **properties}
    execution = run(f"- {json.dumps(task)}")
    assert lines(execution) == [("INFO", "/bin/busybox")], "an empty /usr is the image's"


def test_a_task_that_is_killed_leaves_no_container(shell: RunTasks, engine: Engine, podman: Podman) -> None:
    execution = shell("trap '' TERM; echo started; sleep 600", wait=False)
    eventually(lambda: lines(execution) == [("INFO", "started")])
    engine.kill(execution.id)
    execution.wait(timeout=30)
    assert execution.state == "KILLED"
    assert podman.containers() == []


def test_a_grace_period_lets_it_end_by_itself(shell: RunTasks, engine: Engine) -> None:
    execution = shell(
        "trap 'echo cleaning; exit 0' TERM; echo started; while true; do sleep 0.05; done",
        wait=False,
        runner={"killGracePeriod": "PT10S"},
    )
    eventually(lambda: lines(execution) == [("INFO", "started")])
    engine.kill(execution.id)
    execution.wait(timeout=30)
    assert execution.state == "KILLED"


def test_a_timeout_ends_the_container(shell: RunTasks, podman: Podman) -> None:
    execution = shell("sleep 600", timeout="PT0.5S")
    assert execution.state == "FAILED"
    assert podman.containers() == []


def test_a_container_may_be_kept(shell: RunTasks, podman: Podman) -> None:
    shell("true", runner={"delete": False})
    [container] = podman.containers()
    assert container.labels["io.nbflow.flow"] == "flow"
    container.remove()


def test_a_container_may_go_on_by_itself(shell: RunTasks, podman: Podman) -> None:
    execution = shell("sleep 600", runner={"wait": False})
    assert execution.state == "SUCCESS"
    [container] = podman.containers()
    assert container.status == "running"
    container.remove(force=True)


def test_an_image_that_must_not_be_pulled_and_is_not_there(shell: RunTasks) -> None:
    execution = shell("true", containerImage="localhost/none:1", runner={"pullPolicy": "NEVER"})
    assert execution.state == "FAILED"
    assert lines(execution)[-1][1] == (
        "the image localhost/none:1 is not there, and `pullPolicy: NEVER` forbids to pull it "
        "(pull it beforehand, or set `pullPolicy: IF_NOT_PRESENT`)"
    )


def test_what_the_engine_refuses_is_said_with_its_reason(shell: RunTasks) -> None:
    execution = shell("true", interpreter=["/no/such/program"])
    assert execution.state == "FAILED"
    assert f"the container of {BOX} cannot be run: " in lines(execution)[-1][1]
    assert "/no/such/program" in lines(execution)[-1][1]


def test_volumes_can_be_switched_off(podman: Podman, settings: Settings) -> None:
    docker = DockerSettings("auto", podman.host, volumes=False)
    with Engine(settings.home, settings=Settings(settings.home, docker=docker)) as engine:
        task = {"id": "a", "type": SCRIPT, "script": "true", "docker": {"image": BOX, "volumes": ["/:/all"]}}
        engine.deploy(f"id: flow\nnamespace: tests\ntasks: [{json.dumps(task)}]")
        execution = engine.run("tests", "flow", wait=True, timeout=30)
    assert execution.state == "FAILED"
    assert "`volumes` are switched off" in lines(execution)[-1][1]


def test_many_lines_come_quickly(shell: RunTasks) -> None:
    start = time.monotonic()
    execution = shell("seq 100000")
    assert execution["script"].outputs["stdOutLineCount"] == 100_000
    assert time.monotonic() - start < 20


def test_limits_and_the_like_reach_the_engine(shell: RunTasks, podman: Podman) -> None:
    execution = shell(
        "grep -c box.example /etc/hosts; df -k /dev/shm | tail -n 1",
        runner={
            "delete": False,
            "cpu": {"cpus": 0.5},
            "memory": {"memory": "64MB", "memoryReservation": "32MB"},
            "shmSize": "8MB",
            "extraHosts": ["box.example:127.0.0.9"],
            "privileged": True,
        },
    )
    [container] = podman.containers()
    host = container.attrs["HostConfig"]
    container.remove()
    assert execution.state == "SUCCESS", lines(execution)
    assert (host["NanoCpus"] or host["CpuQuota"] * 10_000) == 500_000_000
    assert (host["Memory"], host["MemoryReservation"], host["ShmSize"]) == (64 * 1024**2, 32 * 1024**2, 8 * 1024**2)
    assert host["Privileged"]
    said = [message for _, message in lines(execution)]
    assert said[0] == "1"
    assert said[1].split()[1] == "8192"


def test_requests_for_devices_reach_the_engine() -> None:
    request = {"driver": "nvidia", "count": 2, "capabilities": [["gpu"]], "options": {"a": "b"}}
    [asked] = Docker.model_validate({"deviceRequests": [request]})._devices() or []
    assert asked == {
        "Driver": "nvidia",
        "Count": 2,
        "DeviceIDs": [],
        "Capabilities": [["gpu"]],
        "Options": {"a": "b"},
    }


def test_an_empty_entry_point_takes_that_of_the_image_away(shell: RunTasks) -> None:
    assert lines(shell("echo ran", runner={"entryPoint": [""]})) == [("INFO", "ran")]


@pytest.mark.slow
def test_a_million_lines_keep_memory_flat(shell: RunTasks) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    execution = shell("seq 1000000")
    assert execution["script"].outputs["stdOutLineCount"] == 1_000_000
    assert time.monotonic() - start < 120
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 60, f"{grown:.0f} MB more"
