"""Live objects: what tasks put out as objects, and objects given as inputs."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nbflow.engine import Engine, Execution, StoredFile
from nbflow.engine.live.files import CannotOpenError
from nbflow.errors import InputError, NotFoundError
from nbflow.settings import Settings

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

FLOW = """id: live
namespace: tests
inputs:
  - {id: rows, type: FILE, required: false}
  - {id: sheet, type: FILE, extension: .csv, required: false}
  - {id: records, type: JSON, required: false}
  - {id: days, type: ARRAY, itemType: DATE, required: false}
  - {id: number, type: INT, required: false}
  - {id: word, type: STRING, required: false}
tasks:
  - id: query
    type: io.kestra.plugin.jdbc.duckdb.Query
    sql: SELECT range AS n FROM range(3)
    fetchType: STORE
  - id: fetched
    type: io.kestra.plugin.jdbc.duckdb.Query
    sql: SELECT range AS n FROM range(3)
    fetchType: FETCH
  - id: script
    type: io.kestra.plugin.scripts.python.Script
    outputFiles: ["*"]
    script: |
      import pickle
      open("a.csv", "w").write("x,y\\n1,2\\n")
      open("b.txt", "w").write("hello")
      pickle.dump([1], open("c.pickle", "wb"))
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [a, b]
    tasks:
      - {id: inner, type: io.kestra.plugin.core.debug.Return, format: "{{ taskrun.value }}!"}
outputs:
  - {id: file, type: STRING, value: "{{ outputs.query.uri }}"}
  - {id: n, type: INT, value: 3}
"""
CELLS = """id: cells
namespace: tests
tasks:
  - id: extract
    type: nbflow.cells.Python
    script: |
      import numpy as np
      import pandas as pd
      df = pd.DataFrame({"a": [1, 2]}, index=["x", "y"])
      arr = np.arange(3)
      things = {1, 2}
      n = 7
    out: [df, arr, things, n]
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(settings=Settings(tmp_path_factory.mktemp("live") / "home", durability="normal")) as engine:
        engine.deploy(FLOW)
        engine.deploy(CELLS)
        yield engine


@pytest.fixture(scope="module")
def ex(engine: Engine) -> Execution:
    execution: Execution = engine.run("tests", "live", wait=True, timeout=60)
    assert execution.state == "SUCCESS"
    return execution


@pytest.fixture(scope="module")
def cells(engine: Engine) -> Execution:
    execution: Execution = engine.run("tests", "cells", wait=True, timeout=60)
    assert execution.state == "SUCCESS", [line.message for line in execution.logs()]
    return execution


def test_outputs_stay_a_plain_dictionary(ex: Execution) -> None:
    uri = ex["query"].outputs["uri"]
    assert ex.outputs == {"file": uri, "n": 3}
    assert json.loads(json.dumps(ex.outputs)) == {"file": uri, "n": 3}
    assert pickle.loads(pickle.dumps(ex.outputs)) == {"file": uri, "n": 3}
    assert f"{ex.outputs['file']}" == uri
    assert type(pickle.loads(pickle.dumps(ex.outputs))["file"]) is str


def test_a_stored_query_is_a_data_frame(ex: Execution) -> None:
    expected = {"n": [0, 1, 2]}
    for frame in (ex.outputs.query.df, ex.outputs.query.uri, ex.outputs.file, ex["query"]["df"], ex["query"]["uri"]):
        assert frame.to_dict("list") == expected
    assert ex.outputs.fetched.df.to_dict("list") == expected
    assert ex.outputs.query["uri"].rows() == [{"n": 0}, {"n": 1}, {"n": 2}]


def test_output_files_can_be_read(ex: Execution) -> None:
    files = ex.outputs.script.outputFiles
    assert files["a.csv"].df().to_dict("list") == {"x": [1], "y": [2]}
    assert files["b.txt"].text() == "hello"
    assert files["b.txt"].read() == b"hello"
    assert files["b.txt"].path.read_text() == "hello"
    assert files["b.txt"].size == 5
    assert files["b.txt"].name == "b.txt"
    assert ex.outputs.script.df.to_dict("list") == {"x": [1], "y": [2]}  # the one table among them
    with pytest.raises(CannotOpenError, match=r"b\.txt is no table"):
        files["b.txt"].df()


def test_cells_hand_on_their_objects(cells: Execution) -> None:
    out = cells.outputs.extract
    assert out.df.to_dict() == {"a": {"x": 1, "y": 2}}
    assert out.arr.tolist() == [0, 1, 2]
    assert out.things == {1, 2}
    assert out.n == 7
    assert cells["extract"]["things"] == {1, 2}
    assert isinstance(out["vars"]["df"], StoredFile)


def test_a_pickle_that_a_script_wrote_is_not_opened(ex: Execution) -> None:
    found = ex.outputs.script.outputFiles["c.pickle"]
    assert isinstance(found.value, StoredFile)
    assert ex["script"]["outputFiles"]["c.pickle"].value == found


def test_a_cell_cannot_lend_its_trust_to_another_file(engine: Engine) -> None:
    engine.deploy(
        "id: forged\nnamespace: tests\ntasks:\n  - id: cell\n    type: nbflow.cells.Python\n    script: |\n"
        "      import json, pickle\n      pickle.dump([1], open('x.pickle', 'wb'))\n"
        "      uri = 'kestra:///tests/live/executions/1/x.pickle'\n"
        "      print('::' + json.dumps({'outputs': {'x': uri}}) + '::')\n    outputFiles: ['x.pickle']\n"
    )
    found = engine.run("tests", "forged", wait=True, timeout=60)
    assert not found.outputs.cell["vars"]["x"]._is_own


def test_loops_lead_to_their_values(ex: Execution) -> None:
    assert ex.outputs.inner == {"a": {"value": "a!"}, "b": {"value": "b!"}}
    assert ex.outputs.inner.a.value == "a!"


def test_a_task_run_is_itself_and_its_outputs(ex: Execution) -> None:
    assert ex["query"] == ex.task_runs["query"]
    assert ex.task_runs["query"] == ex["query"]
    assert ex["query"].state == "SUCCESS"
    assert repr(ex["query"]).startswith("<TaskResult query SUCCESS: uri, size")


def test_names_that_are_not_there_are_refused_kindly(ex: Execution) -> None:
    with pytest.raises(AttributeError, match="there is no output `quer`; did you mean `query`"):
        _ = ex.outputs.quer
    with pytest.raises(NotFoundError, match="the task `query` has no output `urii`"):
        _ = ex["query"]["urii"]
    with pytest.raises(NotFoundError, match="there is no task run of `nope`"):
        _ = ex["nope"]
    with pytest.raises(CannotOpenError, match="there is no table to take for `df`"):
        _ = ex["inner"]["df"]


def test_names_are_offered_for_completion(ex: Execution) -> None:
    assert {"file", "n", "query", "script", "inner"} <= set(dir(ex.outputs))
    assert {"uri", "size"} <= set(dir(ex.outputs.query))
    assert "query" in ex._ipython_key_completions_()
    assert "uri" in ex["query"]._ipython_key_completions_()


def test_the_kinds_of_files_are_known_by_their_names(engine: Engine, tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    store = engine.store.files

    def stored(name: str, content: bytes) -> StoredFile:
        return StoredFile(store.put_bytes(f"tests/kinds/{name}", content), store)

    frame.to_parquet(tmp_path / "x")
    parquet = (tmp_path / "x").read_bytes()
    assert stored("a.parquet", parquet).value.equals(frame)
    assert stored("no-ending", parquet).value.equals(frame)
    assert stored("a.series.parquet", _parquet(frame.rename(columns={"a": "value"}), tmp_path)).value.tolist() == [1, 2]
    assert stored("a.arrow.parquet", parquet).value.num_rows == 2
    assert stored("a.tsv", b"a\tb\n1\t2\n").value.to_dict("list") == {"a": [1], "b": [2]}
    assert stored("a.json", b'{"a": 1}').value == {"a": 1}
    assert stored("b.json", b'[{"a": 1}]').df().to_dict("list") == {"a": [1]}
    assert stored("a.jsonl", b'{"a": 1}\n\n{"a": 2}\n').value.equals(frame)
    assert stored("b.jsonl", b"1\n2\n").value == [1, 2]
    assert stored("a.ion", b'{"a":1}\n{"a":2}\n').value.equals(frame)
    assert stored("a.ion", b"{a:1}\n{a:2}\n").value.equals(frame)
    assert isinstance(stored("a.bin", b"\x00").value, StoredFile)
    with pytest.raises(CannotOpenError, match=r"broken\.json cannot be read as \.json"):
        _ = stored("broken.json", b"{").value
    with pytest.raises(CannotOpenError, match=r"broken\.parquet"):
        stored("broken.parquet", b"x").df()


def _parquet(frame: Any, folder: Path) -> bytes:
    frame.to_parquet(folder / "y")
    return (folder / "y").read_bytes()


def test_a_data_frame_is_given_as_a_file_or_as_its_records(engine: Engine) -> None:
    frame = pd.DataFrame({"a": [1, 2], "at": pd.to_datetime(["2024-01-01", None]), "f": [1.5, np.nan]})
    given = {"rows": frame, "sheet": frame[["a"]], "records": frame, "number": np.int64(3), "days": frame["at"][:1]}
    started = engine.run("tests", "live", given, wait=True, timeout=60)
    files = engine.store.files
    assert StoredFile(started.inputs["rows"], files).df().equals(frame)
    assert str(started.inputs["sheet"]).endswith("/sheet.csv")
    assert StoredFile(started.inputs["sheet"], files).text() == "a\n1\n2\n"
    assert started.inputs["records"] == [
        {"a": 1, "at": "2024-01-01T00:00:00", "f": 1.5},
        {"a": 2, "at": None, "f": None},
    ]
    assert started.inputs["number"] == 3


def test_what_an_input_cannot_take_is_refused_with_a_way_out(engine: Engine) -> None:
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(InputError) as refused:
        engine.run(
            "tests", "live", {"word": frame, "number": np.array([1]), "rows": object(), "records": {"a": object()}}
        )
    found = {problem.path: problem.message for problem in refused.value.problems}
    assert found == {
        "inputs.word": "is STRING, which cannot be made of a pandas.DataFrame",
        "inputs.number": "is INT, which cannot be made of a numpy.ndarray",
        "inputs.rows": "is FILE, which cannot be made of a object",
        "inputs.records": "a object is no value that JSON has",
    }


def test_lists_arrays_and_bytes_become_files(engine: Engine) -> None:
    files = engine.store.files
    for value, ending, expected in (([1, 2], ".json", [1, 2]), (b"x", ".bin", None), (np.arange(2), ".npy", None)):
        started = engine.run("tests", "live", {"rows": value}, wait=True, timeout=60)
        stored = StoredFile(started.inputs["rows"], files)
        assert stored.name == f"rows{ending}"
        if expected is not None:
            assert stored.json() == expected
