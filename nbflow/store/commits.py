"""Tells, at next to no cost, whether anybody has committed since it was asked last."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy.pool import PoolProxiedConnection

from nbflow.store.database import Database, store_error


class CommitCounter:
    """Asks the database for a value that every commit changes, on a connection kept for this alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # SQLite counts the commits of all connections but the one that asks. PostgreSQL's snapshot names the
        # transactions that are under way: it changes when one of them ends.
        self._question = "PRAGMA data_version" if database.is_sqlite else "SELECT pg_current_snapshot()::text"
        self._lock = threading.Lock()
        self._connection: PoolProxiedConnection | None = None
        self._answer: object = None
        self._count = 0

    def read(self) -> int:
        """A number that is higher than the last one if there was a commit in between. Raises: StoreError."""
        with self._lock:
            try:
                answer = self._ask()
            except self._database.reading.dialect.loaded_dbapi.Error as cause:
                self._leave()
                raise store_error("the history cannot be read", cause) from cause
            if answer != self._answer:
                self._answer = answer
                self._count += 1
            return self._count

    def close(self) -> None:
        with self._lock:
            self._leave()

    def _ask(self) -> object:
        if self._connection is None:
            self._connection = self._database.reading.raw_connection()
        driver: Any = self._connection.dbapi_connection  # Any: each driver has a type of its own
        cursor = driver.cursor()
        try:
            cursor.execute(self._question)
            return cursor.fetchone()[0]
        finally:
            cursor.close()
            driver.rollback()  # otherwise the next answer would be that of the same transaction

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
