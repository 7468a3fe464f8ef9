"""Queries with the real DuckDB."""

from __future__ import annotations

import json
import time
from pathlib import Path

import duckdb
import pytest

from nbflow.engine import Engine
from nbflow.tasks.sql.duckdb import Queries, Query
from nbflow.tasks.sql.text import with_local_files, with_local_target, with_named_parameters
from nbflow.tasks.sql.values import column_names
from nbflow.testing import TaskResult, eventually, run_task
from tests.tasks.conftest import RunTasks, messages


def query(sql: str, **properties: object) -> TaskResult:
    return run_task(Query.model_validate({"id": "query", "sql": sql, **properties}))


def stored_rows(result: TaskResult) -> list[object]:
    content = result.files[str(result.outputs["uri"])]
    return [json.loads(line) for line in content.decode().splitlines()]


def test_rows_are_stored_as_json_lines_unless_told_otherwise() -> None:
    result = query("SELECT i, 'n' || i AS name FROM range(3) t(i)")
    assert result.state == "SUCCESS"
    assert result.outputs["size"] == 3
    assert str(result.outputs["uri"]).endswith(".jsonl")
    assert stored_rows(result) == [{"i": 0, "name": "n0"}, {"i": 1, "name": "n1"}, {"i": 2, "name": "n2"}]


@pytest.mark.parametrize(
    ("how", "outputs"),
    [
        ({"fetchType": "FETCH"}, {"rows": [{"a": 1}, {"a": 2}], "size": 2}),
        ({"fetch": True}, {"rows": [{"a": 1}, {"a": 2}], "size": 2}),
        ({"fetchType": "FETCH_ONE"}, {"row": {"a": 1}, "size": 1}),
        ({"fetchOne": True}, {"row": {"a": 1}, "size": 1}),
        ({"fetchType": "NONE"}, {"size": 0}),
    ],
)
def test_rows_go_where_fetch_type_says(how: dict[str, object], outputs: dict[str, object]) -> None:
    result = query("FROM (VALUES (1), (2)) t(a)", **how)
    assert {key: result.outputs[key] for key in ("row", "rows", "size") if key in result.outputs} == outputs


def test_fetch_one_of_nothing_has_no_row() -> None:
    assert query("SELECT 1 WHERE false", fetchType="FETCH_ONE").outputs["size"] == 0


def test_values_become_json() -> None:
    result = query(
        """
        SELECT DATE '2024-01-02' AS d, TIMESTAMP '2024-01-02 03:04:05' AS ts, TIME '03:04:05' AS t,
          1.50::DECIMAL(5, 2) AS dec, 7::DECIMAL(5, 0) AS whole, 'NaN'::DOUBLE AS nan, 'inf'::DOUBLE AS inf, NULL AS n,
          'ab'::BLOB AS b, INTERVAL 90 SECOND AS i, [1, 2] AS l, {'k': DATE '2024-01-02'} AS s, MAP {'a': 1} AS m,
          true AS yes, 170141183460469231731687303715884105727::HUGEINT AS huge, 'ü' AS text, 0.1::FLOAT8 AS f
        """,
        fetchType="FETCH_ONE",
    )
    assert result.outputs["row"] == {
        "d": "2024-01-02",
        "ts": "2024-01-02T03:04:05",
        "t": "03:04:05",
        "dec": 1.5,
        "whole": 7,
        "nan": None,
        "inf": None,
        "n": None,
        "b": "YWI=",
        "i": "PT1M30S",
        "l": [1, 2],
        "s": {"k": "2024-01-02"},
        "m": {"a": 1},
        "yes": True,
        "huge": 170141183460469231731687303715884105727,
        "text": "ü",
        "f": 0.1,
    }


def test_instants_are_in_the_time_zone_of_the_session() -> None:
    result = query("SELECT TIMESTAMPTZ '2024-07-01 00:00:00Z' AS t", fetchType="FETCH_ONE", timeZoneId="Europe/Paris")
    assert result.outputs["row"] == {"t": "2024-07-01T02:00:00+02:00"}


def test_columns_of_one_name_are_told_apart() -> None:
    assert query("SELECT 1 AS a, 2 AS a", fetchType="FETCH_ONE").outputs["row"] == {"a": 1, "a_1": 2}
    assert column_names(["a", "a_1", "a"]) == ["a", "a_1", "a_2"]


def test_a_stored_file_can_be_read_by_its_uri(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - id: transform
          type: io.kestra.plugin.scripts.python.Script
          outputFiles: [products.csv]
          script: |
            with open("products.csv", "w") as file:
                file.write("brand,price\\nA,1\\nA,3\\nB,5\\n")
        - id: query
          type: io.kestra.plugin.jdbc.duckdb.Query
          sql: |
            SELECT brand, avg(price) as avg_price
            FROM read_csv_auto('{{ outputs.transform.outputFiles["products.csv"] }}')
            GROUP BY brand
            ORDER BY avg_price DESC
          fetchType: FETCH
    """)
    assert execution.state == "SUCCESS", messages(execution)
    rows = [{"brand": "B", "avg_price": 5.0}, {"brand": "A", "avg_price": 2.0}]
    assert execution.task_runs["query"].outputs["rows"] == rows


def test_input_files_are_found_by_name_and_by_working_dir() -> None:
    sql = "SELECT * FROM 'in.csv' UNION ALL SELECT * FROM read_csv_auto('{{ workingDir }}/in.csv')"
    result = query(sql, fetchType="FETCH", inputFiles={"in.csv": "a\n1\n"})
    assert result.outputs["rows"] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("target", ["{{ outputFiles.out }}", "out", "{{ workingDir }}/out"])
def test_files_that_sql_writes_are_stored(target: str) -> None:
    result = query(f"COPY (SELECT 1 AS a) TO '{target}' (HEADER, DELIMITER ',')", outputFiles=["out"])
    assert result.state == "SUCCESS", result.messages
    assert list(result.files.values()) == [b"a\n1\n"]


def test_a_target_outside_the_working_directory_is_refused() -> None:
    result = query("COPY (SELECT 1) TO '../out.csv'")
    assert result.state == "FAILED"
    assert "`../out.csv` is outside the working directory" in result.messages[-1]


def test_of_several_statements_the_last_with_rows_gives_the_output() -> None:
    result = query("CREATE TABLE t(a INT); INSERT INTO t VALUES (1), (2); SELECT sum(a) AS s FROM t;", fetchOne=True)
    assert result.outputs["row"] == {"s": 3}


def test_statements_without_rows_put_nothing_out() -> None:
    result = query("CREATE TABLE t AS SELECT 1 AS a")
    assert result.state == "SUCCESS"
    assert "uri" not in result.outputs


def test_queries_put_out_what_each_statement_gave() -> None:
    result = run_task(
        Queries(
            id="q", sql="CREATE TABLE t AS FROM range(3); SELECT 'a;b' AS x; SELECT count(*) AS n FROM t", fetch=True
        )
    )
    assert result.outputs["outputs"] == [{"rows": [{"x": "a;b"}], "size": 1}, {"rows": [{"n": 3}], "size": 1}]


def test_queries_undo_everything_after_a_failure(tmp_path: Path) -> None:
    url = f"jdbc:duckdb:{tmp_path}/my.duckdb"
    sql = "CREATE TABLE t(a INT); INSERT INTO t VALUES (1); SELECT * FROM missing"
    result = run_task(Queries(id="q", url=url, sql=sql))
    assert result.state == "FAILED"
    assert "missing" in result.messages[-1]
    with duckdb.connect(str(tmp_path / "my.duckdb")) as connection:
        assert connection.execute("SHOW TABLES").fetchall() == []
    assert run_task(Queries(id="q", url=url, sql=sql, transaction=False)).state == "FAILED"
    with duckdb.connect(str(tmp_path / "my.duckdb")) as connection:
        assert connection.execute("FROM t").fetchall() == [(1,)]


def test_a_database_file_keeps_what_is_written(tmp_path: Path) -> None:
    url = f"jdbc:duckdb:{tmp_path}/my.duckdb"
    assert query("CREATE TABLE t AS SELECT 1 AS a", url=url).state == "SUCCESS"
    assert query("FROM t", url=url, fetchOne=True).outputs["row"] == {"a": 1}


def test_a_database_can_be_stored_and_taken_up_again(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: make, type: duckdb, sql: CREATE TABLE t AS SELECT 7 AS a, outputDbFile: true}
        - {id: use, type: duckdb, sql: FROM t, databaseUri: "{{ outputs.make.databaseUri }}", fetchOne: true}
    """)
    assert execution.task_runs["use"].outputs["row"] == {"a": 7}


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT :name AS name, 1::INT AS n", {"name": "O'Hara", "unused": 1}),
        ("SELECT $name AS name, 1 AS n", {"name": "O'Hara"}),
        ("SELECT ? AS name, 1 AS n", ["O'Hara"]),
    ],
)
def test_parameters_are_values_and_never_sql(sql: str, parameters: object) -> None:
    result = query(sql, parameters=parameters, fetchOne=True)
    assert result.outputs["row"] == {"name": "O'Hara", "n": 1}


def test_a_mistake_in_sql_fails_with_duckdbs_words() -> None:
    result = query("SELEC 1")
    assert result.state == "FAILED"
    assert 'syntax error at or near "SELEC"' in result.messages[-1]


def test_an_extension_that_is_built_in_is_not_downloaded() -> None:
    result = query(
        "INSTALL json; LOAD json; FROM read_json('a.json')", inputFiles={"a.json": '[{"a": 1}]'}, fetchOne=True
    )
    assert result.outputs["row"] == {"a": 1}


def test_another_database_is_refused() -> None:
    assert "is no URL of DuckDB" in query("SELECT 1", url="jdbc:postgresql://x/y").messages[-1]


def test_a_long_query_can_be_killed(engine: Engine, run_tasks: RunTasks) -> None:
    sql = "SELECT count(*) FROM range(10000000000) a, range(1000000) b"
    execution = run_tasks(f"- {{id: long, type: duckdb, sql: '{sql}'}}", wait=False)
    eventually(lambda: "range" in "".join(entry.message for entry in execution.logs()))
    start = time.monotonic()
    engine.kill(execution.id)
    execution.wait(20)
    assert execution.state == "KILLED"
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("FROM 'kestra:///a/b.csv'", "FROM '/local/a/b.csv'"),
        ("FROM ['kestra:///a', 'nbflow:///b']", "FROM ['/local/a', '/local/b']"),
        ("-- it's 'kestra:///a'\nSELECT 1", "-- it's 'kestra:///a'\nSELECT 1"),
        ("/* 'kestra:///a' */ SELECT \"'kestra:///a'\"", "/* 'kestra:///a' */ SELECT \"'kestra:///a'\""),
        ("SELECT 'see kestra:///a'", "SELECT 'see kestra:///a'"),
        ("SELECT $$'kestra:///a'$$", "SELECT $$'kestra:///a'$$"),
        ("FROM 'kestra:///it''s'", "FROM '/local/it''s'"),
    ],
)
def test_only_whole_strings_are_taken_for_stored_files(sql: str, rewritten: str) -> None:
    assert with_local_files(sql, lambda uri: "/local/" + uri.partition(":///")[2]) == rewritten


def test_named_parameters_leave_casts_and_strings_alone() -> None:
    sql = "SELECT :a::INT, ':a', a[1:b], x::a -- :a"
    assert with_named_parameters(sql, ["a"]) == "SELECT $a::INT, ':a', a[1:b], x::a -- :a"


def test_only_relative_targets_are_moved() -> None:
    sql = "COPY (SELECT 'to' AS x FROM 'in.csv') TO 'out.csv'"
    assert with_local_target(sql, lambda name: f"/w/{name}") == "COPY (SELECT 'to' AS x FROM 'in.csv') TO '/w/out.csv'"
    assert with_local_target("COPY t TO 's3://b/x.csv'", str.upper) == "COPY t TO 's3://b/x.csv'"
