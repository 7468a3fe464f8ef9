"""Makes the tables of a history: creates a fresh one, upgrades an older one, refuses a newer one.

Opening a current history asks one question and takes no lock. Creating and upgrading happen in one transaction, under
the lock that every writer takes: a history is as it was, or as it shall be, never between.
"""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from nbflow.errors import StoreError
from nbflow.store import tables
from nbflow.store.database import BUSY_SECONDS, Database, store_error

MIGRATIONS = Path(__file__).parent / "migrations"

_ADVISORY_LOCK = 0x6E62666C  # PostgreSQL's advisory locks are plain numbers; this one spells "nbfl"


def ensure_schema(database: Database) -> None:
    """Bring the tables to `tables.REVISION`. Raises: StoreError; the history is then as it was."""
    try:
        with database.reading.connect() as connection:
            if _revision(connection) == tables.REVISION:
                return
        with database.writing.connect() as connection:
            if database.is_sqlite:
                _use_wal(connection)
            with connection.begin():
                if not database.is_sqlite:
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
                _create_or_upgrade(connection, database)
    except DBAPIError as cause:
        raise store_error(f"the history {database.name} cannot be opened", cause) from cause


def _revision(connection: Connection) -> str | None:
    """The revision that a history is at; None when there is none yet."""
    if not inspect(connection).has_table(tables.version.name):
        return None
    return connection.execute(select(tables.version.c.version_num)).scalar()


def _create_or_upgrade(connection: Connection, database: Database) -> None:
    if inspect(connection).has_table(tables.version.name):
        revision = _revision(connection)
        if revision != tables.REVISION:  # another process may have been quicker
            _upgrade(connection, revision, database)
        return
    strangers = sorted(set(inspect(connection).get_table_names()) & set(tables.metadata.tables))
    if strangers:
        raise StoreError(
            f"{database.name} holds tables of another program: {', '.join(strangers)}",
            hint="give nbflow a database of its own",
        )
    tables.metadata.create_all(connection)
    tables.version.create(connection)
    connection.execute(tables.version.insert().values(version_num=tables.REVISION))


def _upgrade(connection: Connection, revision: str | None, database: Database) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"this history was written by a newer nbflow: {database.name} is at revision {revision}",
            hint="upgrade nbflow: pip install -U jupyter-nbflow",
        )
    command.upgrade(config, "head")


def _use_wal(connection: Connection) -> None:
    """Switch a SQLite file to write-ahead logging, in which readers and the writer do not wait for each other."""
    # SQLite's busy timeout does not cover this switch: two processes that create a home at once must try again.
    deadline = time.monotonic() + BUSY_SECONDS
    driver = connection.connection.dbapi_connection
    assert driver is not None
    while True:
        try:
            driver.cursor().execute("PRAGMA journal_mode=WAL")
            return
        except connection.dialect.loaded_dbapi.OperationalError as cause:
            if "locked" not in str(cause) or time.monotonic() > deadline:
                raise OperationalError(None, None, cause) from cause
            time.sleep(0.01)
