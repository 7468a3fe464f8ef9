"""`%flow sql`, `%flow diff`, data frames as inputs and completion of what was put out, in an IPython shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.magics.conftest import Run

FLOW = """%%flow --wait --quiet --to ex rows=1
id: counted
namespace: tests
inputs:
  - {id: rows, type: INT}
  - {id: table, type: FILE, required: false}
  - {id: records, type: JSON, required: false}
tasks:
  - id: query
    type: io.kestra.plugin.jdbc.duckdb.Query
    sql: "SELECT range AS n FROM range({{ inputs.rows }})"
    fetchType: STORE
"""


def test_the_history_answers_sql_with_a_data_frame(run: Run) -> None:
    pandas = pytest.importorskip("pandas")
    run(FLOW)
    found = run("%flow sql SELECT state, count(*) AS n FROM executions WHERE flow_id = 'counted' GROUP BY ALL")
    assert isinstance(found.value, pandas.DataFrame)
    assert found.value.to_dict("list") == {"state": ["SUCCESS"], "n": [1]}
    assert "SUCCESS" in found.text
    assigned = run('answer = %flow sql "SELECT task_id FROM task_runs"\nanswer.task_id.tolist()')
    assert assigned.value == ["query"]
    assert run("%flow sql SELECT 1 - -1 AS two;").value.two.tolist() == [2]
    assert run("import nbflow\nnbflow.sql('SELECT count(*) AS n FROM executions').n.tolist()").value == [1]


def test_a_data_frame_of_the_notebook_can_be_joined(run: Run) -> None:
    pytest.importorskip("pandas")
    run(FLOW)
    run("import pandas as pd\nowners = pd.DataFrame({'flow_id': ['counted'], 'owner': ['Ada']})\nid = 3")
    found = run("%flow sql SELECT id IS NULL AS x, owner FROM executions JOIN owners USING (flow_id)")
    assert found.value.to_dict("list") == {"x": [False], "owner": ["Ada"]}


def test_sql_alone_tells_the_tables_and_mistakes_are_told_kindly(run: Run) -> None:
    shown = run("%flow sql").text
    assert "task_runs   attempts" in shown
    assert "How often it was tried." in shown
    assert run("%flow sql DESCRIBE logs").success
    wrong = run("%flow sql SELECT * FROM executons")
    assert not wrong.success
    assert "there is no table `executons`" in wrong.text
    assert "mend: did you mean `executions`?" in wrong.text
    assert "Traceback" not in wrong.text
    assert "the history can only be read" in run("%flow sql DELETE FROM executions").text


def test_two_runs_are_compared(run: Run) -> None:
    pytest.importorskip("pandas")
    run(FLOW)
    assert "has no execution before" in run("%flow diff").text
    run("%flow run tests.counted rows=3 --wait --quiet --to ey")
    for line in ("%flow diff", "%flow diff ex ey", "%flow diff ex", "%flow diff previous last"):
        shown = run(line).text
        assert "~ rows: 1 → 3" in shown, line
        assert "uri: 1 × 1 → 3 × 1" in shown, line
        assert "+ 2 rows" in shown, line
    assert "there is no execution `nope`" in run("%flow diff nope").text
    assert "one word too many" in run("%flow diff ex ey ex").text


def test_variables_are_given_as_inputs(run: Run) -> None:
    pytest.importorskip("pandas")
    run("import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\ncount = 2")
    run(FLOW.replace("rows=1", "--input rows=:count --input table=:df records=:df"))
    assert run("ex.inputs['rows'], ex.inputs['records']").value == (2, [{"a": 1}, {"a": 2}])
    again = run("%flow run tests.counted --input rows=:count --input table=:df --wait --quiet --to ey")
    assert again.success
    stored = run(
        "from nbflow.engine import Engine, StoredFile\n"
        "StoredFile(ey.inputs['table'], Engine.default().store.files).df().equals(df)"
    )
    assert stored.value is True


def test_a_variable_that_cannot_be_given_is_refused(run: Run) -> None:
    pytest.importorskip("pandas")
    run(FLOW)
    run("import pandas as pd\nframe = pd.DataFrame({'a': [1, 2]})")
    missing = run("%flow run tests.counted --input rows=:fram")
    assert "there is no variable `fram`" in missing.text
    assert "did you mean `frame`?" in missing.text
    wrong = run("%flow run tests.counted --input rows=:frame")
    assert not wrong.success
    assert "is INT, which cannot be made of a pandas.DataFrame" in wrong.text
    assert "Traceback" not in wrong.text


def test_what_was_put_out_is_completed(run: Run, complete: Callable[[str], list[str]]) -> None:
    run(FLOW)
    assert complete("ex.outputs.|") == ["query"]
    assert complete("x = ex.outputs.query.u|") == ["uri"]
    assert complete('ex["query"]["u|') == ["uri"]
    assert "query" in complete('ex["q|')
    assert "keys" not in complete("ex.outputs.nope.|")


def test_objects_are_reached_from_a_cell(run: Run) -> None:
    pytest.importorskip("pandas")
    run(FLOW)
    outcome: Any = run("ex.outputs.query.df")
    assert outcome.value.to_dict("list") == {"n": [0]}
    assert "query" in run("ex['query']").text
