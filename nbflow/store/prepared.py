"""Queries that are asked all the time: compiled once, and asked through the driver itself.

SQLAlchemy writes the SQL and lends the connection; what it does for each query besides takes several times as long
as the query.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Engine, Select
from sqlalchemy.dialects import sqlite

from nbflow.store.database import Database, store_error, translated

_FAILURE = "the history cannot be read"


class Prepared:
    """A query with parameters by name."""

    def __init__(self, database: Database, query: Select[Any]) -> None:  # Any: columns have no static types
        self._engine = database.reading
        compiled = query.compile(dialect=positional(self._engine))
        self._sql = str(compiled)
        self._row: Any = _row_type([str(column.key) for column in query.selected_columns])
        self._order: Sequence[str] = compiled.positiontup or ()
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def all(self, **parameters: object) -> list[Any]:  # Any: rows are what the query makes them
        """The rows, with the columns as attributes. Raises: StoreError."""
        values = {**self._constants, **parameters}
        with translated(_FAILURE), closing(self._engine.raw_connection()) as connection:  # closed: back in the pool
            driver: Any = connection.dbapi_connection  # Any: each driver has a type of its own
            cursor = driver.cursor()
            try:
                cursor.execute(self._sql, [values[name] for name in self._order])
                return [self._row._make(row) for row in cursor.fetchall()]
            except self._engine.dialect.loaded_dbapi.Error as cause:
                raise store_error(_FAILURE, cause) from cause
            finally:
                cursor.close()

    def first(self, **parameters: object) -> Any | None:  # Any: as above
        """The first row, None when there is none. Raises: StoreError."""
        return next(iter(self.all(**parameters)), None)


def _row_type(columns: list[str]) -> Any:  # Any: its fields are known only when it runs
    return namedtuple("row", columns)


def positional(engine: Engine) -> Any:  # Any: dialects have no common static type with these arguments
    """The engine's dialect, with parameters by position."""
    if engine.dialect.name == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql import psycopg  # what takes 20 ms to import is only imported for its users

    return psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy left it without types
