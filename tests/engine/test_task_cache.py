"""`taskCache`: a task that is told the same again takes what it put out the first time."""

from __future__ import annotations

import base64
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.testing import FakeClock
from tests.engine.conftest import RunTasks

COUNT = """
- id: count
  type: io.kestra.plugin.scripts.shell.Commands
  commands:
    - echo worked >> {marks}
    - echo '::{{"outputs":{{"n":"{{{{ inputs.n }}}}"}}}}::'
    - echo text > {{{{ outputDir }}}}/file.txt
  taskCache: {{enabled: {enabled}}}
- {{id: use, type: return, format: "{{{{ outputs.count.vars.n }}}}"}}
"""
INPUT = "inputs: [{id: n, type: STRING, defaults: a}]"


def worked(marks: Path) -> int:
    return len(marks.read_text().split())


def debug(execution: Execution, task: str) -> list[str]:
    return [entry.message for entry in execution.logs("DEBUG", task) if entry.level == "DEBUG"]


def test_the_second_run_takes_the_outputs_of_the_first(run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    tasks = COUNT.format(marks=marks, enabled="true")
    first, second = run_tasks(tasks, more=INPUT), run_tasks(tasks, more=INPUT)
    assert worked(marks) == 1
    assert second.task_runs["count"].outputs == first.task_runs["count"].outputs
    assert second.task_runs["use"].outputs == {"value": "a"}
    assert [str(attempt.state) for attempt in second.task_runs["count"].attempts] == ["SUCCESS"]
    assert debug(second, "count") == [f"nothing has changed: the outputs are those of execution {first.id}"]
    assert debug(first, "count") == []


def test_other_properties_are_another_outcome(run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    tasks = COUNT.format(marks=marks, enabled="true")
    values = [run_tasks(tasks, more=INPUT, n=n).task_runs["use"].outputs["value"] for n in "abab"]
    assert values == ["a", "b", "a", "b"]
    assert worked(marks) == 2


def test_properties_of_every_task_make_no_difference(run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    tasks = COUNT.format(marks=marks, enabled="true")
    run_tasks(tasks, more=INPUT)
    run_tasks(tasks.replace("  taskCache:", "  timeout: PT1M\n  description: d\n  taskCache:"), more=INPUT)
    assert worked(marks) == 1


def test_a_cache_that_is_not_enabled_does_nothing(run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    for _ in range(2):
        run_tasks(COUNT.format(marks=marks, enabled="false"), more=INPUT)
    assert worked(marks) == 2


@pytest.mark.parametrize("ending", ["exit 1", "echo oh >&2"])
def test_only_success_is_taken_again(run_tasks: RunTasks, tmp_path: Path, ending: str) -> None:
    marks = tmp_path / "marks"
    for _ in range(2):
        run_tasks(f"""
            - id: count
              type: io.kestra.plugin.scripts.shell.Commands
              commands: ["echo worked >> {marks}", "{ending}"]
              taskCache: {{enabled: true}}
        """)
    assert worked(marks) == 2


def test_each_task_of_each_flow_has_outcomes_of_its_own(engine: Engine) -> None:
    for flow, tasks in (("one", ("a", "b")), ("two", ("a",))):
        lines = [f"  - {{id: {task}, type: return, format: x, taskCache: {{enabled: true}}}}" for task in tasks]
        engine.deploy("\n".join([f"id: {flow}", "namespace: tests", "tasks:", *lines]))
        execution = engine.run("tests", flow, wait=True, timeout=20)
        assert [debug(execution, task) for task in tasks] == [["x"]] * len(tasks)


def test_rounds_of_a_loop_share_outcomes(run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    execution = run_tasks(f"""
        - id: each
          type: io.kestra.plugin.core.flow.ForEach
          values: [x, y, x]
          tasks:
            - id: count
              type: io.kestra.plugin.scripts.shell.Commands
              commands: ["echo {{{{ taskrun.value }}}} >> {marks}"]
              taskCache: {{enabled: true}}
    """)
    assert execution.state == "SUCCESS"
    assert marks.read_text().split() == ["x", "y"]


def test_an_outcome_is_taken_until_its_time_is_over(tmp_path: Path) -> None:
    clock, marks = FakeClock(), tmp_path / "marks"
    with Engine(tmp_path / "home", clock=clock) as engine:
        engine.deploy(f"""
id: flow
namespace: tests
tasks:
  - id: count
    type: io.kestra.plugin.scripts.shell.Commands
    commands: ["echo worked >> {marks}"]
    taskCache: {{enabled: true, ttl: PT1H}}
""")
        counts = []
        for minutes in (0, 59, 1, 59):
            clock.advance(timedelta(minutes=minutes))
            engine.run("tests", "flow", wait=True, timeout=20)
            counts.append(worked(marks))
        assert counts == [1, 1, 2, 2]


def test_an_outcome_whose_files_are_gone_is_not_taken(engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    tasks = COUNT.format(marks=marks, enabled="true")
    first = run_tasks(tasks, more=INPUT)
    uri = first.task_runs["count"].outputs["outputFiles"]["file.txt"]  # type: ignore[index, call-overload]
    engine.store.files.delete(str(uri))
    second = run_tasks(tasks, more=INPUT)
    assert worked(marks) == 2
    assert debug(second, "count") == [f"execution {first.id} put out the file {uri}, which is gone"]


def test_outcomes_outlive_the_process(engine: Engine, run_tasks: RunTasks, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    run_tasks(COUNT.format(marks=marks, enabled="true"), more=INPUT)
    code = (
        "import sys; from nbflow.engine import Engine; Engine(sys.argv[1]).run('tests', 'flow', wait=True, timeout=30)"
    )
    subprocess.run([sys.executable, "-c", code, str(engine.settings.home)], check=True)
    assert [execution.state for execution in engine.executions(flow_id="flow")] == ["SUCCESS"] * 2
    assert worked(marks) == 1


def test_no_secret_of_the_properties_is_kept(
    engine: Engine, run_tasks: RunTasks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    for secret, times in (("first-password", 1), ("other-password", 2), ("first-password", 2)):
        monkeypatch.setenv("SECRET_DB", base64.b64encode(secret.encode()).decode())
        run_tasks(f"""
            - id: count
              type: io.kestra.plugin.scripts.shell.Commands
              env: {{PASSWORD: "{{{{ secret('DB') }}}}"}}
              commands: ["echo worked >> {marks}"]
              taskCache: {{enabled: true}}
        """)
        assert worked(marks) == times
    engine.store.writer.flush()
    for file in engine.settings.home.rglob("*"):
        assert not file.is_file() or b"-password" not in file.read_bytes()


def test_a_property_whose_value_cannot_be_told_makes_the_task_work(run_tasks: RunTasks, tmp_path: Path) -> None:
    """A text that a task renders with names of its own, which nobody else knows."""
    tasks = """
        - id: count
          type: io.kestra.plugin.scripts.shell.Commands
          commands: ["echo {{ nothing.known }}"]
          taskCache: {enabled: true}
    """
    execution = run_tasks(tasks)
    assert execution.state == "FAILED"
    assert execution.logs("WARN")[0].message.startswith("it cannot be told whether anything has changed: ")
