"""Queries on a real MariaDB, which MySQL's types reach as well."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from nbflow.engine import Engine
from nbflow.plugins import registry
from nbflow.plugins.task import RunnableTask
from nbflow.testing import TaskResult, eventually, run_task
from tests.mariadb import PROGRAM, running_mariadb
from tests.tasks.conftest import RunTasks
from tests.tasks.sql.conftest import RunOne

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="MariaDB is not installed")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running_mariadb() as port:
        yield f"jdbc:mysql://127.0.0.1:{port}/shop"


@pytest.fixture
def run_one(url: str) -> RunOne:
    def run(kind: str, *, files: dict[str, bytes] | None = None, **properties: object) -> TaskResult:
        cls = registry().find(RunnableTask, f"io.kestra.plugin.jdbc.mysql.{kind}")
        return run_task(
            cls.model_validate({"id": "it", "url": url, "username": "root", "password": "x", **properties}), files=files
        )

    return run


@pytest.fixture(autouse=True)
def _table(run_one: RunOne) -> None:
    made = run_one("Queries", sql="DROP TABLE IF EXISTS t; CREATE TABLE t (a INT, b VARCHAR(20), c JSON)")
    assert made.state == "SUCCESS", made.messages


def test_values_become_json_and_parameters_are_values(run_one: RunOne) -> None:
    sql = r"""
        SELECT :name AS name, 'it\'s; 50%' AS text, 1.50 AS d, TIMESTAMP '2024-01-02 03:04:05' AS ts, x'6162' AS b,
          DATE '2024-01-02' AS day, NULL AS n, :big AS big # a comment; of MySQL
    """
    result = run_one("Query", sql=sql, parameters={"name": "O'Hara", "big": 2**40}, fetchOne=True)
    assert result.outputs.get("row") == {
        "name": "O'Hara",
        "text": "it's; 50%",
        "d": 1.5,
        "ts": "2024-01-02T03:04:05",
        "b": "YWI=",
        "day": "2024-01-02",
        "n": None,
        "big": 2**40,
    }, result.messages


def test_many_rows_are_stored(run_one: RunOne) -> None:
    result = run_one("Query", sql="SELECT seq AS i FROM seq_1_to_12345", storeFormat="JSONL")
    lines = result.files[str(result.outputs["uri"])].splitlines()
    assert [json.loads(line)["i"] for line in lines] == list(range(1, 12346))


def test_queries_undo_everything_after_a_failure(run_one: RunOne) -> None:
    result = run_one("Queries", sql="INSERT INTO t (a) VALUES (1); SELECT * FROM missing")
    assert result.state == "FAILED"
    assert "Table 'shop.missing' doesn't exist" in result.messages[-1]
    assert run_one("Query", sql="SELECT count(*) AS n FROM t", fetchOne=True).outputs["row"] == {"n": 0}


def test_the_rest_of_the_rows_need_not_be_read(run_one: RunOne) -> None:
    result = run_one("Queries", sql="SELECT seq AS i FROM seq_1_to_12345; SELECT 2 AS j", fetchType="FETCH_ONE")
    assert [one["row"] for one in result.outputs["outputs"]] == [{"i": 1}, {"j": 2}]


def test_a_batch_inserts_rows(run_one: RunOne) -> None:
    lines = b'{"c": {"k": "100%"}, "b": "x", "a": 1}\n{"a": 2, "b": null, "c": null}\n'
    result = run_one("Batch", files={"r": lines}, **{"from": "{{ vars.files.r }}"}, table="t")
    assert result.outputs == {"rowCount": 2, "updatedCount": 2}, result.messages
    rows = run_one("Query", sql="SELECT * FROM t ORDER BY a", fetch=True).outputs["rows"]
    assert rows == [{"a": 1, "b": "x", "c": '{"k": "100%"}'}, {"a": 2, "b": None, "c": None}]


def test_a_stored_file_is_loaded(run_one: RunOne) -> None:
    sql = "LOAD DATA LOCAL INFILE '{{ inputFile }}' INTO TABLE t FIELDS TERMINATED BY ',' IGNORE 1 LINES (a, b)"
    result = run_one("Query", files={"f": b"a,b\n1,x\n2,y\n"}, inputFile="{{ vars.files.f }}", sql=sql)
    assert result.state == "SUCCESS", result.messages
    rows = run_one("Query", sql="SELECT a, b FROM t ORDER BY a", fetch=True).outputs["rows"]
    assert rows == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_a_local_file_is_not_given_away_unasked(run_one: RunOne) -> None:
    result = run_one("Query", sql="LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t (b)")
    assert result.state == "FAILED"


def test_a_long_query_can_be_killed(engine: Engine, run_tasks: RunTasks, url: str) -> None:
    place = url.replace("mysql", "mariadb")
    task = f"- {{id: long, type: mariadb, url: '{place}', username: root, sql: SELECT SLEEP(60)}}"
    execution = run_tasks(task, wait=False)
    eventually(lambda: "SLEEP" in "".join(entry.message for entry in execution.logs()))
    start = time.monotonic()
    engine.kill(execution.id)
    execution.wait(20)
    assert execution.state == "KILLED"
    assert time.monotonic() - start < 5
