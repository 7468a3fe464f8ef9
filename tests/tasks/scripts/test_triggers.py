"""Triggers that run a script now and then, and start the flow when it ends as wished."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from nbflow.engine import Engine
from nbflow.errors import NotFoundError

FLOW = """
id: job
namespace: tests
tasks:
  - {id: say, type: return, format: "{{ trigger.exitCode }} {{ trigger.condition }} {{ trigger.vars }}"}
triggers:
  - id: s
"""


def deploy(engine: Engine, trigger: str) -> None:
    engine.deploy(FLOW + indent(dedent(trigger).strip(), "    ") + "\n")


def polled(engine: Engine) -> str | None:
    """What the execution says that a look started; None when it started none."""
    execution = engine.poll("tests", "job", "s")
    return None if execution is None else str(execution.wait(30).task_runs["say"].outputs["value"])


def test_commands_that_begin_to_fail_start_the_flow_once_until_they_have_succeeded(
    engine: Engine, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    deploy(
        engine,
        f"""
        type: io.kestra.plugin.scripts.shell.CommandsTrigger
        exitCondition: exit 1
        commands: [test -f {ready}]
        """,
    )
    assert polled(engine) == "1 exit 1 {}"
    assert polled(engine) is None
    ready.touch()
    assert polled(engine) is None
    ready.unlink()
    assert polled(engine) == "1 exit 1 {}"


@pytest.mark.parametrize(
    ("condition", "fits"), [("state=re.dy", True), ("EXIT 0", True), ("state=(", False), ("exit 1", False)]
)
def test_each_look_at_a_script_counts_without_edge(engine: Engine, condition: str, fits: bool) -> None:
    deploy(
        engine,
        f"""
        type: io.kestra.plugin.scripts.python.ScriptTrigger
        exitCondition: "{condition}"
        edge: false
        env: {{STATE: ready}}
        script: |
          import os
          print('::{{"outputs": {{"state": "' + os.environ["STATE"] + '"}}}}::')
        """,
    )
    said = f'0 {condition} {{"state":"ready"}}' if fits else None
    assert [polled(engine), polled(engine)] == [said, said]


def test_the_message_of_a_script_that_failed_may_be_what_is_wished(engine: Engine) -> None:
    deploy(
        engine,
        """
        type: script_trigger
        exitCondition: disk .* full
        script: |
          echo "the disk / is full" >&2
          exit 3
        """,
    )
    assert polled(engine) == "3 disk .* full {}"


def test_what_cannot_be_run_at_all_is_a_failure_of_the_look(engine: Engine) -> None:
    deploy(
        engine,
        """
        type: io.kestra.plugin.scripts.shell.ScriptTrigger
        exitCondition: exit 1
        inputFiles: {a.txt: "nbflow:///tests/nowhere.txt"}
        script: cat a.txt
        """,
    )
    with pytest.raises(NotFoundError, match="nowhere"):
        engine.poll("tests", "job", "s")
