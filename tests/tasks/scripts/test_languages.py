"""Scripts of all languages, with the real interpreters where they are installed and with recorders where not."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from nbflow.model.state import State
from nbflow.plugins import RunnableTask
from nbflow.tasks.scripts import go, jbang, languages, node, python, shell
from nbflow.tasks.scripts.languages import Language
from nbflow.testing import TaskResult, run_task
from tests.tasks.conftest import RunTasks, messages

OTHERS = [
    "r", "julia", "perl", "ruby", "lua", "php", "go", "powershell", "deno", "bun", "groovy", "jbang", "dotnet", "node",
]  # fmt: skip

REAL = {
    "perl": 'print join(",", map { $_ * 2 } 1 .. 3), "\\n";',
    "node": "console.log([1, 2, 3].map((x) => x * 2).join())",
    "ruby": 'puts [1, 2, 3].map { |x| x * 2 }.join(",")',
    "lua": 'print(table.concat({2, 4, 6}, ","))',
    "php": '<?php echo implode(",", [2, 4, 6]), PHP_EOL;',
    "r": 'cat(paste(c(1, 2, 3) * 2, collapse = ","), "\\n", sep = "")',
    "julia": 'println(join([1, 2, 3] * 2, ","))',
    "deno": "console.log([1, 2, 3].map((x: number) => x * 2).join())",
    "bun": "console.log([1, 2, 3].map((x: number) => x * 2).join())",
    "groovy": 'println([1, 2, 3].collect { it * 2 }.join(","))',
    "powershell": "(1..3 | ForEach-Object { $_ * 2 }) -join ','",
    "go": 'package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("2,4,6") }',
}


def task(language: str, kind: str, **properties: object) -> RunnableTask:
    module = importlib.import_module(f"nbflow.tasks.scripts.{language}")
    made = getattr(module, kind).model_validate({"id": "script", **properties})
    assert isinstance(made, RunnableTask)
    return made


def run(language: str, kind: str = "Script", **properties: object) -> TaskResult:
    return run_task(task(language, kind, **properties))


def of(language: str) -> Language:
    found = getattr(languages, language.upper())
    assert isinstance(found, Language)
    return found


def is_installed(language: str) -> bool:
    return any(shutil.which(program.split()[0]) for program in of(language).programs)


@pytest.mark.parametrize("language", REAL)
def test_scripts_run(language: str) -> None:
    if not is_installed(language):
        pytest.skip(f"{of(language).name} is not installed")
    result = run(language, script=REAL[language])
    assert result.state == "SUCCESS", result.messages
    assert result.messages == ["2,4,6"]


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH; `record` puts a program there that says how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def record(folder: Path, name: str) -> None:
    program = folder / name
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "for each in sys.argv: print(os.path.basename(each))\n"
        "for each in sys.argv[1:]:\n"
        "    if os.path.isfile(each): print(open(each).read())\n"
    )
    program.chmod(0o755)


@pytest.mark.parametrize("language", [name for name in OTHERS if name != "powershell"])
def test_each_language_hands_a_file_to_its_program(language: str, recorder: Path) -> None:
    words = of(language).programs[0].split()
    record(recorder, words[0])
    result = run(language, script="the {{ 1 + 1 }} script")
    assert result.state == "SUCCESS", result.messages
    options = ["--quiet"] if language == "jbang" else []
    assert result.messages == [*words, *options, f"script-script{of(language).suffix}", "the 2 script"]


def test_powershell_calls_the_file_and_ends_with_its_status(recorder: Path) -> None:
    record(recorder, "pwsh")
    result = run("powershell", script="Get-Item x")
    assert result.state == "SUCCESS", result.messages
    options = ["-NoProfile", "-NonInteractive", "-Command"]
    assert result.messages == ["pwsh", *options, "script-script.ps1'", "exit $LASTEXITCODE"]


@pytest.mark.parametrize("language", OTHERS)
def test_an_interpreter_that_is_missing_is_named(language: str, recorder: Path) -> None:
    result = run(language, script="x")
    assert result.state == "FAILED"
    name, program = of(language).name, of(language).programs[0].split()[0]
    assert result.messages[0].startswith(f"{name} is not installed: there is no `{program}` on the PATH (")
    assert f"containerImage: {of(language).image}" in result.messages[0]


def test_an_interpreter_may_have_another_name(recorder: Path) -> None:
    record(recorder, "lua5.4")
    assert run("lua", script="x").messages[0] == "lua5.4"


def test_commands_before_a_script_may_install_its_interpreter(recorder: Path) -> None:
    record(recorder, "template")
    for tool in ("mv", "sh"):
        found = shutil.which(tool, path=os.defpath)
        assert found
        (recorder / tool).symlink_to(found)
    result = run("julia", script="x", beforeCommands=[f"mv {recorder}/template {recorder}/julia"])
    assert result.messages[0] == "julia"


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_takes_shell_commands(language: str) -> None:
    if language == "powershell":
        pytest.skip("its commands are its own")
    assert run(language, "Commands", commands=["echo one", "echo two"]).messages == ["one", "two"]


def test_a_go_file_is_never_taken_for_a_test_or_for_another_system(recorder: Path) -> None:
    record(recorder, "go")
    for name in ("load_test", "load_windows"):
        result = run_task(go.Script(id=name, script="package main"))
        assert result.messages[2] == f"script-{name}-main.go"


def test_jbang_runs_other_languages_as_well(recorder: Path) -> None:
    record(recorder, "jbang")
    result = run_task(jbang.Script(id="s", script="x", extension=".kt", quiet=False))
    assert result.messages == ["jbang", "script-s.kt", "x"]


def test_a_shell_script_stops_at_the_first_command_that_fails() -> None:
    script = "echo one\nfalse\necho two"
    stopped = run_task(shell.Script(id="s", script=script))
    assert (stopped.state, stopped.messages[0]) == ("FAILED", "one")
    assert run_task(shell.Script(id="s", script=script, fail_fast=False)).messages == ["one", "two"]


def test_a_shell_script_runs_in_the_shell_it_names() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    result = run_task(shell.Script(id="s", script="echo ${BASH_VERSION:+bash}", interpreter=[bash, "-c"]))
    assert result.messages == ["bash"]


def test_switches_may_be_expressions(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: s
          type: shell
          failFast: "{{ 1 > 2 }}"
          warningOnStdErr: "{{ 1 > 2 }}"
          commands: ["false", "echo careful >&2", "echo last"]
    """)
    assert execution.state == State.SUCCESS
    assert sorted(messages(execution)) == ["careful", "last"]


def test_a_script_takes_arguments() -> None:
    result = run_task(python.Script(id="s", script="import sys; print(sys.argv[1:])", args=["a b", "{{ 1 + 1 }}"]))
    assert result.messages == ["['a b', '2']"]


def test_older_flows_run_the_main_file_among_their_input_files(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: main
          type: io.kestra.core.tasks.scripts.Python
          inputFiles: {main.py: "import sys, data; print(data.rows, sys.argv[1])", data.py: "rows = 3"}
          args: ["{{ 1 + 1 }}"]
        - id: commands
          type: io.kestra.core.tasks.scripts.Bash
          outputDirs: [made]
          files: [one.txt]
          commands:
            - echo 1 > {{ outputDirs.made }}/a.txt
            - echo 2 > {{ outputFiles['one.txt'] }}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert messages(execution) == ["3 2"]
    files = execution.task_runs["commands"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert sorted(files) == ["made/a.txt", "one.txt"]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_main_file_of_node_runs_too() -> None:
    main = node.Script.model_validate(
        {"id": "s", "inputFiles": {"main.js": "console.log(process.argv[2])"}, "args": ["x"]}
    )
    assert run_task(main).messages == ["x"]
