"""What a task runner allows a script, as flows say it."""

from __future__ import annotations

import sys

import pytest

from tests.tasks.conftest import RunTasks, messages

PROCESS = "io.kestra.plugin.core.runner.Process"


@pytest.mark.parametrize(
    "how",
    [
        'type: python, script: "while True: pass"',
        "type: shell, commands: [\"python -c 'while True: pass'\"]",
    ],
)
def test_a_script_that_computes_too_long_is_ended_and_told_why(how: str, run_tasks: RunTasks) -> None:
    execution = run_tasks(f"- {{id: s, {how}, taskRunner: {{type: {PROCESS}, cpuTime: PT1S}}}}")
    assert execution.state == "FAILED"
    assert messages(execution)[-1].startswith("the script was ended: it computed longer than its limit")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are enforced by Linux alone")
def test_a_script_gets_no_more_memory_than_its_runner_allows(run_tasks: RunTasks) -> None:
    execution = run_tasks(f"""
        - id: s
          type: python
          taskRunner: {{type: {PROCESS}, memory: 300Mi}}
          script: b = bytearray(400 * 1024**2)
    """)
    assert messages(execution)[-1] == "the script ended with exit status 1: MemoryError"


def test_a_limit_of_the_task_counts_before_that_of_the_runner(run_tasks: RunTasks) -> None:
    execution = run_tasks(f"""
        - id: s
          type: python
          runConfig: {{memory: 1GB}}
          taskRunner: {{type: {PROCESS}, memory: 300Mi}}
          script: b = bytearray(400 * 1024**2)
    """)
    assert execution.state == "SUCCESS"
