"""Scripts and commands on the real engine, in real processes."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from nbflow.engine import Engine
from nbflow.model.state import State
from nbflow.tasks.scripts import node, python, shell
from nbflow.tasks.scripts.settings import DockerOptions, NamespaceFiles, RunConfig, RunnerKind, read_size
from nbflow.testing import TaskResult, eventually, run_task
from tests.tasks.conftest import RunTasks, messages


def run_python(script: str, **properties: object) -> TaskResult:
    return run_task(python.Script.model_validate({"id": "script", "script": script, **properties}))


def levels(result: TaskResult) -> list[tuple[str, str]]:
    return [(str(entry.level), entry.message) for entry in result.logs]


def test_a_script_runs_with_the_interpreter_of_the_engine() -> None:
    result = run_python("import sys; print(sys.executable)")
    assert result.state == "SUCCESS"
    assert result.messages == [sys.executable]
    assert result.outputs["exitCode"] == 0
    assert result.outputs["stdOutLineCount"] == 1


def test_expressions_in_a_script_are_rendered_first() -> None:
    task = python.Script(id="script", script="print('{{ vars.name }}')")
    assert run_task(task, variables={"name": "Ada"}).messages == ["Ada"]


def test_stored_files_that_a_script_names_lie_beside_it(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
    - {id: write, type: io.kestra.plugin.core.storage.Write, content: "a,b", extension: .csv}
    - {id: show, type: io.kestra.plugin.scripts.shell.Commands, commands: ["cat {{ outputs.write.uri }}"]}
    - id: change
      type: io.kestra.plugin.scripts.python.Script
      script: |
        path = "{{ outputs.write.uri }}"
        open(path, "a").write(",c")
        print(open(path).read(), path.endswith(".csv"), "kestra:///no/such/file")
    - {id: again, type: io.kestra.plugin.scripts.shell.Commands, commands: ["cat {{ outputs.write.uri }}"]}
    """)
    assert execution.state == "SUCCESS"
    said = [entry.message for entry in execution.logs() if entry.task_id in ("show", "change", "again")]
    assert said[0] == "a,b"
    assert "a,b,c True kestra:///no/such/file" in said
    assert "a,b" in said[2:]  # the stored file is as it was


def test_standard_error_is_logged_as_error_and_ends_in_warning() -> None:
    result = run_python("import sys; print('careful', file=sys.stderr)")
    assert result.state == "WARNING"
    assert levels(result) == [("ERROR", "careful")]
    assert result.outputs["stdErrLineCount"] == 1


def test_standard_error_can_be_left_without_effect() -> None:
    assert run_python("import sys; print('x', file=sys.stderr)", warningOnStdErr=False).state == "SUCCESS"


def test_a_failed_script_names_its_status_and_its_last_words() -> None:
    result = run_python("print('before'); raise ValueError('no rows')")
    assert result.state == "FAILED"
    assert result.messages[0] == "before"
    assert result.messages[-1] == "the script ended with exit status 1: ValueError: no rows"
    assert result.outputs["exitCode"] == 1


def test_a_script_that_is_killed_names_the_signal() -> None:
    result = run_python("import os; os.kill(os.getpid(), 9)")
    assert result.messages == ["the script was ended by SIGKILL"]


def test_values_and_metrics_come_back_through_kestras_package(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: count
          type: io.kestra.plugin.scripts.python.Script
          script: |
            from kestra import Kestra
            Kestra.outputs({"rows": 3, "first": "a"})
            Kestra.outputs({"first": "b"})
            Kestra.counter("rows", 3, {"file": "x"})
            Kestra.timer("load", 1.5)
            Kestra.logger().warning("look here")
        - id: use
          type: io.kestra.plugin.core.debug.Return
          format: "{{ outputs.count.vars.rows }}{{ outputs.count.vars.first }}"
    """)
    assert execution.state == "SUCCESS"
    assert execution.task_runs["use"].outputs == {"value": "3b"}
    assert execution.task_runs["count"].outputs["stdErrLineCount"] == 0
    [entry] = execution.logs("INFO")
    assert entry.level == "WARN"
    assert entry.message.endswith("look here")


KESTRA_SCRIPT = """
from kestra import Kestra
Kestra.outputs({"a": 1})
Kestra.counter("rows", 2)
Kestra.timer("slow", lambda: None)
Kestra.logger().info("said")
import kestra
Kestra.outputs({"from": kestra.__file__})
"""


def test_where_kestras_package_is_missing_a_stand_in_takes_its_place(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    result = run_python(KESTRA_SCRIPT, interpreter=[str(bare / "bin" / "python")])
    assert result.state == "SUCCESS", result.messages
    assert spoken_by(result).endswith("stand_in/kestra.py")
    assert levels(result) == [("INFO", "said")]


def test_the_stand_in_steps_aside_for_kestras_package() -> None:
    task = python.Commands(id="script", commands=["python main.py"], input_files={"main.py": KESTRA_SCRIPT})
    result = run_task(task)
    assert result.state == "SUCCESS", result.messages
    assert "site-packages" in spoken_by(result)


def spoken_by(result: TaskResult) -> str:
    """The file of the module that a script imported as `kestra`."""
    values = result.outputs["vars"]
    assert isinstance(values, dict)
    assert values["a"] == 1
    return str(values["from"])


def test_files_come_in_and_go_out(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: first
          type: io.kestra.plugin.scripts.python.Script
          inputFiles:
            data/in.csv: |
              a,b
              1,2
            map.json: "{{ inputs.map }}"
          outputFiles: ["*.csv", "{{ inputs.name }}.txt"]
          script: |
            import csv, json, pathlib
            rows = list(csv.reader(open("data/in.csv")))
            assert json.load(open("map.json")) == {"k": [1]}
            pathlib.Path("products.csv").write_text("x\\n" + rows[1][0])
            pathlib.Path("note.txt").write_text("hi")
            pathlib.Path("other.log").write_text("no")
        - id: second
          type: io.kestra.plugin.scripts.shell.Commands
          inputFiles: {in.csv: "{{ outputs.first.outputFiles['products.csv'] }}"}
          commands: [cat in.csv]
    """, more="""
        inputs:
          - {id: map, type: JSON, defaults: '{"k": [1]}'}
          - {id: name, type: STRING, defaults: note}
    """)  # fmt: skip
    assert execution.state == "SUCCESS", messages(execution)
    files = execution.task_runs["first"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert sorted(files) == ["note.txt", "products.csv"]
    assert messages(execution) == ["x", "1"]


def test_a_stored_file_given_to_a_script_is_a_copy() -> None:
    task = shell.Commands(
        id="script", commands=["echo changed > a.txt"], input_files={"a.txt": "{{ vars.files['a.txt'] }}"}
    )
    check = run_task(task, files={"a.txt": b"kept"})
    assert check.state == "SUCCESS"


def test_input_files_may_be_json_text() -> None:
    result = run_task(shell.Commands(id="s", commands=["cat a.txt"], input_files='{"a.txt": "inside"}'))
    assert result.messages == ["inside"]


def test_input_files_cannot_leave_the_working_directory() -> None:
    result = run_task(shell.Commands(id="s", commands=["true"], input_files={"../out.txt": "x"}))
    assert result.state == "FAILED"
    assert "`../out.txt` is outside the working directory" in result.messages[0]


def test_output_files_cannot_leave_the_working_directory_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    result = run_task(shell.Commands(id="s", commands=[f"ln -s {tmp_path}/secret.txt a.txt"], output_files=["*.txt"]))
    assert result.state == "FAILED"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.csv", ["a.csv"]),
        ("**/*.csv", ["a.csv", "d/b.csv", "d/e/c.csv"]),
        ("**.csv", ["a.csv", "d/b.csv", "d/e/c.csv"]),
        ("d/**", ["d/b.csv", "d/e/c.csv"]),
        ("d", ["d/b.csv", "d/e/c.csv"]),
        ("*.{csv,txt}", ["a.csv", "t.txt"]),
        ("d/b.csv", ["d/b.csv"]),
        ("./a.csv", ["a.csv"]),
    ],
)
def test_output_files_match_as_in_kestra(pattern: str, names: list[str]) -> None:
    commands = ["mkdir -p d/e", "touch a.csv t.txt d/b.csv d/e/c.csv"]
    result = run_task(shell.Commands(id="s", commands=commands, output_files=[pattern]))
    files = result.outputs["outputFiles"]
    assert isinstance(files, dict)
    assert sorted(files) == names


def test_an_output_file_that_is_missing_is_pointed_out() -> None:
    result = run_task(shell.Commands(id="s", commands=["touch product.csv"], output_files=["products.csv"]))
    assert levels(result) == [("WARN", "outputFiles: nothing matches `products.csv`; there are product.csv")]


def test_files_in_the_output_directory_are_stored() -> None:
    result = run_task(shell.Commands(id="s", commands=["echo 1 > {{ outputDir }}/a.txt; echo 2 > $OUTPUT_DIR/b.txt"]))
    assert sorted(result.files.values()) == [b"1\n", b"2\n"]


def test_files_can_be_named_by_output_files_and_working_dir() -> None:
    result = run_task(
        shell.Commands(
            id="s",
            commands=["echo 1 > {{ outputFiles.out }}", "test $WORKING_DIR = {{ workingDir }}"],
            output_files=["out"],
        )
    )
    assert list(result.files.values()) == [b"1\n"]


def test_commands_stop_at_the_first_that_fails_unless_told_otherwise() -> None:
    commands = ["false", "echo second"]
    assert run_task(shell.Commands(id="s", commands=commands)).messages == ["the script ended with exit status 1"]
    assert run_task(shell.Commands(id="s", commands=commands, fail_fast=False)).messages == ["second"]


def test_before_commands_run_first() -> None:
    result = run_python("print(open('a.txt').read())", beforeCommands=["echo -n early > a.txt"])
    assert result.messages == ["early"]


def test_python_commands_find_the_python_of_the_engine() -> None:
    result = run_task(python.Commands(id="s", commands=["python main.py"], input_files={"main.py": "print('main')"}))
    assert result.messages == ["main"]


def test_commands_too_long_for_an_argument_run_as_well() -> None:
    result = run_task(shell.Commands(id="s", commands=[": " + "x" * 200_000, "echo done"]))
    assert result.messages == ["done"]


def test_another_interpreter_may_be_named() -> None:
    bash = shutil.which("bash")
    assert bash
    result = run_task(shell.Commands(id="s", commands=["echo ${BASH_VERSION:+bash}"], interpreter=[bash, "-c"]))
    assert result.messages == ["bash"]
    result = run_task(shell.Script(id="s", script="echo $((1 + 1))", interpreter=bash))
    assert result.messages == ["2"]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_node_runs_javascript() -> None:
    result = run_task(node.Script(id="s", script="console.log([1, 2].map(x => x * 2).join())"))
    assert result.messages == ["2,4"]


def test_the_older_types_take_scripts_and_commands(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: a, type: io.kestra.core.tasks.scripts.Python, script: "print('one')"}
        - {id: b, type: io.kestra.core.tasks.scripts.Python, commands: ["python -c \\"print('two')\\""]}
        - {id: c, type: io.kestra.core.tasks.scripts.Shell, commands: [echo three]}
        - {id: d, type: io.kestra.core.tasks.scripts.Bash, commands: [echo four]}
    """)
    assert messages(execution) == ["one", "two", "three", "four"]


@pytest.mark.parametrize("properties", [{}, {"script": "x", "commands": ["x"]}])
def test_a_script_task_needs_a_script_or_commands(properties: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="needs `script` or `commands`"):
        python.Script.model_validate({"id": "s", **properties})


def test_the_environment_is_the_tasks_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("SECRET_KEY", "c2VjcmV0")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("KEPT", "kept")
    result = run_python(
        "import os\nfor n in ('PYTHONPATH', 'SECRET_KEY', 'MPLBACKEND', 'KEPT', 'OWN', 'EMPTY'): print(os.getenv(n))",
        env={"OWN": "{{ 1 + 1 }}", "EMPTY": None},
    )
    assert result.messages == ["None", "None", "None", "kept", "2", ""]


def test_a_task_called_like_a_module_does_not_hide_it() -> None:
    result = run_task(python.Script(id="json", script="import json; print(json.dumps(1))"))
    assert result.messages == ["1"]


def test_long_lines_are_kept_in_pieces() -> None:
    result = run_python("print('x' * 100_000)")
    assert "".join(result.messages) == "x" * 100_000
    assert all(len(message) <= 32 * 1024 for message in result.messages)


def test_containers_are_replaced_by_processes_and_the_log_says_so(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: script
          type: io.kestra.plugin.scripts.python.Script
          containerImage: python:slim
          taskRunner: {type: io.kestra.plugin.scripts.runner.docker.Docker, host: "unix:///nowhere/docker.sock"}
          script: print("ran")
    """)
    assert execution.state == "SUCCESS"
    entries = execution.logs()
    assert [str(entry.level) for entry in entries] == ["WARN", "INFO"]
    assert "unix:///nowhere/docker.sock: the script runs as a process of this machine" in entries[0].message
    assert entries[1].message == "ran"


@pytest.mark.parametrize(
    "properties", [{"runner": "DOCKER"}, {"docker": {"image": "python:3.9-slim"}}, {"containerImage": "python:slim"}]
)
def test_older_ways_to_ask_for_a_container_are_understood(
    properties: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    result = run_python("print('ran')", **properties)
    assert [str(entry.level) for entry in result.logs] == ["WARN", "INFO"]


def test_a_process_is_no_container_whatever_the_image() -> None:
    result = run_python("print('ran')", runner=RunnerKind.PROCESS, docker=DockerOptions(image="x"))
    assert levels(result) == [("INFO", "ran")]


def test_a_namespace_without_files_and_files_switched_off_are_no_trouble() -> None:
    assert run_python("print('ran')", namespaceFiles=NamespaceFiles()).state == "SUCCESS"
    assert run_python("print('ran')", namespaceFiles={"enabled": False}).state == "SUCCESS"


@pytest.mark.parametrize(
    ("text", "size"),
    [("512Mi", 512 * 1024**2), ("1GB", 1024**3), ("1g", 1024**3), ("100", 100), ("1.5Ki", 1536), (7, 7)],
)
def test_sizes_are_read(text: object, size: int) -> None:
    assert RunConfig.model_validate({"memory": text}).memory == size


def test_a_size_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a size such as 512Mi"):
        read_size("much")


def test_run_config_limits_memory() -> None:
    result = run_python("b = bytearray(2 * 1024**3)", runConfig={"memory": "512Mi"})
    assert result.messages[-1] == "the script ended with exit status 1: MemoryError"


def test_killing_an_execution_ends_all_its_processes(engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    sleeper = tmp_path / f"sleeper-{os.getpid()}.py"
    sleeper.write_text("import time\ntime.sleep(600)\n")
    execution = run_tasks(f"""
        - id: long
          type: io.kestra.plugin.scripts.shell.Commands
          commands:
            - ({sys.executable} {sleeper} & {sys.executable} {sleeper}) &
            - echo started
            - wait
    """, wait=False)  # fmt: skip
    eventually(lambda: "started" in messages(execution))
    engine.kill(execution.id)
    execution.wait(20)
    assert execution.state == State.KILLED
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(sleeper) in (p.info["cmdline"] or [])]


def test_a_timeout_ends_the_process(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: long, type: shell, commands: [echo started, sleep 600], timeout: PT0.5S}
    """)
    assert execution.state == "FAILED"
    assert messages(execution)[0] == "started"
    assert "longer than its timeout" in messages(execution)[-1]


def make_wheel(directory: Path, name: str, content: str) -> Path:
    """A package of one module, as a wheel, without any tool."""
    wheel = directory / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", content)
        info = f"{name}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def test_dependencies_are_installed_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    wheel = make_wheel(tmp_path, "nbflow_sample", "answer = 42\n")
    script = "import nbflow_sample, sys; print(nbflow_sample.answer, sys.prefix)\n" + KESTRA_SCRIPT
    first = run_python(script, dependencies=[str(wheel)])
    assert first.state == "SUCCESS", first.messages
    assert first.messages[0] == f"installing {wheel}"
    second = run_python(script, dependencies=[str(wheel)])
    assert second.state == "SUCCESS"
    assert second.messages[0].startswith(f"42 {tmp_path}/cache/nbflow/environments/")
    assert spoken_by(second).endswith("stand_in/kestra.py")  # the package is not in that environment


def test_an_environment_left_half_built_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    wheel = make_wheel(tmp_path, "nbflow_sample", "answer = 42\n")
    assert run_python("import nbflow_sample", dependencies=[str(wheel)]).state == "SUCCESS"
    environments = tmp_path / "cache" / "nbflow" / "environments"
    home = next(path for path in environments.iterdir() if path.is_dir())
    (home / "whole").unlink()
    (home / "bin" / "python").unlink()
    assert run_python("import nbflow_sample", dependencies=[str(wheel)]).state == "SUCCESS"
    assert (home / "whole").exists()


def test_dependencies_that_cannot_be_had_fail_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = run_python("pass", dependencies=[str(tmp_path / "missing-1.0-py3-none-any.whl")])
    assert result.state == "FAILED"
    assert "cannot be installed" in result.messages[-1]


def test_secrets_reach_a_script_only_by_its_environment(run_tasks: RunTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", base64.b64encode(b"hush-hush").decode())
    execution = run_tasks("""
        - id: s
          type: python
          env: {TOKEN: "{{ secret('TOKEN') }}"}
          script: |
            import os
            print(len(os.environ["TOKEN"]), os.environ["TOKEN"])
    """)
    assert messages(execution) == ["9 ********"]
