"""Task types for PostgreSQL: queries, and bulk copies that are never whole in memory."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field, field_validator

from nbflow.plugins import Dynamic, Example, Text, task_type
from nbflow.tasks.sql.batch import AnyBatch
from nbflow.tasks.sql.query import AnyQueries, AnyQuery, OneDatabase

NEEDS = "a PostgreSQL server"


class SslMode(StrEnum):
    """How much a connection is guarded."""

    DISABLE = "DISABLE"
    ALLOW = "ALLOW"
    PREFER = "PREFER"
    REQUIRE = "REQUIRE"
    VERIFY_CA = "VERIFY_CA"
    VERIFY_FULL = "VERIFY_FULL"


class OnPostgres(OneDatabase):
    """How PostgreSQL is reached."""

    kinds = ("postgresql",)

    ssl: Dynamic[bool] = Field(default=False, description="Whether to connect by TLS and check the server's name.")
    ssl_mode: Dynamic[SslMode] | None = Field(default=None, description="How much the connection is guarded.")
    ssl_root_cert: Dynamic[Text] | None = Field(
        default=None, description="Certificate of the authority that the server is to be signed by (PEM)."
    )
    ssl_cert: Dynamic[Text] | None = Field(default=None, description="Certificate to show the server (PEM).")
    ssl_key: Dynamic[Text] | None = Field(default=None, description="Key of that certificate (PEM).")
    ssl_key_password: Dynamic[Text] | None = Field(default=None, description="Password of the key.")

    @field_validator("ssl_mode", mode="before")
    @classmethod
    def _in_any_spelling(cls, value: object) -> object:
        return value.upper().replace("-", "_") if isinstance(value, str) and "{{" not in value else value

    def connection_secrets(self) -> Mapping[str, str]:
        mode = self.ssl_mode.value.lower().replace("_", "-") if self.ssl_mode else "verify-full" if self.ssl else None
        given = {
            "sslmode": mode,
            "sslrootcert": self.ssl_root_cert,
            "sslcert": self.ssl_cert,
            "sslkey": self.ssl_key,
            "sslpassword": self.ssl_key_password,
        }
        return {name: value for name, value in given.items() if value}


_QUERY = Example(
    title="Fetch rows with parameters.",
    needs=NEEDS,
    yaml="""
    id: recent
    type: io.kestra.plugin.jdbc.postgresql.Query
    url: jdbc:postgresql://localhost:5432/shop
    username: app
    password: "{{ secret('POSTGRES_PASSWORD') }}"
    sql: SELECT * FROM orders WHERE placed > :since
    parameters:
      since: "2024-01-01"
    fetchType: FETCH
    """,
)
_QUERIES = Example(
    title="Take staged rows over into a table, in one transaction.",
    needs=NEEDS,
    yaml="""
    id: merge
    type: io.kestra.plugin.jdbc.postgresql.Queries
    url: jdbc:postgresql://localhost:5432/shop
    username: app
    password: "{{ secret('POSTGRES_PASSWORD') }}"
    sql: |
      MERGE INTO orders o USING staged s ON o.id = s.id
      WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.placed);
      TRUNCATE staged;
    """,
)
_BATCH = Example(
    title="Insert the rows of a stored file.",
    needs=NEEDS,
    yaml="""
    id: insert
    type: io.kestra.plugin.jdbc.postgresql.Batch
    url: jdbc:postgresql://localhost:5432/shop
    username: app
    password: "{{ secret('POSTGRES_PASSWORD') }}"
    from: kestra:///company/team/orders.jsonl
    table: orders
    """,
)


@task_type("io.kestra.plugin.jdbc.postgresql.Query", aliases=["postgres"], examples=[_QUERY])
class Query(OnPostgres, AnyQuery):
    """Run SQL on PostgreSQL. Of several statements, the last one that has rows gives the output."""


@task_type("io.kestra.plugin.jdbc.postgresql.Queries", aliases=["postgres_queries"], examples=[_QUERIES])
class Queries(OnPostgres, AnyQueries):
    """Run several SQL statements on PostgreSQL; each that has rows gives an output."""


@task_type("io.kestra.plugin.jdbc.postgresql.Batch", aliases=["postgres_batch"], examples=[_BATCH])
class Batch(OnPostgres, AnyBatch):
    """Run a statement of PostgreSQL once for each row of a stored file, all in one transaction."""
