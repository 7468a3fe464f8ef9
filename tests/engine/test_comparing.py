"""Two executions side by side: what differs in states, inputs, outputs, tables and notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.engine.comparing import ExecutionDiff, compare, pick
from nbflow.engine.comparing.notebooks import compare_notebooks
from nbflow.errors import ExecutionNotFoundError
from nbflow.settings import Settings
from nbflow.widgets.diff import diff_html, diff_text

pd = pytest.importorskip("pandas")

from nbflow.engine.comparing.frames import compare_frames  # noqa: E402  # it needs pandas

FLOW = """id: report
namespace: tests
inputs:
  - {id: rows, type: INT}
  - {id: key, type: SECRET, defaults: hunter22}
tasks:
  - id: query
    type: io.kestra.plugin.jdbc.duckdb.Query
    sql: "SELECT range AS n, range * {{ inputs.rows % 10 }} AS m FROM range({{ inputs.rows < 10 ? 3 : inputs.rows }})"
    fetchType: STORE
  - {id: told, type: io.kestra.plugin.core.debug.Return, format: "line\\n{{ inputs.rows }}\\nend"}
  - {id: same, type: io.kestra.plugin.core.debug.Return, format: same}
  - id: maybe
    type: io.kestra.plugin.core.flow.If
    condition: "{{ inputs.rows > 1 }}"
    then:
      - {id: extra, type: io.kestra.plugin.core.debug.Return, format: "<b>"}
outputs:
  - {id: rows, type: INT, value: "{{ inputs.rows }}"}
"""


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with Engine(settings=settings) as engine:
        engine.deploy(FLOW)
        yield engine


def differ(engine: Engine, *rows: int) -> ExecutionDiff:
    before, after = (engine.run("tests", "report", {"rows": each}, wait=True, timeout=30) for each in rows)
    assert before.state == after.state == "SUCCESS"
    return compare(before, after, engine.store.files)


def test_two_equal_runs_differ_in_nothing_but_times(engine: Engine) -> None:
    """Their files lie at different addresses, and their secrets are encrypted differently."""
    found = differ(engine, 1, 1)
    assert found.is_same
    assert found.inputs == found.outputs == ()
    assert "nothing differs but times" in diff_text(found)


def test_values_tasks_and_tables_that_differ_are_told(engine: Engine) -> None:
    found = differ(engine, 1, 2)
    assert [(change.path, change.before, change.after) for change in found.inputs] == [("rows", "1", "2")]
    assert [(change.path, change.after) for change in found.outputs] == [("rows", "2")]
    tasks = {task.task: task for task in found.tasks if not task.is_same}
    assert list(tasks) == ["query", "told", "maybe", "maybe.extra"]
    frame = next(change.frame for change in tasks["query"].outputs if change.path == "uri")
    assert frame is not None
    assert frame.changed == {"m": 2}
    assert frame.values == (("1", "m", "1", "2"), ("2", "m", "2", "4"))
    (told,) = tasks["told"].outputs
    assert told.lines == (" line", "-1", "+2", " end")
    added = [task for task in found.tasks if task.kind == "added"]
    assert [task.task for task in added] == ["maybe.extra"]
    text = diff_text(found)
    assert "  ~ rows: 1 → 2" in text
    assert "row 1, m: 1 → 2" in text
    assert "1 task run without a difference" in text
    assert json.loads(json.dumps(found.to_dict()))["isSame"] is False


def test_tables_of_different_length_are_compared_as_rows(engine: Engine) -> None:
    found = differ(engine, 10, 13)
    frame = next(
        change.frame for task in found.tasks if task.task == "query" for change in task.outputs if change.frame
    )
    assert (frame.shape_before, frame.shape_after) == ((10, 2), (13, 2))
    assert (frame.rows_added, frame.rows_removed) == (12, 9)


def test_another_revision_and_another_state_are_told(engine: Engine) -> None:
    before = engine.run("tests", "report", {"rows": 1}, wait=True)
    engine.deploy(
        FLOW.replace(
            "id: same, type: io.kestra.plugin.core.debug.Return, format: same",
            "id: same, type: io.kestra.plugin.core.execution.Fail",
        )
    )
    after = engine.run("tests", "report", {"rows": 1}, wait=True)
    found = compare(before, after, engine.store.files)
    about = [(change.path, change.before, change.after) for change in found.about]
    assert about == [("revision", "1", "2"), ("state", "SUCCESS", "FAILED")]
    assert next(task.states for task in found.tasks if task.task == "same") == ("SUCCESS", "FAILED")


def test_what_is_shown_is_escaped(engine: Engine) -> None:
    engine.deploy(FLOW.replace("format: same", 'format: "<script>{{ inputs.rows }}"'))
    html = diff_html(differ(engine, 1, 2))
    assert "<script>" not in html
    assert "&lt;script&gt;2" in html


def test_the_two_are_found_by_id_or_as_last_and_previous(engine: Engine) -> None:
    with pytest.raises(ExecutionNotFoundError, match="nothing has run yet"):
        pick(engine)
    first = engine.run("tests", "report", {"rows": 1}, wait=True)
    with pytest.raises(ExecutionNotFoundError, match="has no execution before"):
        pick(engine)
    engine.deploy("id: other\nnamespace: tests\ntasks:\n  - {id: x, type: io.kestra.plugin.core.log.Log, message: x}\n")
    engine.run("tests", "other", wait=True)
    last = engine.run("tests", "report", {"rows": 1}, wait=True)

    def ids(*names: str) -> tuple[str, ...]:
        return tuple(each.id for each in pick(engine, *names))

    assert ids() == ids("previous", "last") == ids("previous", last.id) == (first.id, last.id)
    assert ids("last", "previous") == (last.id, first.id)
    assert ids(first.id, "last") == (first.id, last.id)


def test_frames_are_compared_in_columns_types_and_values() -> None:
    before = pd.DataFrame({"a": [1, 2, None], "b": ["x", "y", "z"], "gone": 0})
    after = pd.DataFrame({"a": [1, 2, None], "b": ["x", "Y", None], "new": 0})
    found = compare_frames(before, after)
    assert (found.columns_added, found.columns_removed) == (("new",), ("gone",))
    assert found.changed == {"b": 2}
    assert not found.is_same
    assert compare_frames(before, before.copy()).is_same
    lists = pd.DataFrame({"l": [[1], [2]]})
    assert compare_frames(lists, lists.copy()).is_same
    assert compare_frames(before[["a"]], before[["a"]].astype("string")).types == (("a", "float64", "string"),)
    many = compare_frames(pd.DataFrame({"n": range(100)}), pd.DataFrame({"n": range(1, 101)}))
    assert many.changed == {"n": 100}
    assert len(many.values) == 20


def notebook(*cells: tuple[str, str]) -> bytes:
    made = [
        {
            "cell_type": "code",
            "source": source,
            "execution_count": number,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [text]}] if text else [],
        }
        for number, (source, text) in enumerate(cells)
    ]
    return json.dumps({"cells": made, "nbformat": 4}).encode()


def test_notebooks_are_compared_cell_by_cell() -> None:
    before = notebook(("n = 1", ""), ("print(n)", "1\n"), ("print('same')", "same\n"), ("old", ""))
    after = notebook(("n = 2", ""), ("print(n)", "2\n"), ("print('same')", "same\n"), ("new", ""), ("more", ""))
    found = compare_notebooks(before, after)
    assert [(cell.kind, cell.number, cell.title) for cell in found] == [
        ("changed", 1, "n = 2"),
        ("changed", 2, "print(n)"),
        ("changed", 4, "new"),
        ("added", 5, "more"),
    ]
    assert found[0].source == ("-n = 1", "+n = 2")
    assert found[1].outputs == ("-1", "+2")
    assert compare_notebooks(before, before) == ()


def test_executed_notebooks_among_the_outputs_are_compared(engine: Engine, tmp_path: Path) -> None:
    engine.deploy(
        "id: nb\nnamespace: tests\ninputs:\n  - {id: file, type: FILE}\ntasks:\n"
        "  - {id: x, type: io.kestra.plugin.core.debug.Return, format: '{{ inputs.file }}'}\n"
    )
    runs = []
    for number in (1, 2):
        path = tmp_path / f"{number}" / "report.ipynb"
        path.parent.mkdir()
        path.write_bytes(notebook(("print(n)", f"{number}\n")))
        runs.append(engine.run("tests", "nb", {"file": path}, wait=True))
    text = diff_text(compare(runs[0], runs[1], engine.store.files))
    assert "~ cell 1: print(n)" in text
    assert "    -1\n" in text
    assert "    +2" in text
