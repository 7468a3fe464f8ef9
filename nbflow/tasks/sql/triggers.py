"""Triggers that ask a database now and then, and start the flow when there are rows."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Example, PollingTrigger, RunContext, Text, Trigger, trigger_type
from nbflow.tasks.sql.duckdb import OnDuckDb
from nbflow.tasks.sql.fetching import Result
from nbflow.tasks.sql.mysql import OnMySql
from nbflow.tasks.sql.postgresql import OnPostgres
from nbflow.tasks.sql.query import Asking
from nbflow.tasks.sql.snowflake import OnSnowflake
from nbflow.tasks.sql.sqlite import OnSqlite
from nbflow.types import JsonValue

OTHERS = "as400 clickhouse db2 dremio druid hana oracle pinot redshift sqlserver trino vertica"
"""Databases whose trigger has no properties of its own."""


class RowsTrigger(PollingTrigger):
    """Fires when the last statement with rows gives any."""

    class Output(Trigger.Output):
        row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
        uri: Text | None = Field(default=None, description="URI of the stored rows, with fetchType STORE.")
        size: int = Field(description="Number of rows.")

    def output_of(self, results: list[Result]) -> Trigger.Output | None:
        """What the execution to start sees of the last rows; None when there are none."""
        if not results or not results[-1].size:
            return None
        last = results[-1]
        return self.Output(row=last.row, rows=last.rows, uri=last.uri, size=last.size)


class AskingTrigger(Asking, RowsTrigger):
    """Asks a database. `afterSQL` runs in the same transaction, so what was seen can be marked as seen."""

    async def look(self, ctx: RunContext) -> Trigger.Output | None:
        return self.output_of(await self.ask(ctx, transaction=self.after_sql is not None))


def _example(kind: str, url: str) -> list[Example]:
    name = f"{kind}.Trigger" if kind else "Trigger"
    return [
        Example(
            f"""
            id: new_orders
            type: io.kestra.plugin.jdbc.{name}
            url: {url}
            interval: PT30S
            sql: SELECT id, customer FROM orders WHERE state = 'new'
            afterSQL: UPDATE orders SET state = 'seen' WHERE state = 'new'
            fetchType: FETCH
            """,
            title="When there are new rows; each is seen once.",
            needs="a database with a table `orders`",
        )
    ]


@trigger_type(
    "io.kestra.plugin.jdbc.Trigger",
    aliases=["sql_trigger", *(f"io.kestra.plugin.jdbc.{kind}.Trigger" for kind in OTHERS.split())],
    examples=_example("", "jdbc:oracle:thin:@//db.example.com:1521/shop"),
)
class AnyTrigger(AskingTrigger):
    """Start the flow when SQL gives rows, on the database that `url` names."""


@trigger_type(
    "io.kestra.plugin.jdbc.postgresql.Trigger",
    aliases=["postgres_trigger"],
    examples=_example("postgresql", "jdbc:postgresql://localhost:5432/shop"),
)
class PostgresTrigger(OnPostgres, AskingTrigger):
    """Start the flow when SQL on PostgreSQL gives rows."""


@trigger_type(
    "io.kestra.plugin.jdbc.mysql.Trigger",
    aliases=["mysql_trigger", "io.kestra.plugin.jdbc.mariadb.Trigger"],
    examples=_example("mysql", "jdbc:mysql://localhost:3306/shop"),
)
class MySqlTrigger(OnMySql, AskingTrigger):
    """Start the flow when SQL on MySQL or MariaDB gives rows."""


@trigger_type(
    "io.kestra.plugin.jdbc.snowflake.Trigger",
    aliases=["snowflake_trigger"],
    examples=_example("snowflake", "jdbc:snowflake://account.snowflakecomputing.com/?db=shop"),
)
class SnowflakeTrigger(OnSnowflake, AskingTrigger):
    """Start the flow when SQL on Snowflake gives rows."""


@trigger_type(
    "io.kestra.plugin.jdbc.sqlite.Trigger",
    aliases=["sqlite_trigger"],
    examples=_example("sqlite", "jdbc:sqlite:shop.db"),
)
class SqliteTrigger(OnSqlite, AskingTrigger):
    """Start the flow when SQL on SQLite gives rows."""


@trigger_type(
    "io.kestra.plugin.jdbc.duckdb.Trigger",
    aliases=["duckdb_trigger"],
    examples=_example("duckdb", "jdbc:duckdb:shop.duckdb"),
)
class DuckDbTrigger(OnDuckDb, RowsTrigger):
    """Start the flow when SQL with DuckDB gives rows."""

    async def look(self, ctx: RunContext) -> Trigger.Output | None:
        results, _, _ = await self.ask(ctx, transaction=self.after_sql is not None)
        return self.output_of(results)
