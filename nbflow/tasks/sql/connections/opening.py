"""Opens the connection that an address asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nbflow.errors import TaskFailedError
from nbflow.tasks.sql.connections.connection import Connection
from nbflow.tasks.sql.urls import Address


def open_connection(
    address: Address, *, secrets: Mapping[str, str] | None = None, notice: Callable[[str], None] = lambda text: None
) -> Connection:
    """Connect. `secrets` are certificates and the like; `notice` is told what the server says beside its answers.

    Raises: TaskFailedError when it cannot be reached; MissingExtraError naming the package that is missing.
    """
    if address.kind == "duckdb":
        raise TaskFailedError(
            "this task does not open DuckDB", hint="use the type `io.kestra.plugin.jdbc.duckdb.Query`"
        )
    if address.kind == "postgresql" and address.driver in ("", "psycopg", "psycopg2"):
        from nbflow.tasks.sql.connections.postgres import open_postgres

        return open_postgres(address, secrets or {}, notice)
    if address.kind == "sqlite" and address.driver in ("", "pysqlite"):
        from nbflow.tasks.sql.connections.sqlite import open_sqlite

        return open_sqlite(address)
    if address.kind in ("mysql", "mariadb") and address.driver in ("", "pymysql"):
        from nbflow.tasks.sql.connections.mysql import open_mysql

        return open_mysql(address)
    from nbflow.tasks.sql.connections.alchemy import open_alchemy

    return open_alchemy(address, secrets or {})
