"""ForEachItem: a file in batches, a flow for each, and what comes of it."""

from __future__ import annotations

import io
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from nbflow.errors import FlowValidationError
from nbflow.tasks.flow.batches import _items as items_in
from nbflow.testing import eventually
from tests.tasks.conftest import messages

CHILD = """
id: child
namespace: tests
inputs:
  - {id: items, type: FILE}
  - {id: number, type: INT}
  - {id: fails, type: STRING, defaults: none}
tasks:
  - {id: content, type: return, format: "{{ read(inputs.items) }}"}
  - {id: bad, type: fail, runIf: "{{ inputs.fails == inputs.number ~ '' }}"}
outputs:
  - {id: text, type: STRING, value: "{{ outputs.content.value }}"}
  - {id: number, type: INT, value: "{{ inputs.number }}"}
"""

PARENT = """
id: parent
namespace: tests
inputs: [{id: file, type: FILE}, {id: size, type: INT, defaults: 2}]
tasks:
  - id: each
    type: io.kestra.plugin.core.flow.ForEachItem
    items: "{{ inputs.file }}"
    namespace: tests
    flowId: child
    inputs: {items: "{{ taskrun.items }}", number: "{{ taskrun.iteration }}"MORE}
    PROPERTIES
  - {id: after, type: return, format: "{{ outputs.each.numberOfBatches }} {{ outputs.each.subflowOutputs ?? 'none' }}"}
"""

LINES = "".join(f"line {number}\n" for number in range(5))


def run(engine: Engine, tmp_path: Path, properties: str, *, content: str = LINES, more: str = "") -> Execution:
    engine.deploy(CHILD)
    engine.deploy(PARENT.replace("PROPERTIES", properties.replace("\n", "\n    ")).replace("MORE", more))
    file = tmp_path / "data.csv"
    file.write_text(content)
    return engine.run("tests", "parent", {"file": file}, wait=True, timeout=60)


def shown(execution: Execution) -> list[tuple[str, str]]:
    return [(run.task_id, str(run.state)) for run in execution.task_runs]


def batches(engine: Engine, execution: Execution) -> list[str]:
    """The batches in their order, read through the file of their URIs."""
    uris = engine.read_file(str(execution.task_runs["each_split"].outputs["splits"])).decode().split()
    return [engine.read_file(uri).decode() for uri in uris]


def test_each_batch_runs_the_flow_and_the_outputs_are_merged(engine: Engine, tmp_path: Path) -> None:
    execution = run(engine, tmp_path, "batch: {rows: '{{ inputs.size }}'}")
    assert execution.state == "SUCCESS", messages(execution)
    assert shown(execution) == [
        ("each", "SUCCESS"),
        ("each_split", "SUCCESS"),
        ("each_items", "SUCCESS"),
        ("each_merge", "SUCCESS"),
        ("after", "SUCCESS"),
    ]
    assert batches(engine, execution) == ["line 0\nline 1\n", "line 2\nline 3\n", "line 4\n"]
    outputs = execution.task_runs["each"].outputs
    assert outputs["numberOfBatches"] == 3
    assert outputs["iterations"] == {"CREATED": 0, "RUNNING": 0, "SUCCESS": 3}
    assert execution.task_runs["each_items"].outputs["iterations"] == {"CREATED": 0, "RUNNING": 0, "SUCCESS": 3}
    merged = str(execution.task_runs["each_merge"].outputs["subflowOutputs"])
    assert outputs["subflowOutputs"] == merged
    assert engine.read_file(merged).decode().splitlines() == [
        r'{"text":"line 0\nline 1\n","number":0}',
        r'{"text":"line 2\nline 3\n","number":1}',
        r'{"text":"line 4\n","number":2}',
    ]
    assert [str(attempt.state) for attempt in execution.task_runs["each_items"].attempts] == ["SUCCESS"]
    children = engine.executions("tests", "child")
    assert all("/tasks/each-split/" in str(child.inputs["items"]) for child in children)
    assert {child.labels["system.correlationId"] for child in children} == {execution.id}
    assert all(str(child.inputs["items"]).endswith(".csv") for child in children)


def test_the_merge_is_not_reached_when_a_flow_failed(engine: Engine, tmp_path: Path) -> None:
    execution = run(
        engine, tmp_path, "batch: {rows: 2}\nerrors: [{id: note, type: log, message: x}]", more=", fails: 1"
    )
    assert shown(execution) == [
        ("each", "FAILED"),
        ("each_split", "SUCCESS"),
        ("each_items", "FAILED"),
        ("note", "SUCCESS"),
    ]
    ended = {"CREATED": 0, "RUNNING": 0, "SUCCESS": 2, "FAILED": 1}
    assert execution.task_runs["each"].outputs == {"numberOfBatches": 3, "iterations": ended}


def test_a_failed_flow_is_no_failure_when_it_is_not_transmitted(engine: Engine, tmp_path: Path) -> None:
    execution = run(engine, tmp_path, "batch: {rows: 2}\ntransmitFailed: false", more=", fails: 1")
    assert execution.state == "SUCCESS"
    ended = {"CREATED": 0, "RUNNING": 0, "SUCCESS": 2, "FAILED": 1}
    assert execution.task_runs["each"].outputs["iterations"] == ended
    assert "each_merge" in dict(shown(execution))


def test_flows_that_are_not_waited_for_only_start(engine: Engine, tmp_path: Path) -> None:
    execution = run(engine, tmp_path, "wait: false", more=", fails: 1")
    assert execution.state == "SUCCESS"
    assert execution.task_runs["each"].outputs == {"numberOfBatches": 5, "iterations": {"RUNNING": 0, "SUCCESS": 5}}
    assert execution.task_runs["after"].outputs == {"value": "5 none"}
    eventually(lambda: all(child.state.is_terminal for child in engine.executions("tests", "child")))
    assert len(engine.executions("tests", "child")) == 5


def test_the_limit_bounds_how_many_run_at_once(engine: Engine, tmp_path: Path) -> None:
    execution = run(engine, tmp_path, "concurrencyLimit: 1\nlabels: {batch: 'n{{ taskrun.iteration }}'}")
    assert execution.state == "SUCCESS"
    children = engine.executions("tests", "child")[::-1]
    assert [child.labels["batch"] for child in children] == [f"n{number}" for number in range(5)]
    for before, after in pairwise(children):
        assert before.end is not None
        assert before.end <= after.start


@pytest.mark.parametrize(
    ("batch", "content", "expected"),
    [
        ("{}", "a\nb\n", ["a\n", "b\n"]),
        ("{rows: 2}", "a\nb\nc", ["a\nb\n", "c\n"]),
        ("{partitions: 2}", "a\nb\nc\n", ["a\nc\n", "b\n"]),
        ("{partitions: 5}", "a\nb\n", ["a\n", "b\n"]),
        ("{bytes: '{{ 2 + 2 }}'}", "ab\nc\nde\n", ["ab\nc\n", "de\n"]),
        ("{rows: 1, separator: '--'}", "a-b--c", ["a-b--", "c--"]),
        ("{rows: 2}", "a\r\nb\r\n", ["a\r\nb\r\n"]),
        ("{rows: 2}", "", []),
    ],
)
def test_files_are_split_as_said(engine: Engine, tmp_path: Path, batch: str, content: str, expected: list[str]) -> None:
    file = tmp_path / "raw.txt"
    file.write_bytes(content.encode())
    engine.deploy(CHILD)
    engine.deploy(PARENT.replace("PROPERTIES", f"batch: {batch}").replace("MORE", ""))
    execution = engine.run("tests", "parent", {"file": file}, wait=True, timeout=60)
    assert execution.state == "SUCCESS", messages(execution)
    assert batches(engine, execution) == expected
    assert execution.task_runs["each"].outputs["numberOfBatches"] == len(expected)
    assert ("numberOfBatches" in execution.task_runs["each_items"].outputs) is bool(expected)


def test_a_separator_is_found_where_two_portions_meet() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(3)

    assert list(items_in(Slow(b"a-b--c--dd--"), b"--")) == [b"a-b", b"c", b"dd"]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("some text", "`items` must be the URI of a stored file, got 'some text'"),
        ("kestra:///nowhere.csv", "there is no file kestra:///nowhere.csv in the storage"),
    ],
)
def test_items_that_are_no_stored_file_fail(engine: Engine, items: str, message: str) -> None:
    engine.deploy(CHILD)
    text = PARENT.replace("PROPERTIES", "").replace("MORE", "").replace("{{ inputs.file }}", items)
    engine.deploy(text.replace("{id: file, type: FILE}, ", ""))
    execution = engine.run("tests", "parent", wait=True, timeout=60)
    assert shown(execution) == [("each", "FAILED"), ("each_split", "FAILED")]
    assert message in messages(execution)[0]


def test_a_flow_that_cannot_be_started_is_tried_once(engine: Engine, tmp_path: Path) -> None:
    execution = run(engine, tmp_path, "concurrencyLimit: 1\nrevision: 7")
    assert execution.state == "FAILED"
    assert messages(execution) == [
        "batch 0: the flow tests.child has no revision 7; no further one is begun",
    ]


def test_in_a_loop_each_round_has_its_own(engine: Engine, tmp_path: Path) -> None:
    engine.deploy(CHILD)
    engine.deploy("""
id: parent
namespace: tests
inputs: [{id: a, type: FILE}, {id: b, type: FILE}]
tasks:
  - id: loop
    type: foreach
    values: [a, b]
    tasks:
      - id: each
        type: for_each_item
        items: "{{ inputs[parent.taskrun.value] }}"
        namespace: tests
        flowId: child
        inputs: {items: "{{ taskrun.items }}", number: "{{ taskrun.iteration }}"}
  - {id: after, type: return, format: "{{ outputs.each.a.numberOfBatches }}{{ outputs.each.b.numberOfBatches }}"}
""")
    for name in "ab":
        (tmp_path / name).write_text("x\n" * (1 if name == "a" else 3))
    execution = engine.run("tests", "parent", {name: tmp_path / name for name in "ab"}, wait=True, timeout=60)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["after"].outputs == {"value": "13"}


def test_an_engine_that_takes_over_starts_no_flow_twice(tmp_path: Path) -> None:
    go = tmp_path / "go"
    with Engine(tmp_path / "home") as first:
        first.deploy(
            CHILD.replace(
                "tasks:",
                f"tasks:\n  - {{id: wait, type: shell, commands: ['while [ ! -e {go} ]; do sleep 0.05; done']}}",
            )
        )
        first.deploy(PARENT.replace("PROPERTIES", "concurrencyLimit: 2").replace("MORE", ""))
        file = tmp_path / "data.csv"
        file.write_text(LINES)
        execution_id = first.run("tests", "parent", {"file": file}).id
        eventually(lambda: len(first.executions("tests", "child", state="RUNNING")) == 2)
    go.touch()
    with Engine(tmp_path / "home") as second:
        execution = second.wait(execution_id, timeout=60)
        assert execution.state == "SUCCESS", messages(execution)
        assert len(second.executions("tests", "child")) == 5
        merged = second.read_file(str(execution.task_runs["each"].outputs["subflowOutputs"])).decode()
        assert [line[-2] for line in merged.splitlines()] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ("{rows: 0}", "tasks[0].batch.rows"),
        ("{bytes: many}", "must be a size such as 512Mi or 2GB"),
        ("{lines: 3}", "lines"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(engine: Engine, batch: str, message: str) -> None:
    with pytest.raises(FlowValidationError) as refused:
        engine.deploy(PARENT.replace("PROPERTIES", f"batch: {batch}").replace("MORE", ""))
    assert message in str(refused.value)


def test_a_file_is_never_in_memory_as_a_whole(engine: Engine, tmp_path: Path) -> None:
    line = b"x" * 999 + b"\n"
    file = tmp_path / "large.csv"
    file.write_bytes(line * 30_000)
    engine.deploy("id: child\nnamespace: tests\ntasks: [{id: one, type: log, message: x}]\n")
    parent = PARENT.replace("MORE", "").replace('inputs: {items: "{{ taskrun.items }}", number', "inputs: {number")
    for batch in ("{bytes: 15MB}", "{partitions: 2}"):
        engine.deploy(parent.replace("PROPERTIES", f"batch: {batch}"))
        tracemalloc.start()
        try:
            execution = engine.run("tests", "parent", {"file": file}, wait=True, timeout=60)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert execution.state == "SUCCESS", messages(execution)
        assert peak < 12_000_000
