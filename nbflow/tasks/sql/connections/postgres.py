"""A connection to PostgreSQL, with psycopg 3."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from nbflow.errors import MissingExtraError
from nbflow.tasks.sql.connections.connection import Connection, Parameters, Rows, unreachable
from nbflow.tasks.sql.text import words
from nbflow.tasks.sql.urls import Address

_CONNECT_SECONDS = 10
_ASKING = {"SELECT", "VALUES", "TABLE", "WITH", "SHOW"}
_CHANGING = {"INTO", "INSERT", "UPDATE", "DELETE", "MERGE"}
_OPTIONS = {
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "sslpassword": "sslpassword",
    "connecttimeout": "connect_timeout",
    "connect_timeout": "connect_timeout",
    "logintimeout": "connect_timeout",
    "applicationname": "application_name",
    "application_name": "application_name",
    "targetservertype": "target_session_attrs",
    "target_session_attrs": "target_session_attrs",
    "options": "options",
    "host": "host",
    "port": "port",
    "channelbinding": "channel_binding",
    "gssencmode": "gssencmode",
    "tcpkeepalive": "keepalives",
}
_SESSION_KINDS = {
    "primary": "primary",
    "master": "primary",
    "secondary": "standby",
    "preferSecondary": "prefer-standby",
}
_FILES = ("sslrootcert", "sslcert", "sslkey")


def open_postgres(address: Address, secrets: Mapping[str, str], notice: Callable[[str], None]) -> PostgresConnection:
    """Connect. `secrets` are more options; certificates and keys among them are given as texts (PEM)."""
    try:
        import psycopg
    except ImportError as missing:
        raise MissingExtraError(
            "PostgreSQL needs the package `psycopg`, which is not installed",
            hint="pip install 'jupyter-nbflow[postgres]'",
        ) from missing

    arguments = _arguments(address)
    with tempfile.TemporaryDirectory(prefix="nbflow-") as folder:  # libpq reads these as it connects, and not later
        for name, value in secrets.items():
            if name in _FILES:
                file = Path(folder) / name
                file.touch(mode=0o600)
                file.write_text(value, encoding="utf-8")
                value = str(file)
            arguments[name] = value
        try:
            raw = psycopg.connect(**arguments, autocommit=True)
        except psycopg.Error as cause:
            raise unreachable(cause) from cause
    raw.add_notice_handler(lambda said: notice(f"{said.severity}: {said.message_primary}"))
    return PostgresConnection(raw, (psycopg.Error,), "pyformat")


class PostgresConnection(Connection):
    """PostgreSQL: rows of queries come in portions, and are never all in memory."""

    def begin(self) -> None:
        self.raw.autocommit = False
        super().begin()

    def commit(self) -> None:
        super().commit()
        self.raw.autocommit = True

    def rollback(self) -> None:
        super().rollback()
        self.raw.autocommit = True

    def statement_done(self) -> None:
        """Nothing to do: outside of a transaction, the server commits by itself."""

    def cancel(self) -> None:
        with contextlib.suppress(*self.errors):
            self.raw.cancel_safe(timeout=_CONNECT_SECONDS)

    def set_time_zone(self, zone: str) -> None:
        self.raw.execute("SELECT set_config('TimeZone', %s, false)", [zone])

    def run(self, sql: str, parameters: Parameters = None, *, portion: int = 10_000) -> Rows | None:
        if not _only_asks(sql):
            return super().run(sql, parameters, portion=portion)
        text, values = self.bound(sql, parameters) if parameters else (sql, None)
        import psycopg

        portioned = {"size": portion} if psycopg.capabilities.has_stream_chunked() else {}
        cursor = self.raw.cursor()
        rows = cursor.stream(text, values, **portioned)
        return _Stream(cursor, rows)

    def columns(self, table: str) -> list[str]:
        return [column.name for column in self.raw.execute(f"SELECT * FROM {table} LIMIT 0").description]

    def value(self, value: object) -> object:
        if not isinstance(value, dict):
            return value  # lists are arrays
        from psycopg.types.json import Jsonb

        return Jsonb(value)


class _Stream:
    """Rows that the server sends while they are read; with the first come the names of columns."""

    def __init__(self, cursor: Any, rows: Iterator[Sequence[object]]) -> None:  # Any: psycopg is imported as it is used
        self._cursor = cursor
        self._rows = rows
        self._first = list(islice(rows, 1))
        self.description = cursor.description or ()

    def fetchmany(self, size: int, /) -> Sequence[Sequence[object]]:
        first, self._first = self._first, []
        return [*first, *islice(self._rows, size - len(first))]

    def close(self) -> None:
        closing = getattr(self._rows, "close", None)
        if closing is not None:
            closing()  # the server need not send the rest
        self._cursor.close()


def _only_asks(sql: str) -> bool:
    """Whether a statement has rows for certain, so that they may be streamed."""
    found = words(sql)
    return bool(found) and found[0] in _ASKING and not _CHANGING.intersection(found)


def _arguments(address: Address) -> dict[str, Any]:
    """What `psycopg.connect` takes for an address; options of JDBC that libpq has none for are left out."""
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS}
    for name, value in address.options.items():
        known = _OPTIONS.get(name.lower())
        if known == "target_session_attrs":
            value = _SESSION_KINDS.get(value, value)
        if known is not None:
            arguments[known] = value
    schema = address.option("currentSchema")
    if schema:
        arguments["options"] = f"{arguments.get('options', '')} -c search_path={schema.replace(' ', '')}".strip()
    if address.option("ssl") == "true" and "sslmode" not in arguments:
        arguments["sslmode"] = "verify-full"  # what JDBC's driver makes of it
    if address.hosts:
        arguments["host"] = ",".join(name for name, _ in address.hosts)
        if any(port for _, port in address.hosts):
            arguments["port"] = ",".join(str(port or 5432) for _, port in address.hosts)
    named = {"dbname": address.path, "user": address.username, "password": address.password}
    return arguments | {name: value for name, value in named.items() if value}
