"""DuckDB beside other databases: stored as Parquet, attached, and with extensions that cannot be had."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import duckdb
import pytest

from nbflow.tasks.sql import attaching
from nbflow.tasks.sql.duckdb import Queries, Query
from nbflow.testing import TaskResult, run_task
from tests.tasks.sql.conftest import Ask

OFFLINE = "SET custom_extension_repository = '/nowhere'; SET extension_directory = '{{ workingDir }}/none';"


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be had before is asked for again."""
    monkeypatch.setattr(attaching, "_not_to_be_had", set())


def query(sql: str, **properties: object) -> TaskResult:
    return run_task(Query.model_validate({"id": "query", "sql": OFFLINE + sql, **properties}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.db"
    connection = sqlite3.connect(file)
    connection.executescript("""
        CREATE TABLE orders (id INTEGER, name VARCHAR(9), price REAL, placed TIMESTAMP, day DATE, raw);
        INSERT INTO orders VALUES (1, 'a,"b"', 1.5, '2024-01-02 03:04:05', '2024-01-02', 'x');
        INSERT INTO orders VALUES (2, NULL, NULL, NULL, NULL, '');
        CREATE TABLE other (n INTEGER);
        CREATE VIEW cheap AS SELECT id FROM orders WHERE price < 2;
    """)
    connection.close()
    return file


@pytest.mark.parametrize("options", ["(TYPE sqlite)", "(TYPE SQLITE, READ_ONLY)", ""])
def test_an_attached_sqlite_is_read(file: Path, options: str) -> None:
    sql = f"ATTACH '{file}' AS shop {options}; SELECT *, typeof(placed) AS kind FROM shop.orders ORDER BY id"
    result = query(sql, fetchType="FETCH")
    assert result.state == "SUCCESS", result.messages
    assert result.outputs["rows"] == [
        {"id": 1, "name": 'a,"b"', "price": 1.5, "placed": "2024-01-02T03:04:05", "day": "2024-01-02", "raw": "x",
         "kind": "TIMESTAMP"},
        {"id": 2, "name": None, "price": None, "placed": None, "day": None, "raw": "", "kind": "TIMESTAMP"},
    ]  # fmt: skip


def test_all_tables_are_there_after_use(file: Path) -> None:
    sql = f"INSTALL sqlite; LOAD sqlite; ATTACH '{file}' (TYPE sqlite); USE shop; SELECT (FROM cheap) AS id"
    result = query(sql, fetchOne=True)
    assert result.outputs["row"] == {"id": 1}, result.messages


def test_what_is_attached_that_way_is_read_only_and_says_so(file: Path) -> None:
    result = query(f"ATTACH '{file}' AS shop (TYPE sqlite); INSERT INTO shop.other VALUES (1)")
    assert result.state == "FAILED"
    assert "read-only" in result.messages[-1]
    assert any("extension sqlite_scanner cannot be had" in message for message in result.messages)


def test_an_attached_postgres_is_joined_with_a_stored_file(postgres_url: str, ask: Ask) -> None:
    ask("CREATE TABLE people (id int, name text, height numeric(5, 2), seen timestamptz, doc jsonb, ok bool)")
    ask("INSERT INTO people VALUES (1, '', 1.75, '2024-01-01 00:00Z', '{\"a\": 1}', true)")
    ask("INSERT INTO people (id) VALUES (2)")
    ask("CREATE SCHEMA IF NOT EXISTS far; DROP TABLE IF EXISTS far.away; CREATE TABLE far.away AS SELECT 3 AS n")
    place = postgres_url.removeprefix("jdbc:") + "?user=nbflow"
    task = Queries.model_validate(
        {
            "id": "join",
            "inputFiles": {"ages.csv": "id,age\n1,20\n2,30\n"},
            "sql": f"""{OFFLINE}
            ATTACH '{place}' AS pg (TYPE postgres, READ_ONLY);
            SELECT name, height, ok, age, doc->>'a' AS a, epoch(seen)::int AS seen
            FROM pg.public.people JOIN 'ages.csv' USING (id) ORDER BY id;
            SELECT n FROM "pg".far.away""",
            "fetchType": "FETCH",
        }
    )
    result = run_task(task)
    assert result.state == "SUCCESS", result.messages
    first, second = result.outputs["outputs"]
    assert first["rows"] == [
        {"name": "", "height": 1.75, "ok": True, "age": 20, "a": "1", "seen": 1704067200},
        {"name": None, "height": None, "ok": None, "age": 30, "a": None, "seen": None},
    ]
    assert second["rows"] == [{"n": 3}]


def test_rows_are_stored_as_parquet_with_the_types_they_have(tmp_path: Path) -> None:
    sql = "SELECT i::USMALLINT AS i, DATE '2024-01-02' AS d, [i] AS l FROM range($n) t(i)"
    result = query(sql, storeFormat="PARQUET", parameters={"n": 3})
    assert result.outputs["size"] == 3, result.messages
    file = tmp_path / "rows.parquet"
    file.write_bytes(result.files[str(result.outputs["uri"])])
    assert duckdb.sql(f"DESCRIBE FROM '{file}'").fetchall()[0][:2] == ("i", "USMALLINT")
    assert duckdb.sql(f"SELECT sum(i), count(*), max(l) FROM '{file}'").fetchall() == [(3, 3, [2])]


def test_an_extension_of_the_community_that_cannot_be_had_is_left_out() -> None:
    result = query("SELECT 1 AS a", communityExtensions=["no_such_extension"], fetchOne=True)
    assert result.outputs["row"] == {"a": 1}
    assert any("the extension no_such_extension is left out" in message for message in result.messages)
