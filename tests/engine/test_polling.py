"""Triggers that look whether there is something to start for."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError, NotFoundError, TaskFailedError

ORDERS = """
id: orders
namespace: tests
tasks:
  - {id: say, type: return, format: "{{ trigger.rows | jq('.[].id') }} of {{ trigger.size }}, {{ inputs.who }}"}
inputs:
  - {id: who, type: STRING}
triggers:
  - id: new_orders
    type: TYPE
    url: URL
    sql: SELECT id FROM orders WHERE state = 'new' ORDER BY id
    afterSQL: UPDATE orders SET state = 'seen' WHERE state = 'new'
    fetchType: FETCH
    inputs: {who: "order {{ trigger.rows[0].id }}"}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, state TEXT)")
        connection.execute("INSERT INTO orders VALUES (1, 'seen'), (2, 'new'), (3, 'new')")
    connection.close()
    return file


def orders(shop: Path, *more: str, name: str = "io.kestra.plugin.jdbc.sqlite.Trigger") -> str:
    text = ORDERS.replace("TYPE", name).replace("URL", f"jdbc:sqlite:{shop}")
    return text + "".join(f"    {line}\n" for line in more)


@pytest.mark.parametrize("name", ["io.kestra.plugin.jdbc.sqlite.Trigger", "sql_trigger"])
def test_rows_start_an_execution_and_are_seen_once(engine: Engine, shop: Path, name: str) -> None:
    engine.deploy(orders(shop, name=name))
    execution = engine.poll("tests", "orders", "new_orders")
    assert execution is not None
    assert execution.wait(10).task_runs["say"].outputs["value"] == "[2,3] of 2, order 2"
    assert execution.trigger["id"] == "new_orders"
    assert engine.poll("tests", "orders", "new_orders") is None


def test_stored_rows_belong_to_the_execution_they_start(engine: Engine, shop: Path) -> None:
    engine.deploy(
        orders(shop).replace("FETCH\n", "STORE\n").replace('"order {{ trigger.rows[0].id }}"', "x")
        .replace("{{ trigger.rows | jq('.[].id') }}", "{{ read(trigger.uri) }}")
    )  # fmt: skip
    execution = engine.poll("tests", "orders", "new_orders")
    assert execution is not None
    said = str(execution.wait(10).task_runs["say"].outputs["value"])
    assert said.startswith('{"id":2}'), execution.logs()
    assert execution.id in str(execution.trigger["variables"]["uri"])


def test_duckdb_looks_at_files(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("n\n1\n2\n")
    engine.deploy(f"""
id: files
namespace: tests
tasks: [{{id: say, type: return, format: "{{{{ trigger.row.n }}}}"}}]
triggers:
  - {{id: rows, type: io.kestra.plugin.jdbc.duckdb.Trigger, sql: "SELECT sum(n) AS n FROM '{tmp_path}/in.csv'",
     fetchType: FETCH_ONE}}
""")
    execution = engine.poll("tests", "files", "rows")
    assert execution is not None
    assert execution.wait(10).task_runs["say"].outputs["value"] == "3"


def test_it_does_not_look_when_its_conditions_do_not_hold(engine: Engine, shop: Path) -> None:
    engine.deploy(orders(shop, 'when: "{{ false }}"'))
    assert engine.poll("tests", "orders", "new_orders") is None
    with sqlite3.connect(shop) as connection:
        assert connection.execute("SELECT count(*) FROM orders WHERE state = 'new'").fetchone() == (2,)
    connection.close()


def test_what_cannot_be_looked_at_says_why(engine: Engine, shop: Path) -> None:
    engine.deploy(orders(shop).replace("FROM orders", "FROM nowhere"))
    with pytest.raises(TaskFailedError, match="no such table: nowhere"):
        engine.poll("tests", "orders", "new_orders")
    with pytest.raises(NotFoundError, match=r"no polling trigger `new_order`.*did you mean `new_orders`"):
        engine.poll("tests", "orders", "new_order")
    engine.deploy(orders(shop, "disabled: true"))
    with pytest.raises(ConflictError, match="disabled"):
        engine.poll("tests", "orders", "new_orders")
    assert not list((Path(engine.store.settings.home) / "tmp").glob("*"))
