"""A connection to MySQL or MariaDB, with PyMySQL."""

from __future__ import annotations

import contextlib
from typing import Any

from nbflow.errors import MissingExtraError
from nbflow.tasks.sql.connections.connection import Connection, unreachable
from nbflow.tasks.sql.urls import Address

_CONNECT_SECONDS = 10


def open_mysql(address: Address) -> MySqlConnection:
    """Connect."""
    try:
        import pymysql
    except ImportError as missing:
        raise MissingExtraError(
            "MySQL needs the package `pymysql`, which is not installed", hint="pip install 'jupyter-nbflow[mysql]'"
        ) from missing

    arguments = mysql_arguments(address)
    try:
        raw = pymysql.connect(**arguments, autocommit=True)
    except pymysql.Error as cause:
        raise unreachable(cause) from cause
    connection = MySqlConnection(raw, (pymysql.Error,), "pyformat")
    connection.arguments = arguments
    return connection


class MySqlConnection(Connection):
    """MySQL: a backslash escapes in strings, and rows are read from the server as they are asked for."""

    backslashes = True
    name_mark = "`"
    arguments: dict[str, Any]

    def begin(self) -> None:
        self.raw.begin()
        super().begin()

    def statement_done(self) -> None:
        """Nothing to do: outside of a transaction, the server commits by itself."""

    def cursor(self, portion: int) -> Any:
        from pymysql.cursors import SSCursor

        return self.raw.cursor(SSCursor) if portion else self.raw.cursor()

    def cancel(self) -> None:
        import pymysql

        with contextlib.suppress(*self.errors, OSError):
            other = pymysql.connect(**self.arguments)
            with other, other.cursor() as cursor:
                cursor.execute(f"KILL QUERY {self.raw.thread_id()}")

    def set_time_zone(self, zone: str) -> None:
        with self.raw.cursor() as cursor:
            cursor.execute("SET time_zone = %s", [zone])


def mysql_arguments(address: Address) -> dict[str, Any]:
    """What `pymysql.connect` takes for an address."""
    host, port = address.hosts[0] if address.hosts else ("localhost", 0)
    arguments: dict[str, Any] = {"host": host, "port": port or 3306, "charset": "utf8mb4"}
    arguments["connect_timeout"] = _CONNECT_SECONDS
    named = {"user": address.username, "password": address.password, "database": address.path}
    arguments |= {name: value for name, value in named.items() if value}
    if (address.option("allowLoadLocalInfile", "local_infile") or "").lower() in ("true", "1"):
        arguments["local_infile"] = True
    socket = address.option("unix_socket", "localSocket")
    if socket:
        arguments["unix_socket"] = socket
    mode = (address.option("sslMode", "ssl-mode") or "").upper().replace("-", "_")
    if mode == "DISABLED" or (address.option("useSSL") or "").lower() == "false":
        arguments["ssl_disabled"] = True
    elif mode in ("VERIFY_CA", "VERIFY_IDENTITY", "VERIFY_FULL"):
        arguments["ssl_verify_cert"] = True
        arguments["ssl_verify_identity"] = mode != "VERIFY_CA"
    elif mode in ("REQUIRED", "TRUST") or (address.option("useSSL") or "").lower() == "true":
        arguments["ssl"] = {"check_hostname": False}
    return arguments
