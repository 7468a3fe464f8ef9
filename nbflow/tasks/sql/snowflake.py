"""Task types for Snowflake, which has more to say about a connection than a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, Text, task_type
from nbflow.tasks.sql.batch import AnyBatch
from nbflow.tasks.sql.query import AnyQueries, AnyQuery, OneDatabase
from nbflow.tasks.sql.urls import Address


class OnSnowflake(OneDatabase):
    """How Snowflake is reached."""

    kinds = ("snowflake",)

    database: Dynamic[Text] | None = Field(default=None, description="Database to use.")
    schema_: Dynamic[Text] | None = Field(default=None, alias="schema", description="Schema to use.")
    warehouse: Dynamic[Text] | None = Field(default=None, description="Warehouse that does the work.")
    role: Dynamic[Text] | None = Field(default=None, description="Role to take.")
    query_tag: Dynamic[Text] | None = Field(default=None, description="Tag of the queries in Snowflake's history.")
    private_key: Dynamic[Text] | None = Field(
        default=None, description="Key to log in with instead of a password: PEM, or its base64 alone."
    )
    private_key_password: Dynamic[Text] | None = Field(default=None, description="Password of the key.")

    def address(self, ctx: RunContext) -> Address:
        address = super().address(ctx)
        given = {"db": self.database, "schema": self.schema_, "warehouse": self.warehouse, "role": self.role}
        return replace(address, options={**address.options, **{name: text for name, text in given.items() if text}})

    def connection_secrets(self) -> Mapping[str, str]:
        given = {
            "private_key": self.private_key,
            "private_key_password": self.private_key_password,
            "query_tag": self.query_tag,
        }
        return {name: value for name, value in given.items() if value}


_QUERY = Example(
    title="Ask Snowflake.",
    needs="an account of Snowflake",
    yaml="""
    id: orders
    type: io.kestra.plugin.jdbc.snowflake.Query
    url: jdbc:snowflake://my-account.snowflakecomputing.com
    username: app
    password: "{{ secret('SNOWFLAKE_PASSWORD') }}"
    warehouse: COMPUTE_WH
    sql: SELECT count(*) AS n FROM shop.public.orders
    fetchType: FETCH_ONE
    """,
)


_QUERIES = Example(
    title="Two statements, with a key instead of a password.",
    needs="an account of Snowflake",
    yaml="""
    id: orders
    type: io.kestra.plugin.jdbc.snowflake.Queries
    url: jdbc:snowflake://my-account.snowflakecomputing.com
    username: app
    privateKey: "{{ secret('SNOWFLAKE_KEY') }}"
    database: SHOP
    schema: PUBLIC
    warehouse: COMPUTE_WH
    sql: |
      DELETE FROM orders WHERE cancelled;
      SELECT count(*) AS n FROM orders;
    fetchType: FETCH
    """,
)
_BATCH = Example(
    title="Insert the rows of a stored file.",
    needs="an account of Snowflake",
    yaml="""
    id: insert
    type: io.kestra.plugin.jdbc.snowflake.Batch
    url: jdbc:snowflake://my-account.snowflakecomputing.com
    username: app
    password: "{{ secret('SNOWFLAKE_PASSWORD') }}"
    from: kestra:///company/team/orders.jsonl
    table: shop.public.orders
    """,
)


@task_type("io.kestra.plugin.jdbc.snowflake.Query", aliases=["snowflake"], examples=[_QUERY])
class Query(OnSnowflake, AnyQuery):
    """Run SQL on Snowflake. Of several statements, the last one that has rows gives the output."""


@task_type("io.kestra.plugin.jdbc.snowflake.Queries", aliases=["snowflake_queries"], examples=[_QUERIES])
class Queries(OnSnowflake, AnyQueries):
    """Run several SQL statements on Snowflake; each that has rows gives an output."""


@task_type("io.kestra.plugin.jdbc.snowflake.Batch", aliases=["snowflake_batch"], examples=[_BATCH])
class Batch(OnSnowflake, AnyBatch):
    """Run a statement of Snowflake once for each row of a stored file, all in one transaction."""
