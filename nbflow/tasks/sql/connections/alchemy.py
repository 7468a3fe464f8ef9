"""A connection to any database that SQLAlchemy has a dialect for; the driver is a package of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.tasks.sql.connections.connection import Connection, unreachable
from nbflow.tasks.sql.urls import Address


@dataclass(frozen=True, slots=True)
class Dialect:
    """How SQLAlchemy calls a database, the package that brings its driver, and what is in its URLs."""

    name: str
    package: str
    database: Callable[[Address], str] = lambda address: address.path
    query: tuple[str, ...] = ()


def _of_sql_server(address: Address) -> str:
    return address.option("databaseName", "database") or address.path


def _of_snowflake(address: Address) -> str:
    schema = address.option("schema")
    return (address.option("db", "database") or address.path) + (f"/{schema}" if schema else "")


DIALECTS = {
    "sqlserver": Dialect("mssql+pymssql", "pymssql", _of_sql_server),
    "oracle": Dialect("oracle+oracledb", "oracledb", query=("service_name",)),
    "clickhouse": Dialect("clickhousedb", "clickhouse-connect"),
    "snowflake": Dialect("snowflake", "snowflake-sqlalchemy", _of_snowflake, ("warehouse", "role", "authenticator")),
    "trino": Dialect("trino", "trino[sqlalchemy]"),
    "redshift": Dialect("redshift+redshift_connector", "sqlalchemy-redshift redshift-connector"),
    "vertica": Dialect("vertica+vertica_python", "sqlalchemy-vertica-python"),
    "pinot": Dialect("pinot", "pinotdb[sqlalchemy]", query=("controller",)),
    "druid": Dialect("druid", "pydruid[sqlalchemy]"),
    "dremio": Dialect("dremio+flight", "sqlalchemy-dremio"),
    "db2": Dialect("db2+ibm_db", "ibm_db_sa"),
    "as400": Dialect("ibmi", "sqlalchemy-ibmi"),
    "hana": Dialect("hana+hdbcli", "sqlalchemy-hana", _of_sql_server),
}
_SNOWFLAKE_HOST = ".snowflakecomputing.com"


def alchemy_url(address: Address) -> URL:
    """The URL of SQLAlchemy for an address. Raises: TaskFailedError when it has none."""
    if address.given:
        try:
            url = make_url(address.given)
        except ArgumentError as cause:
            raise TaskFailedError("`url` is no address of a database", hint=str(cause)) from cause
        return url.set(username=address.username or url.username, password=address.password or url.password)
    dialect = DIALECTS.get(address.kind)
    if dialect is None:
        raise TaskFailedError(
            f"there is no translation of `jdbc:{address.kind}:`", hint="give `url` as SQLAlchemy takes it"
        )
    host, port = address.hosts[0] if address.hosts else ("", 0)
    return URL.create(
        dialect.name,
        username=address.username,
        password=address.password,
        host=host.removesuffix(_SNOWFLAKE_HOST) or None,
        port=port or None,
        database=dialect.database(address) or None,
        query={name: value for name in dialect.query if (value := address.option(name))},
    )


def open_alchemy(address: Address, secrets: Mapping[str, str]) -> Connection:
    """Connect. `secrets` are those of Snowflake. Raises: MissingExtraError naming the package to install."""
    url = alchemy_url(address)
    known = next((each for each in DIALECTS.values() if each.name.startswith(url.get_backend_name())), None)
    package = known.package if known is not None else url.get_driver_name() if "+" in url.drivername else ""
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=_arguments(secrets))
    except (NoSuchModuleError, ImportError) as missing:
        needed = package or getattr(missing, "name", "") or url.drivername
        raise MissingExtraError(
            f"{address.kind} needs the package `{needed}`, which is not installed",
            hint=f"pip install {' '.join(map(repr, needed.split()))}",
        ) from missing
    error = getattr(engine.dialect.loaded_dbapi, "Error", DBAPIError)
    try:
        raw = engine.raw_connection()
    except error as cause:
        raise unreachable(cause) from cause
    return Connection(raw, (error,), engine.dialect.paramstyle)


def _arguments(secrets: Mapping[str, str]) -> dict[str, object]:
    """What the driver of Snowflake takes beside a URL."""
    arguments: dict[str, object] = {}
    if "private_key" in secrets:
        arguments["private_key"] = private_key(secrets["private_key"], secrets.get("private_key_password"))
    if "query_tag" in secrets:
        arguments["session_parameters"] = {"QUERY_TAG": secrets["query_tag"]}
    return arguments


def private_key(text: str, password: str | None) -> bytes:
    """A private key (PEM, or what is between its first and last line) as DER. Raises: TaskFailedError."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    kind = "ENCRYPTED PRIVATE KEY" if password else "PRIVATE KEY"
    pem = text if "-----BEGIN" in text else f"-----BEGIN {kind}-----\n{text.strip()}\n-----END {kind}-----\n"
    try:
        key = load_pem_private_key(pem.encode(), password.encode() if password else None)
    except (ValueError, TypeError) as cause:
        raise TaskFailedError(f"`privateKey` cannot be read: {cause}") from cause
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
