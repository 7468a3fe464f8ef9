"""Queries on SQLite, and what all databases without a driver of their own share."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.tasks.sql.any import Query as AnyQuery
from nbflow.tasks.sql.sqlite import Batch, Queries, Query
from nbflow.testing import TaskResult, eventually, run_task
from tests.tasks.conftest import RunTasks, messages


def query(sql: str, **properties: object) -> TaskResult:
    return run_task(Query.model_validate({"id": "query", "sql": sql, **properties}))


def test_rows_are_fetched() -> None:
    result = query("SELECT 1 AS a, 'x' AS b, NULL AS c, 1.5 AS d, x'6162' AS e", fetchType="FETCH")
    assert result.outputs["rows"] == [{"a": 1, "b": "x", "c": None, "d": 1.5, "e": "YWI="}], result.messages


@pytest.mark.parametrize("form", ["JSONL", "PARQUET"])
def test_rows_are_stored(form: str) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11000) SELECT i FROM n"
    result = query(numbers, storeFormat=form)
    assert result.outputs["size"] == 11000, result.messages
    assert str(result.outputs["uri"]).endswith(form.lower())


def test_parameters_are_values() -> None:
    sql = "SELECT :name AS name, ':name' AS text, :data AS data"
    row = query(sql, parameters={"name": "O'Hara", "data": [1]}, fetchOne=True).outputs["row"]
    assert row == {"name": "O'Hara", "text": ":name", "data": "[1]"}


def test_a_database_file_keeps_what_is_written(tmp_path: Path) -> None:
    url = f"jdbc:sqlite:{tmp_path}/my.db"
    assert run_task(Queries(id="q", url=url, sql="CREATE TABLE t (a); INSERT INTO t VALUES (7)")).state == "SUCCESS"
    assert query("SELECT a FROM t", url=url, fetchOne=True).outputs["row"] == {"a": 7}


def test_queries_undo_everything_after_a_failure(tmp_path: Path) -> None:
    url = f"jdbc:sqlite:{tmp_path}/my.db"
    result = run_task(Queries(id="q", url=url, sql="CREATE TABLE t (a); SELECT * FROM missing"))
    assert result.state == "FAILED"
    assert "no such table: missing" in result.messages[-1]
    with sqlite3.connect(tmp_path / "my.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()


@pytest.mark.parametrize("given", ["sqliteFile", "databaseUri", "databaseFile"])
def test_a_database_goes_from_task_to_task(run_tasks: RunTasks, given: str) -> None:
    execution = run_tasks(f"""
        - {{id: make, type: io.kestra.plugin.jdbc.sqlite.Query, url: "jdbc:sqlite:myfile.db", outputDbFile: true,
           sql: CREATE TABLE t AS SELECT 7 AS a}}
        - {{id: rows, type: io.kestra.plugin.core.storage.Write, content: "[8]", extension: .jsonl}}
        - {{id: more, type: sqlite_batch, {given}: "{{{{ outputs.make.databaseUri }}}}", outputDbFile: true,
           from: "{{{{ outputs.rows.uri }}}}", sql: INSERT INTO t VALUES (?)}}
        - {{id: use, type: sqlite, {given}: "{{{{ outputs.more.databaseUri }}}}", sql: SELECT a FROM t, fetch: true}}
    """)
    assert execution.task_runs["use"].outputs["rows"] == [{"a": 7}, {"a": 8}], messages(execution)
    assert str(execution.task_runs["make"].outputs["databaseUri"]).endswith("/myfile.db")


def test_a_batch_inserts_rows_as_json(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "my.db") as connection:
        connection.execute("CREATE TABLE t (a, b)")
    connection.close()
    lines = "".join(json.dumps({"b": {"n": i}, "a": i, "other": 0}) + "\n" for i in range(25)).encode()
    properties = {"url": f"jdbc:sqlite:{tmp_path}/my.db", "from": "{{ vars.files.rows }}", "table": "t", "chunk": 10}
    result = run_task(Batch.model_validate({"id": "b", **properties}), files={"rows": lines})
    assert result.outputs == {"rowCount": 25, "updatedCount": 25}, result.messages
    assert query("SELECT * FROM t WHERE a = 24", url=f"jdbc:sqlite:{tmp_path}/my.db", fetchOne=True).outputs["row"] == {
        "a": 24,
        "b": '{"n": 24}',
    }


def test_sqlalchemy_reaches_what_has_no_driver_of_ours(tmp_path: Path) -> None:
    """Any dialect of SQLAlchemy: here one that is part of it."""
    url = f"sqlite+pysqlcipher:///{tmp_path}/my.db"
    result = run_task(AnyQuery(id="q", url=url, sql="SELECT 1"))
    assert result.state == "FAILED"
    assert "needs the package `pysqlcipher`" in result.messages[-1]


def test_a_long_query_can_be_killed(engine: Engine, run_tasks: RunTasks) -> None:
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    execution = run_tasks(f"- {{id: long, type: sqlite, sql: '{sql}'}}", wait=False)
    eventually(lambda: "RECURSIVE" in "".join(entry.message for entry in execution.logs()))
    start = time.monotonic()
    engine.kill(execution.id)
    execution.wait(20)
    assert execution.state == "KILLED"
    assert time.monotonic() - start < 5
