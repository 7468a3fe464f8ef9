"""SQL over the history: its tables hold what the history holds, it only reads, and it reads no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from nbflow.engine import Engine
from nbflow.settings import Settings
from nbflow.store.history_sql import Rows, SqlError
from nbflow.store.history_sql.plan import readings
from nbflow.store.history_sql.tables import HISTORY
from tests.postgres import INSTALLED

FLOW = """id: etl
namespace: company.team
labels: {team: 'a, "b"'}
inputs:
  - {id: name, type: STRING, defaults: Ada}
  - {id: number, type: INT, required: false}
tasks:
  - id: say
    type: io.kestra.plugin.core.log.Log
    message: "Hello {{ inputs.name }}\\nand, \\"goodbye\\""
  - id: value
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.name }}"
  - id: each
    type: io.kestra.plugin.core.flow.ForEach
    values: [x, y]
    tasks:
      - {id: inner, type: io.kestra.plugin.core.debug.Return, format: "{{ taskrun.value }}"}
"""
FAILS = "id: fails\nnamespace: company.team\ntasks:\n  - {id: no, type: io.kestra.plugin.core.execution.Fail}\n"


@pytest.fixture(params=["sqlite", "postgres"] if INSTALLED else ["sqlite"])
def engine(request: pytest.FixtureRequest, home: Path) -> Iterator[Engine]:
    """An engine that has run `etl` twice and `fails` once."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with Engine(settings=Settings(home, durability="normal", repository_url=url)) as engine:
        engine.deploy(FLOW)
        engine.deploy(FAILS)
        engine.run("company.team", "etl", wait=True)
        engine.run("company.team", "etl", {"name": "", "number": 3}, labels={"team": "data"}, wait=True)
        engine.run("company.team", "fails", wait=True)
        yield engine


def ask(engine: Engine, query: str) -> list[tuple[object, ...]]:
    return list(engine.store.sql.rows(query))


def test_an_execution_is_a_row_with_readable_columns(engine: Engine) -> None:
    (row,) = engine.store.sql.rows("FROM executions WHERE labels['team'] = 'data'").to_dicts()
    last: Any = engine.executions("company.team", "etl")[0]
    assert row["id"] == last.id
    assert (row["namespace"], row["flow_id"], row["state"], row["revision"]) == ("company.team", "etl", "SUCCESS", 1)
    assert row["started"] == last.start
    assert row["ended"] == last.end
    assert row["duration"] == pytest.approx(last.duration.total_seconds())
    assert row["labels"] == last.labels
    assert ask(engine, "SELECT inputs->>'number' FROM executions WHERE inputs->>'name' = ''") == [("3",)]
    assert row["parent_id"] is None


def test_the_other_tables_hold_what_the_history_holds(engine: Engine) -> None:
    runs = engine.executions("company.team", "etl")[0].task_runs
    found = engine.store.sql.rows(
        "SELECT task_id, value, started, ended, duration, attempts FROM task_runs "
        f"WHERE execution_id = '{runs[0].execution_id}'"
    )
    expected = {
        (run.task_id, run.value, run.start, run.end, (run.end - run.start).total_seconds(), len(run.attempts))
        for run in runs
        if run.end is not None
    }
    assert set(found) == expected
    assert len(expected) == 5
    assert ask(engine, "SELECT DISTINCT outputs->>'value' FROM task_runs WHERE task_id = 'value' ORDER BY 1") == [
        ("",),
        ("Ada",),
    ]
    message = 'Hello Ada\nand, "goodbye"'
    assert ask(engine, f"SELECT level, flow_id FROM logs WHERE message = '{message}'") == [("INFO", "etl")]
    assert ask(engine, "SELECT id, revision, is_latest, deleted, source FROM flows WHERE id = 'fails'") == [
        ("fails", 1, True, None, FAILS)
    ]
    assert ask(engine, "SELECT count(*) FROM metrics JOIN triggers USING (flow_id)") == [(0,)]


def test_only_the_revision_that_runs_now_is_the_latest(engine: Engine) -> None:
    engine.deploy(FAILS.replace("no", "never"))
    assert ask(engine, "SELECT revision, is_latest FROM flows WHERE id = 'fails' ORDER BY 1") == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("SELECT state, count(*) FROM executions GROUP BY 1 ORDER BY 1", [("FAILED", 1), ("SUCCESS", 2)]),
        ("SELECT count(*) FROM executions WHERE state IN ('FAILED', 'KILLED')", [(1,)]),
        ("SELECT count(*) FROM executions WHERE state = 'FAILED' OR flow_id = 'etl'", [(3,)]),
        ("SELECT count(*) FROM executions WHERE started > now() - INTERVAL 1 HOUR", [(3,)]),
        ("SELECT count(*) FROM executions WHERE started < now() - INTERVAL 1 HOUR", [(0,)]),
        ("SELECT count(*) FROM executions a, executions b WHERE a.state = 'FAILED' AND b.state = 'SUCCESS'", [(2,)]),
        (
            "WITH x AS (FROM executions) SELECT count(*) FROM x "
            "JOIN logs l ON l.execution_id = x.id WHERE l.level = 'ERROR'",
            [(1,)],
        ),
        ("SELECT count(*) FROM (SELECT * FROM task_runs LIMIT 2)", [(2,)]),
        ("SELECT e.id = e.id FROM executions e WHERE flow_id = 'it''s'", []),
        ("SELECT count(*) FROM logs WHERE namespace = 'company.team' AND flow_id = 'fails'", [(1,)]),
        ("SELECT (SELECT count(*) FROM flows)", [(2,)]),
        ("SELECT flow_id FROM executions ORDER BY started DESC LIMIT 1", [("fails",)]),
        ("SELECT flow_id FROM executions WHERE state = 'SUCCESS' ORDER BY started LIMIT 1 OFFSET 1", [("etl",)]),
    ],
)
def test_conditions_mean_what_they_say(engine: Engine, query: str, answer: list[tuple[object, ...]]) -> None:
    """Some of them are put to the store; the answer is the same."""
    assert ask(engine, query) == answer


@pytest.mark.parametrize(
    ("query", "message", "hint"),
    [
        ("SELECT * FROM executons", "there is no table `executons`", "did you mean `executions`?"),
        ("DELETE FROM logs", "the history can only be read", "begin with SELECT"),
        ("COPY executions TO 'x.csv'", "the history can only be read", "begin with SELECT"),
        ("ATTACH 'x.db'", "the history can only be read", "begin with SELECT"),
        ("SELECT 1; SELECT 2", "one query at a time", "SELECT"),
        ("", "there is no query", "SELECT"),
        ("SELECT stat FROM executions", 'Referenced column "stat" not found in FROM clause!', "state"),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(engine: Engine, query: str, message: str, hint: str) -> None:
    with pytest.raises(SqlError) as refused:
        ask(engine, query)
    assert refused.value.message == message
    assert hint in refused.value.hint


def test_a_data_frame_of_the_caller_can_be_joined(engine: Engine) -> None:
    pandas = pytest.importorskip("pandas")
    owners = pandas.DataFrame({"flow_id": ["etl", "fails"], "owner": ["Ada", "Bob"]})
    found: Any = engine.sql(
        "SELECT owner, count(*) AS n FROM executions JOIN owners USING (flow_id) GROUP BY 1 ORDER BY 1",
        {"owners": owners},
    )
    assert found.to_dict("list") == {"owner": ["Ada", "Bob"], "n": [2, 1]}


def test_what_still_runs_is_seen(engine: Engine) -> None:
    engine.deploy(
        "id: long\nnamespace: company.team\ntasks:\n"
        "  - {id: nap, type: io.kestra.plugin.core.flow.Sleep, duration: PT60S}\n"
    )
    going = engine.run("company.team", "long")
    engine.wait(going.id, "RUNNING", timeout=10)
    assert ask(engine, f"SELECT state, ended, duration FROM executions WHERE id = '{going.id}'") == [
        ("RUNNING", None, None)
    ]
    going.kill()
    going.wait(10)


def plan(query: str) -> dict[str, Any]:
    with duckdb.connect() as connection:
        for table in HISTORY.values():
            connection.execute(table.create())
        return readings(connection, query)


def test_only_the_columns_and_rows_that_a_query_needs_are_read() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    found = plan(
        "SELECT flow_id, avg(duration) FROM executions "
        "WHERE state = 'FAILED' AND started >= '2026-01-01 00:00:00+00' GROUP BY 1"
    )
    assert set(found) == {"executions"}
    reading = found["executions"]
    assert reading.columns == {"flow_id", "duration", "state", "started"}
    conditions = {(one.column.name, one.operator, one.values) for one in reading.conditions[0]}
    micros = (since - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert conditions == {("state", "=", ("FAILED",)), ("started", ">=", (micros,))}


@pytest.mark.parametrize(
    ("query", "count", "order"),
    [
        ("FROM logs LIMIT 5", 5, None),
        ("FROM logs WHERE task_id = 'a' LIMIT 5 OFFSET 2", 7, None),
        ("FROM logs ORDER BY timestamp DESC LIMIT 5", 5, ("timestamp", "DESC")),
        ("SELECT message FROM logs WHERE task_id = 'a' ORDER BY timestamp LIMIT 5", 5, ("timestamp", "ASC")),
    ],
)
def test_a_limit_is_put_to_the_store(query: str, count: int, order: tuple[str, str] | None) -> None:
    first = plan(query)["logs"].first
    assert first.count == count
    assert (first.column and (first.column.name, first.direction)) == order


@pytest.mark.parametrize(
    "query",
    [
        "FROM logs WHERE level = 'INFO' LIMIT 5",
        "FROM logs ORDER BY message LIMIT 5",
        "FROM logs ORDER BY timestamp, seq LIMIT 5",
        "SELECT count(*) FROM logs LIMIT 5",
        "SELECT upper(message) AS timestamp FROM logs ORDER BY 1 LIMIT 5",
        "SELECT DISTINCT message FROM logs LIMIT 5",
        "SELECT a.message FROM logs a JOIN logs b USING (seq) LIMIT 5",
        "SELECT message FROM logs WHERE message LIKE '%x%' ORDER BY timestamp LIMIT 5",
    ],
)
def test_a_limit_that_is_about_other_rows_is_not(query: str) -> None:
    assert plan(query)["logs"].first is None


def test_a_range_of_time_is_put_to_the_store_and_an_alternative_is_not() -> None:
    found = plan("FROM executions WHERE started BETWEEN '2026-01-01 00:00:00+00' AND '2026-02-01 00:00:00+00'")
    assert [one.operator for one in found["executions"].conditions[0]] == [">=", "<="]
    other = plan("FROM executions WHERE state = 'A' OR (flow_id = 'b' AND namespace = 'c')")
    assert other["executions"].conditions == [[]]


def test_rows_show_themselves_and_escape_what_they_show() -> None:
    rows = Rows(("a", "b"), [(1, "<x>\n"), (None, "y" * 100)])
    assert repr(rows).splitlines()[:2] == ["a  b", "1  <x>⏎"]
    assert "&lt;x&gt;" in rows._repr_html_()
    assert rows.to_dicts()[0] == {"a": 1, "b": "<x>\n"}
