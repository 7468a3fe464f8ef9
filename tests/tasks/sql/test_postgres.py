"""Queries on a real PostgreSQL."""

from __future__ import annotations

import json
import time

import duckdb
import pytest

from nbflow.engine import Engine
from nbflow.testing import TaskResult, eventually
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.sql.conftest import Ask, RunOne


def stored_rows(result: TaskResult) -> list[object]:
    return [json.loads(line) for line in result.files[str(result.outputs["uri"])].decode().splitlines()]


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
def test_rows_go_where_fetch_type_says(run_one: RunOne, how: dict[str, object], outputs: dict[str, object]) -> None:
    result = run_one("Query", sql="SELECT a FROM (VALUES (1), (2)) t(a)", **how)
    assert result.outputs == outputs, result.messages


def test_rows_are_stored_as_json_lines(run_one: RunOne) -> None:
    result = run_one("Query", sql="SELECT i, 'n' || i AS name FROM generate_series(1, 12345) i", fetchSize=1000)
    assert result.outputs["size"] == 12345
    assert stored_rows(result) == [{"i": i, "name": f"n{i}"} for i in range(1, 12346)]


def test_rows_are_stored_as_parquet_with_their_types(run_one: RunOne, tmp_path: object) -> None:
    sql = "SELECT 1::int AS i, '2024-01-02'::date AS d, '007' AS t, 1.5::numeric AS n, NULL::timestamp AS ts"
    result = run_one("Query", sql=sql, fetchType="STORE", storeFormat="PARQUET")
    assert str(result.outputs["uri"]).endswith(".parquet")
    file = f"{tmp_path}/rows.parquet"
    with open(file, "wb") as target:
        target.write(result.files[str(result.outputs["uri"])])
    found = duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{file}')").fetchall()
    assert found == [("i", "INTEGER"), ("d", "DATE"), ("t", "VARCHAR"), ("n", "DOUBLE"), ("ts", "TIMESTAMP")]
    assert duckdb.sql(f"SELECT i, d::text, t, n, ts FROM '{file}'").fetchall() == [(1, "2024-01-02", "007", 1.5, None)]


@pytest.mark.parametrize("form", ["JSONL", "PARQUET"])
def test_no_rows_are_stored_as_an_empty_file(run_one: RunOne, form: str) -> None:
    result = run_one("Query", sql="SELECT 1 AS a WHERE false", storeFormat=form)
    assert result.state == "SUCCESS", result.messages
    assert result.outputs["size"] == 0
    assert result.outputs["uri"]


def test_values_become_json(run_one: RunOne) -> None:
    sql = """
        SELECT true AS yes, 1::bigint AS big, 1.50::numeric(5, 2) AS dec, 7::numeric AS whole, 'NaN'::float8 AS nan,
          DATE '2024-01-02' AS d, TIMESTAMP '2024-01-02 03:04:05' AS ts, TIME '03:04:05' AS t, INTERVAL '90 s' AS i,
          TIMESTAMPTZ '2024-07-01 00:00:00Z' AS tz, '{"k": [1, null]}'::jsonb AS j, ARRAY[1, 2] AS l,
          '\\x6162'::bytea AS b,
          '11111111-1111-1111-1111-111111111111'::uuid AS u, NULL AS n, 'ü%' AS text
    """
    assert run_one("Query", sql=sql, fetchOne=True, timeZoneId="Europe/Paris").outputs["row"] == {
        "yes": True,
        "big": 1,
        "dec": 1.5,
        "whole": 7,
        "nan": None,
        "d": "2024-01-02",
        "ts": "2024-01-02T03:04:05",
        "t": "03:04:05",
        "i": "PT1M30S",
        "tz": "2024-07-01T02:00:00+02:00",
        "j": {"k": [1, None]},
        "l": [1, 2],
        "b": "YWI=",
        "u": "11111111-1111-1111-1111-111111111111",
        "n": None,
        "text": "ü%",
    }


def test_parameters_are_values_and_never_sql(run_one: RunOne) -> None:
    result = run_one(
        "Query",
        sql="SELECT :name AS name, '50%' AS p, :n + 1 AS n, :none::text AS none, :data::jsonb AS data",
        parameters={"name": "O'Hara; --", "n": 1, "none": None, "data": {"a": 1}, "unused": 2},
        fetchOne=True,
    )
    assert result.outputs["row"] == {"name": "O'Hara; --", "p": "50%", "n": 2, "none": None, "data": {"a": 1}}
    assert run_one("Query", sql="SELECT ? AS a, ? AS b", parameters=["x", 2], fetchOne=True).outputs["row"] == {
        "a": "x",
        "b": 2,
    }


def test_a_change_counts_and_puts_nothing_out(run_one: RunOne, ask: Ask) -> None:
    assert run_one("Query", sql="CREATE TABLE t (a int)").outputs == {"size": 0}
    returned = run_one("Query", sql="INSERT INTO t VALUES (1), (2) RETURNING a", fetch=True)
    assert returned.outputs["rows"] == [{"a": 1}, {"a": 2}]
    assert run_one("Query", sql="WITH n AS (SELECT 3 AS a) INSERT INTO t SELECT a FROM n").state == "SUCCESS"
    assert ask("SELECT a FROM t ORDER BY a") == [(1,), (2,), (3,)]


def test_what_runs_in_no_transaction_runs(run_one: RunOne) -> None:
    result = run_one("Query", sql="VACUUM")
    assert result.state == "SUCCESS", result.messages


def test_sql_after_the_query_shares_its_transaction(run_one: RunOne, ask: Ask) -> None:
    ask("CREATE TABLE t (a int)")
    sql = "INSERT INTO t VALUES (1) RETURNING a"
    assert run_one("Query", sql=sql, afterSQL="SELECT 1 / 0", fetch=True).state == "FAILED"
    assert ask("SELECT * FROM t") == []
    assert run_one("Query", sql=sql, afterSQL="UPDATE t SET a = 2", fetch=True).outputs["rows"] == [{"a": 1}]
    assert ask("SELECT * FROM t") == [(2,)]


def test_queries_put_out_what_each_statement_gave(run_one: RunOne) -> None:
    result = run_one("Queries", sql="CREATE TABLE t AS SELECT 1 AS a; SELECT 'x;y' AS b; TABLE t;", fetch=True)
    assert result.outputs["outputs"] == [{"rows": [{"b": "x;y"}], "size": 1}, {"rows": [{"a": 1}], "size": 1}]


def test_queries_undo_everything_after_a_failure(run_one: RunOne, ask: Ask) -> None:
    ask("CREATE TABLE t (a int)")
    sql = "INSERT INTO t VALUES (1); SELECT * FROM missing"
    result = run_one("Queries", sql=sql)
    assert result.state == "FAILED"
    assert 'relation "missing" does not exist' in result.messages[-1]
    assert ask("SELECT * FROM t") == []
    assert run_one("Queries", sql=sql, transaction=False).state == "FAILED"
    assert ask("SELECT * FROM t") == [(1,)]


def test_queries_that_hold_a_transaction_of_their_own_keep_it(run_one: RunOne, ask: Ask) -> None:
    result = run_one("Queries", sql="BEGIN; CREATE TABLE t (a int); COMMIT; VACUUM t")
    assert result.state == "SUCCESS", result.messages
    assert ask("SELECT * FROM t") == []


def test_what_the_server_says_is_logged(run_one: RunOne) -> None:
    result = run_one("Query", sql="DO $$ BEGIN RAISE NOTICE 'half; way'; END $$")
    assert "NOTICE: half; way" in result.messages


def test_the_schema_of_the_url_is_searched_first(run_one: RunOne, postgres_url: str) -> None:
    url = f"{postgres_url}?user=nbflow&currentSchema=other,public&ApplicationName=mine"
    sql = "SELECT current_setting('search_path') AS path, current_setting('application_name') AS name"
    assert run_one("Query", sql=sql, url=url, fetchOne=True).outputs["row"] == {"path": "other,public", "name": "mine"}


def test_the_type_without_a_database_goes_by_the_url(run_tasks: RunTasks, postgres_url: str) -> None:
    execution = run_tasks(
        """
        - id: extract
          type: io.kestra.plugin.jdbc.Query
          url: "{{ inputs.url }}"
          username: nbflow
          password: "{{ inputs.password }}"
          sql: SELECT 1 AS one
          fetchType: FETCH
        """,
        more="inputs:\n  - {id: url, type: STRING}\n  - {id: password, type: STRING}",
        url=postgres_url.removeprefix("jdbc:"),
        password="any",
    )
    assert execution.task_runs["extract"].outputs["rows"] == [{"one": 1}], messages(execution)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"url": "jdbc:mysql://h/d"}, "`url` names a database of mysql, and this type is for postgresql"),
        ({"sql": " ; "}, "`sql` holds no statement"),
        ({"sql": "SELEC 1"}, 'syntax error at or near "SELEC"'),
        ({"sslMode": "require"}, "server does not support SSL"),
    ],
)
def test_mistakes_are_named(run_one: RunOne, properties: dict[str, object], message: str) -> None:
    result = run_one("Query", **{"sql": "SELECT 1", **properties})
    assert result.state == "FAILED"
    assert message in result.messages[-1]


def test_a_server_that_is_not_there_is_named_without_the_password(run_one: RunOne) -> None:
    result = run_one("Query", sql="SELECT 1", url="jdbc:postgresql://127.0.0.1:1/d", password="s3cr3t-word")
    assert result.state == "FAILED"
    assert "the database cannot be reached" in result.messages[-1]
    assert "s3cr3t-word" not in "".join(result.messages)


def test_a_long_query_can_be_killed(engine: Engine, run_tasks: RunTasks, postgres_url: str, ask: Ask) -> None:
    execution = run_tasks(
        f"- {{id: long, type: postgres, url: '{postgres_url}', username: nbflow, sql: SELECT pg_sleep(60)}}", wait=False
    )
    running = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
    eventually(lambda: ask(running))
    start = time.monotonic()
    engine.kill(execution.id)
    execution.wait(20)
    assert execution.state == "KILLED"
    assert time.monotonic() - start < 5
    assert ask(running) == []


def test_data_is_loaded_and_checked(run_tasks: RunTasks, postgres_url: str, ask: Ask) -> None:
    """A guide's pipeline: a script's CSV is loaded, and what a query of nulls gave decides what follows."""
    ask("CREATE TABLE processed_data (column1 int, column2 text)")
    execution = run_tasks(
        """
        - id: transform
          type: io.kestra.plugin.scripts.shell.Commands
          outputFiles: [transformed.csv]
          commands: ["printf 'column1,column2\\n1,a\\n,b\\n' > transformed.csv"]
        - id: load
          type: io.kestra.plugin.jdbc.postgresql.Load
          from: "{{ outputs.transform.outputFiles['transformed.csv'] }}"
          table: processed_data
        - id: check-nulls
          type: io.kestra.plugin.jdbc.postgresql.Query
          sql: |
            SELECT COUNT(*) as total_rows, SUM(CASE WHEN column1 IS NULL THEN 1 ELSE 0 END) as null_count
            FROM processed_data
          fetch: true
        - id: validate
          type: io.kestra.plugin.core.condition.Expression
          expression: "{{ outputs['check-nulls'].rows[0]['null_count'] == 0 }}"
        """,
        more=f"""
        pluginDefaults:
          - type: io.kestra.plugin.jdbc.postgresql
            values: {{url: "{postgres_url}", username: nbflow}}
        """,
    )
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["check-nulls"].outputs["rows"] == [{"total_rows": 2, "null_count": 1}]
    assert execution.task_runs["validate"].outputs["value"] is False
