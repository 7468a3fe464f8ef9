"""WorkingDirectory: one directory for all tasks inside, files in and out, and the cache."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.testing import FakeClock, eventually
from tests.tasks.conftest import RunTasks, messages


def values(execution: Execution, task_id: str) -> Mapping[str, object]:
    found = execution.task_runs[task_id].outputs["vars"]
    assert isinstance(found, dict)
    return found


def left_behind(engine: Engine) -> list[str]:
    return os.listdir(engine.settings.home / "tmp")


def test_a_task_finds_what_the_one_before_has_left(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: wd
          type: io.kestra.plugin.core.flow.WorkingDirectory
          inputFiles: {"in/start.txt": "start {{ flow.id }}"}
          outputFiles: ["*.txt"]
          tasks:
            - id: first
              type: shell
              commands: ["cat in/start.txt > stay.txt; echo -n , >> {{ workingDir }}/stay.txt"]
            - id: check
              type: if
              condition: "{{ true }}"
              then:
                - {id: second, type: shell, commands: ["echo -n second >> stay.txt"]}
            - {id: third, type: python, script: "print(open('stay.txt').read(), end='')"}
            - {id: all, type: shell, commands: ["ls; ls -A | grep -c nbflow"]}
        - {id: after, type: return, format: "{{ read(outputs.wd.outputFiles['stay.txt']) }}"}
        - {id: outside, type: shell, commands: ["ls"]}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["after"].outputs == {"value": "start flow,second"}
    assert "start flow,second" in messages(execution)
    # Of what the tasks had for themselves, only the output directory of this very one is there.
    assert [line.message for line in execution.logs("INFO", task_id="all")] == ["in", "stay.txt", "1"]
    assert execution.logs("INFO", task_id="outside") == []
    assert left_behind(engine) == []


def test_runs_of_one_task_at_once_do_not_take_each_others_script(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: wd
          type: working_directory
          outputFiles: ["made/*"]
          inputFiles: {made/0.txt: ""}
          tasks:
            - id: each
              type: foreach
              concurrencyLimit: 0
              values: [1, 2, 3, 4]
              tasks:
                - {id: write, type: python, script: "import time; time.sleep(0.2);
                    open('made/{{ taskrun.value }}.txt', 'w').write('{{ taskrun.value }}')"}
    """)
    files = execution.task_runs["wd"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert sorted(files) == [f"made/{number}.txt" for number in range(5)]


def test_errors_of_it_work_in_the_directory_too_and_files_are_stored(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: wd
          type: io.kestra.core.tasks.flows.Worker
          outputFiles: [note.txt]
          tasks:
            - {id: bad, type: shell, commands: ["echo noted > note.txt; exit 3"]}
          errors:
            - {id: look, type: shell, commands: ["cat note.txt"]}
          finally:
            - {id: last, type: shell, commands: ["cat note.txt"]}
    """)
    assert execution.state == "FAILED"
    assert [line.message for line in execution.logs("INFO") if line.task_id in ("look", "last")] == ["noted", "noted"]
    files = execution.task_runs["wd"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert engine.read_file(str(files["note.txt"])) == b"noted\n"
    assert left_behind(engine) == []


def test_one_inside_another_has_a_directory_of_its_own(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: outer
          type: working_directory
          inputFiles: {a.txt: a}
          tasks:
            - id: inner
              type: working_directory
              inputFiles: {b.txt: b}
              tasks: [{id: within, type: shell, commands: ["ls"]}]
            - {id: beside, type: shell, commands: ["ls"]}
    """)
    logs = [(line.task_id, line.message) for line in execution.logs("INFO")]
    assert logs == [("within", "b.txt"), ("beside", "a.txt")]


def test_a_retry_of_a_task_finds_what_it_has_left(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: wd
          type: working_directory
          tasks:
            - id: try
              type: shell
              retry: {type: constant, interval: PT0.01S, maxAttempts: 3}
              commands: ["echo x >> {{ outputDir }}/own.txt; echo x >> count.txt; test $(wc -l < count.txt) = 3"]
    """)
    assert execution.state == "SUCCESS"
    assert len(execution.task_runs["try"].attempts) == 3
    files = execution.task_runs["try"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert list(files) == ["own.txt"]


CACHED = """
id: flow
namespace: company.team
inputs: [{id: more, type: STRING, defaults: ""}]
tasks:
  - id: wd
    type: io.kestra.plugin.core.flow.WorkingDirectory
    cache: {patterns: ["deps/**"], ttl: PT1H}
    outputFiles: [found.txt]
    tasks:
      - id: find
        type: shell
        commands:
          - mkdir -p deps
          - ls deps | tr '\\n' ' ' > found.txt
          - test -z "{{ inputs.more }}" || touch "deps/{{ inputs.more }}"
          - touch left-out.txt
"""


def found(engine: Engine, **inputs: str) -> str:
    execution = engine.run("company.team", "flow", inputs, wait=True, timeout=30)
    assert execution.state == "SUCCESS", messages(execution)
    files = execution.task_runs["wd"].outputs["outputFiles"]
    assert isinstance(files, dict)
    return engine.read_file(str(files["found.txt"])).decode().strip()


def test_cached_files_are_there_again_until_they_are_too_old(tmp_path: Path) -> None:
    clock = FakeClock()
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(CACHED)
        assert found(engine, more="a") == ""
        clock.advance(timedelta(minutes=40))
        assert found(engine) == "a"
        clock.advance(timedelta(minutes=40))
        assert found(engine, more="b") == ""
        assert found(engine, more="c") == "b"
        assert found(engine) == "b c"
        assert engine.store.files.list("company/team/flow/tasks/wd") == [
            "kestra:///company/team/flow/tasks/wd/cache/cache.tar.gz"
        ]


def test_a_broken_cache_does_no_harm(engine: Engine) -> None:
    engine.deploy(CACHED)
    engine.store.files.put_bytes("company/team/flow/tasks/wd/cache/cache.tar.gz", b"no archive")
    execution = engine.run("company.team", "flow", {"more": "a"}, wait=True, timeout=30)
    assert execution.state == "SUCCESS"
    assert any(message.startswith("the cache cannot be read") for message in messages(execution))
    assert found(engine) == "a"


def test_after_a_crash_the_directory_begins_anew_with_its_input_files(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with Engine(tmp_path / "home") as first:
        first.deploy(f"""
id: flow
namespace: tests
tasks:
  - id: wd
    type: working_directory
    inputFiles: {{in.txt: given}}
    tasks:
      - {{id: before, type: shell, commands: ["touch made.txt"]}}
      - {{id: wait, type: shell, commands: ["while [ ! -e {go} ]; do sleep 0.02; done; ls"]}}
""")
        execution_id = first.run("tests", "flow").id
        eventually(lambda: [run for run in first.task_runs_of(execution_id) if run.task_id == "wait"])
    go.touch()
    with Engine(tmp_path / "home") as second:
        execution = second.wait(execution_id, timeout=30)
        assert execution.state == "SUCCESS"
        assert [run.task_id for run in execution.task_runs] == ["wd", "before", "wait"]
        assert [line.message for line in execution.logs("INFO", task_id="wait")] == ["in.txt"]
        assert left_behind(second) == []


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("namespaceFiles: {namespaces: [a/b]}", "`a/b`"),
        ("inputFiles: {../up.txt: x}", "`../up.txt` is outside the working directory"),
        ("inputFiles: {a.txt: '{{ nothing }}'}", "nothing"),
    ],
)
def test_what_cannot_be_put_in_fails_before_any_task_runs(run_tasks: RunTasks, properties: str, message: str) -> None:
    execution = run_tasks(f"""
        - id: wd
          type: working_directory
          {properties}
          tasks: [{{id: never, type: log, message: never}}]
    """)
    assert [(run.task_id, str(run.state)) for run in execution.task_runs] == [("wd", "FAILED")]
    assert message in messages(execution)[0]


def test_namespace_files_that_are_switched_off_are_no_trouble(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: wd
          type: working_directory
          namespaceFiles: {enabled: false}
          tasks: [{id: once, type: log, message: once}]
    """)
    assert execution.state == "SUCCESS"
    assert execution.task_runs["wd"].outputs == {}


def test_a_kill_removes_the_directory(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: wd, type: working_directory, tasks: [{id: long, type: shell, commands: [touch here, sleep 60]}]}",
        wait=False,
    )
    eventually(lambda: list((engine.settings.home / "tmp").glob("wd-*/here")))
    assert execution.kill().wait(20).state == "KILLED"
    assert left_behind(engine) == []
