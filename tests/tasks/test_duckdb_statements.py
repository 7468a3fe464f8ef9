"""Statements of DuckDB that are easy to get wrong: none at all, many rows, transactions, time limits."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from nbflow.tasks.sql.duckdb import Queries, Query
from nbflow.testing import TaskResult, run_task
from nbflow.types import JsonValue
from tests.tasks.conftest import RunTasks


def query(sql: str, **properties: object) -> TaskResult:
    return run_task(Query.model_validate({"id": "query", "sql": sql, **properties}))


def rows_of(sql: str, **properties: object) -> JsonValue:
    result = query(sql, fetchType="FETCH", **properties)
    assert result.state == "SUCCESS", result.messages
    return result.outputs["rows"]


def test_many_rows_are_stored_whole() -> None:
    """More than one portion, the last of them cut."""
    result = query("SELECT i FROM range(12_345) t(i)")
    lines = result.files[str(result.outputs["uri"])].splitlines()
    assert [json.loads(line) for line in lines] == [{"i": number} for number in range(12_345)]
    assert result.outputs["size"] == 12_345


def test_a_query_without_rows_puts_out_none() -> None:
    assert rows_of("SELECT 1 AS one WHERE false") == []
    stored = query("SELECT 1 AS one WHERE false")
    assert stored.files[str(stored.outputs["uri"])] == b""


@pytest.mark.parametrize("sql", ["", "  ;  ", "-- nothing\n"])
def test_sql_without_a_statement_fails(sql: str) -> None:
    result = query(sql)
    assert result.state == "FAILED"
    assert "`sql` holds no statement" in result.messages[-1]


def test_a_colon_elsewhere_is_no_parameter() -> None:
    sql = "SELECT '2'::INT + :n AS v, ':n' AS text, [10, 20, 30][1:2] AS part, {'n':1} AS s /* :n */"
    assert rows_of(sql, parameters={"n": 1}) == [{"v": 3, "text": ":n", "part": [10, 20], "s": {"n": 1}}]


def test_a_stored_file_that_is_not_there_is_named() -> None:
    result = query("SELECT * FROM 'kestra:///tests/none.csv'")
    assert result.state == "FAILED"
    assert "tests/none.csv" in result.messages[-1]


def test_nothing_is_written_where_the_engine_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert rows_of("COPY (SELECT 1 AS a) TO 'out.csv'; SELECT a FROM 'out.csv'") == [{"a": 1}]
    assert list(tmp_path.iterdir()) == []


def test_databases_in_memory_are_strangers_to_each_other() -> None:
    assert query("CREATE TABLE t AS SELECT 1").state == "SUCCESS"
    assert query("SELECT * FROM t").state == "FAILED"


def test_sql_after_the_query_runs_and_gives_nothing(tmp_path: Path) -> None:
    url = f"jdbc:duckdb:{tmp_path}/a.duckdb"
    assert rows_of("SELECT 1 AS a", url=url, afterSQL="CREATE TABLE done AS SELECT 2 AS b") == [{"a": 1}]
    assert rows_of("SELECT b FROM done", url=url) == [{"b": 2}]


def test_queries_that_hold_a_transaction_of_their_own_keep_it(tmp_path: Path) -> None:
    url = f"jdbc:duckdb:{tmp_path}/a.duckdb"
    task = Queries(id="q", url=url, sql="BEGIN; CREATE TABLE t AS SELECT 1 AS a; COMMIT")
    assert run_task(task).state == "SUCCESS"
    assert rows_of("SELECT a FROM t", url=url) == [{"a": 1}]


def test_a_timeout_interrupts_a_query(run_tasks: RunTasks) -> None:
    sql = "SELECT count(*) FROM range(10000000000) a, range(1000000) b"
    start = time.monotonic()
    execution = run_tasks(f"- {{id: long, type: duckdb, sql: '{sql}', timeout: PT0.5S}}")
    assert execution.state == "FAILED"
    assert time.monotonic() - start < 10
