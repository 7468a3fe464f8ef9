"""A connection to a SQLite database, with the standard library."""

from __future__ import annotations

import sqlite3

from nbflow.tasks.sql.connections.connection import Connection, unreachable
from nbflow.tasks.sql.text import statements
from nbflow.tasks.sql.urls import Address

_BUSY_SECONDS = 30


def open_sqlite(address: Address) -> SqliteConnection:
    """Open the file of an address, made if it is not there; in memory when it names none."""
    is_uri = address.path.startswith("file:")
    options = "&".join(f"{name}={value}" for name, value in address.options.items())
    try:
        raw = sqlite3.connect(
            f"{address.path}?{options}" if is_uri and options else address.path or ":memory:",
            timeout=float(address.option("busy_timeout") or _BUSY_SECONDS * 1000) / 1000,
            isolation_level=None,  # transactions are begun by us
            check_same_thread=False,  # `interrupt` comes from another
            uri=is_uri,
        )
    except sqlite3.Error as cause:
        raise unreachable(cause) from cause
    if (address.option("foreign_keys") or "").lower() in ("true", "on", "1"):
        raw.execute("PRAGMA foreign_keys = ON")
    return SqliteConnection(raw, (sqlite3.Error,), "named")


class SqliteConnection(Connection):
    """SQLite: `:name` and `?` are its own."""

    def statements(self, sql: str) -> list[str]:
        """The statements of a text; the body of a trigger has semicolons of its own."""
        whole: list[str] = []
        for part in statements(sql):
            if whole and not sqlite3.complete_statement(whole[-1] + ";"):
                whole[-1] = f"{whole[-1]};\n{part}"
            else:
                whole.append(part)
        return whole

    def begin(self) -> None:
        self.raw.execute("BEGIN")
        super().begin()

    def statement_done(self) -> None:
        """Nothing to do: outside of a transaction, every statement is one."""

    def cancel(self) -> None:
        self.raw.interrupt()

    def _mark(self, number: int) -> str:
        return "?"
