"""How much a task may put out, and what is said when it is too much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.engine import Engine
from nbflow.engine.output_limits import check_size
from nbflow.errors import TaskFailedError
from nbflow.settings import Settings
from nbflow.store import json_size
from nbflow.types import JsonValue
from tests.engine.conftest import RunTasks, messages

MEND = (
    "(put it into a stored file and hand on its URI: `outputFiles`, or `fetchType: STORE`; "
    "or raise `maxOutputBytes` in the home's nbflow.yaml)"
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(settings=replace(Settings(tmp_path / "home"), max_output_bytes=2000)) as engine:
        yield engine


def test_too_large_outputs_fail_the_task_with_one_error(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: big, type: return, format: "{{ range(1, 800) }}"}
        - {id: next, type: log, message: on}
    """)
    run = execution.task_runs["big"]
    assert (run.state, run.outputs, [str(attempt.state) for attempt in run.attempts]) == ("FAILED", {}, ["FAILED"])
    assert len(execution.task_runs) == 1
    [message] = messages(execution)
    assert message.startswith("the outputs take 3,") or message.startswith("the outputs take 4,")
    assert " bytes as JSON, and the limit is 2,000: the largest is `value` with " in message
    assert message.endswith(MEND)


def test_outputs_up_to_the_limit_are_kept(run_tasks: RunTasks) -> None:
    text = "x" * (2000 - len('{"value":""}'))
    assert run_tasks(f"- {{id: a, type: return, format: {text}}}").task_runs["a"].outputs == {"value": text}
    assert run_tasks(f"- {{id: a, type: return, format: {text}x}}").state == "FAILED"


def test_outputs_of_a_task_that_failed_are_left_out_with_a_word(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: bad
          type: io.kestra.plugin.scripts.shell.Commands
          commands:
            - "printf '::{\\"outputs\\":{\\"text\\":\\"%02500d\\"}}::\\n' 0"
            - exit 3
    """)
    assert execution.task_runs["bad"].outputs == {}
    assert [message for message in messages(execution) if message.startswith("the outputs take ")]
    assert [message for message in messages(execution) if "exit status 3" in message]


def test_outputs_of_the_flow_are_limited_too(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        "- {id: a, type: return, format: small}",
        more="""
outputs:
  - {id: small, type: STRING, value: "{{ outputs.a.value }}"}
  - {id: big, type: JSON, value: "{{ range(1, 800) }}"}
""",
    )
    assert (execution.state, execution.outputs) == ("FAILED", {})
    [message] = messages(execution)
    assert message.startswith("outputs of the flow: the outputs take 3,")
    assert "the largest is `big` with 3," in message


def test_outputs_of_tasks_around_others_are_limited_too(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(f"id: child\nnamespace: tests\ntasks: [{{id: a, type: return, format: {'y' * 1500}}}]")
    execution = run_tasks("""
        - id: call
          type: io.kestra.plugin.core.flow.Subflow
          namespace: tests
          flowId: child
          outputs: {text: "{{ outputs.a.value }}{{ outputs.a.value }}"}
    """)
    assert execution.state == "FAILED"
    assert execution.task_runs["call"].outputs == {}
    assert "the largest is `outputs` with 3,0" in messages(execution)[-1]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


@given(outputs=st.dictionaries(st.text(max_size=5), values, max_size=5), limit=st.integers(1, 2000))
def test_the_limit_holds_to_the_byte(outputs: dict[str, JsonValue], limit: int) -> None:
    is_refused = False
    try:
        check_size(outputs, limit)
    except TaskFailedError:
        is_refused = True
    assert is_refused is (bool(outputs) and json_size(outputs) > limit)


def test_small_outputs_are_not_written_to_be_measured() -> None:
    class Unwritable:
        """No JSON value: writing it would fail."""

    check_size({"a": Unwritable(), "b": list(range(100))}, 1_000_000)  # type: ignore[dict-item]
