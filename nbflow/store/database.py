"""Opens the database of a home: SQLite in a file, or PostgreSQL; connections to read with, one to write with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, create_engine, event, or_, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.sql import Executable

from nbflow.errors import MissingExtraError, SettingsError, StoreError
from nbflow.settings import Settings

BUSY_SECONDS = 10
"""How long a process waits for another's transaction before it gives up."""

_PAGE_SIZE = 8192  # clustered rows up to 2 kB then need no overflow page, and a commit still writes little


class Database:
    """The two SQLAlchemy engines of a history: `writing` begins transactions that may write, `reading` never waits.

    Each read sees one state of the history: a transaction of its own on a connection of the pool.
    """

    def __init__(self, settings: Settings) -> None:
        durability = settings.durability
        url = database_url(settings)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.name = str(url.database) if self.is_sqlite else url.render_as_string(hide_password=True)
        self.writing = (
            _sqlite(url, durability, "BEGIN IMMEDIATE") if self.is_sqlite else _postgres(url, "READ COMMITTED")
        )
        self.reading = _sqlite(url, durability, "BEGIN") if self.is_sqlite else _postgres(url, "REPEATABLE READ")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the history. Raises: StoreError."""
        with translated("the history cannot be read"), self.reading.connect() as connection:
            yield connection

    def first(self, query: Executable) -> Row[Any] | None:  # Any: the columns of a Table have no static types
        with self.read() as connection:
            return connection.execute(query).first()

    def all(self, query: Executable) -> Sequence[Row[Any]]:  # Any: as above
        with self.read() as connection:
            return connection.execute(query).all()

    def close(self) -> None:
        self.reading.dispose()
        self.writing.dispose()


def database_url(settings: Settings) -> URL:
    """Where the history of a home lies. Raises: SettingsError."""
    if settings.repository_url is None:
        return URL.create("sqlite", database=str(settings.home / "nbflow.db"))  # a path may hold what a URL must quote
    try:
        url = make_url(settings.repository_url)
    except ArgumentError as cause:
        raise SettingsError("the URL of the repository cannot be read") from cause  # not shown: it may hold a password
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise SettingsError(f"a repository of `{backend}` is not supported", hint="there are sqlite and postgresql")
    return url.set(drivername="postgresql+psycopg") if backend == "postgresql" else url


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> object: ...


class _Driver(Protocol):
    """What this module needs of a driver's connection."""

    def cursor(self) -> _Cursor: ...


def _sqlite(url: URL, durability: str, begin: str) -> Engine:
    # isolation_level None: the driver opens no transaction by itself, so that ours can be IMMEDIATE.
    options = {"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, connect_args=options, max_overflow=-1)
    synchronous = "FULL" if durability == "full" else "NORMAL"

    def set_up(connection: _Driver, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA page_size={_PAGE_SIZE}")
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA cache_size=-16000")  # kB
        cursor.close()

    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin_transaction)
    return engine


def _postgres(url: URL, isolation: IsolationLevel) -> Engine:
    try:
        return create_engine(
            url,
            isolation_level=isolation,
            connect_args={"connect_timeout": BUSY_SECONDS},
            max_overflow=-1,
            pool_pre_ping=True,  # a server that was restarted costs a new connection, not an error
        )
    except ModuleNotFoundError as missing:
        raise MissingExtraError(
            f"this history needs the package `{missing.name}`, which is not installed",
            hint="pip install 'jupyter-nbflow[postgres]'",
        ) from missing


@contextmanager
def translated(failure: str) -> Iterator[None]:
    """Turn what the database raises into a StoreError that begins with `failure`."""
    try:
        yield
    except SQLAlchemyError as cause:
        raise store_error(failure, cause) from cause


def store_error(failure: str, cause: BaseException) -> StoreError:
    """A StoreError that says what failed, in the database's own words, without the statement."""
    reason = cause.orig if isinstance(cause, DBAPIError) and cause.orig is not None else cause
    return StoreError(f"{failure}: {str(reason).strip() or type(reason).__name__}")


def hold_flow(connection: Connection, namespace: str, flow_id: str) -> None:
    """Let nobody else decide about a flow until the transaction ends; on SQLite a transaction that writes is alone."""
    if connection.dialect.name == "postgresql":
        key = {"key": f"{namespace}/{flow_id}"}
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), key)


def within_namespace(column: ColumnElement[Any], namespace: str, prefix: bool) -> ColumnElement[bool]:
    """Whether a column names a namespace, or, with `prefix`, one below it as well."""
    if not prefix:
        return column == namespace
    # A range instead of LIKE: an index serves it, and `_` in a namespace is no wildcard. `/` follows `.` in ASCII.
    below = f"{namespace}."
    return and_(column >= namespace, column < f"{namespace}/", or_(column == namespace, column >= below))


def contains(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether a column holds a text, capitals or not."""
    return column.icontains(part, autoescape=True)
