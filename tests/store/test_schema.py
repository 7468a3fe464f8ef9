"""Opening a history: fresh, current, older, newer, broken."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from nbflow.errors import SettingsError, StoreError
from nbflow.settings import Settings
from nbflow.store import Store, tables
from nbflow.store.database import Database, database_url
from nbflow.store.schema import MIGRATIONS, ensure_schema
from tests.store.store_records import NOW


def _python(code: str, home: Path) -> str:
    environment = {**os.environ, "NBFLOW_HOME": str(home)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def _start_empty(settings: Settings) -> None:
    """Leave the mark of a history that no migration has been applied to."""
    settings.home.mkdir(exist_ok=True)
    engine = create_engine(database_url(settings))
    with engine.begin() as connection:
        tables.version.create(connection)
    engine.dispose()


def _definitions(settings: Settings) -> dict[str, str]:
    """The SQL of all tables and indexes, without its spaces."""
    with closing(sqlite3.connect(settings.home / "nbflow.db")) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: "".join(sql.split()) for name, sql in rows}


def test_migrations_lead_to_the_tables_as_they_are_described(any_settings: Settings) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    _start_empty(any_settings)
    with Store(any_settings) as store:
        store.flows.save("a", "f", "text", NOW)
    engine = create_engine(database_url(any_settings))
    with engine.connect() as connection:
        options = {"version_table": tables.version.name, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), tables.metadata) == []
        assert connection.execute(text("SELECT version_num FROM nbflow_version")).scalar() == tables.REVISION
    engine.dispose()


def test_a_migrated_history_is_the_same_as_a_fresh_one_to_the_letter(settings: Settings, tmp_path: Path) -> None:
    _start_empty(settings)
    Store(settings).close()
    fresh = Settings(tmp_path / "fresh")
    Store(fresh).close()
    assert _definitions(settings) == _definitions(fresh)


def test_a_history_of_the_first_tables_is_upgraded_and_keeps_what_it_holds(any_settings: Settings) -> None:
    with Store(any_settings) as store:
        store.flows.save("a", "f", "text", NOW)
    engine = create_engine(database_url(any_settings))
    with engine.begin() as connection:  # what 0001 left
        later = (tables.kv, tables.secrets, tables.namespaces, tables.pool_runs, tables.outcomes, tables.state_changes)
        for table in (*later, tables.leases, tables.backfills):
            table.drop(connection)
        for index in ("triggers_by_update", "triggers_by_kind", "flows_by_change"):
            connection.execute(text(f"DROP INDEX {index}"))
        for column in ("kind", "revision", "updated", "evaluated", "error"):
            connection.execute(text(f"ALTER TABLE triggers DROP COLUMN {column}"))
        connection.execute(tables.version.update().values(version_num="0001"))
    engine.dispose()
    with Store(any_settings) as store:
        assert store.flows.get("a", "f") is not None
        assert store.kv.put("a", "key", 1, NOW).revision == 1
        assert [one.id for one in store.namespaces.list()] == ["a"]


def test_the_constant_revision_is_the_head_of_the_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == tables.REVISION


def test_creating_and_opening_imports_neither_alembic_nor_the_orm(home: Path) -> None:
    code = (
        "import sys; from nbflow.settings import Settings; from nbflow.store import Store\n"
        "for _ in range(2): Store(Settings.load()).close()\n"
        "print([name for name in ('alembic', 'sqlalchemy.orm', 'fsspec', 'yaml') if name in sys.modules])"
    )
    assert _python(code, home) == "[]"


def test_a_history_of_a_newer_nbflow_is_refused_and_left_alone(any_settings: Settings) -> None:
    with Store(any_settings) as store:
        store.flows.save("a", "f", "text", NOW)
    engine = create_engine(database_url(any_settings))
    with engine.begin() as connection:
        connection.execute(text("UPDATE nbflow_version SET version_num = '9999'"))
        before = sorted(inspect(connection).get_table_names())
    with pytest.raises(StoreError) as refused:
        Store(any_settings)
    assert refused.value.message.startswith("this history was written by a newer nbflow: ")
    assert refused.value.hint == "upgrade nbflow: pip install -U jupyter-nbflow"
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM nbflow_version")).scalar() == "9999"
        assert sorted(inspect(connection).get_table_names()) == before
    engine.dispose()


def test_tables_of_another_program_are_left_alone(any_settings: Settings) -> None:
    any_settings.home.mkdir()
    engine = create_engine(database_url(any_settings))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE flows (key TEXT)"))
    with pytest.raises(
        StoreError, match=r"holds tables of another program: flows \(give nbflow a database of its own\)"
    ):
        Store(any_settings)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["flows"]
    engine.dispose()


def test_a_creation_that_was_cut_off_leaves_nothing_and_is_done_again(settings: Settings) -> None:
    """The process dies before the transaction of the creation commits."""
    code = (
        "import os; from nbflow.settings import Settings; from nbflow.store import Store, tables\n"
        "tables.version.create = lambda *_: os._exit(0)\n"
        "Store(Settings.load())"
    )
    _python(code, settings.home)
    assert _definitions(settings) == {}
    with Store(settings) as store:
        assert store.flows.save("a", "f", "text", NOW) == (1, True)


@pytest.mark.parametrize(
    "content", [b"this is no database, but a text of some length" * 200, b"SQLite format 3\0" + b"x" * 9000]
)
def test_a_file_that_is_no_database_is_one_clear_error(settings: Settings, content: bytes) -> None:
    settings.home.mkdir()
    file = settings.home / "nbflow.db"
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"the history .*nbflow\.db cannot be opened: file is not a database"):
        Store(settings)
    assert file.read_bytes() == content


def test_a_damaged_page_is_a_store_error_when_it_is_read(settings: Settings) -> None:
    with Store(settings) as store:
        for number in range(200):
            store.flows.save("a", f"f{number}", "x" * 1000, NOW)
    file = settings.home / "nbflow.db"
    content = bytearray(file.read_bytes())
    content[8192 * 3 :] = b"\xff" * (len(content) - 8192 * 3)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be"), Store(settings) as store:
        store.flows.list()


def test_a_home_that_cannot_be_made_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError) as refused:
        Store(Settings(tmp_path / "file" / "home"))
    assert str(refused.value) == (
        f"the home {tmp_path / 'file' / 'home'} cannot be made: Not a directory (set NBFLOW_HOME to another directory)"
    )


def test_a_history_that_is_a_directory_is_a_store_error(settings: Settings) -> None:
    (settings.home / "nbflow.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be opened: unable to open database file"):
        Store(settings)


def test_a_postgres_server_that_is_not_there_is_a_store_error_without_the_password(home: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError) as refused:
        Store(Settings(home, repository_url="postgresql+psycopg://me:secret@127.0.0.1:1/nbflow"))
    assert "postgresql+psycopg://me:***@127.0.0.1:1/nbflow cannot be opened" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_current_history_is_opened_without_a_lock(settings: Settings) -> None:
    Store(settings).close()
    with closing(sqlite3.connect(settings.home / "nbflow.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        database = Database(settings)
        ensure_schema(database)
        database.close()
        other.execute("ROLLBACK")


def test_a_migration_that_fails_half_way_leaves_the_history_as_it_was(any_settings: Settings) -> None:
    """The first migration finds its third table taken."""
    _start_empty(any_settings)
    engine = create_engine(database_url(any_settings))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE logs (line TEXT)"))
    with pytest.raises(StoreError, match=r"cannot be opened: .*already exists"):
        Store(any_settings)
    with engine.begin() as connection:
        assert sorted(inspect(connection).get_table_names()) == ["logs", "nbflow_version"]
        connection.execute(text("DROP TABLE logs"))
    with Store(any_settings) as store:
        assert store.flows.save("a", "f", "text", NOW) == (1, True)
    engine.dispose()


def test_a_home_may_have_any_name(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "a b?c=%41#d é")
    with Store(settings) as store:
        store.files.put_bytes("a/b", b"")
    assert (settings.home / "nbflow.db").is_file()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("somewhere", "the URL of the repository cannot be read"),
        ("mysql://me:secret@host/db", "a repository of `mysql` is not supported (there are sqlite and postgresql)"),
    ],
)
def test_a_repository_that_is_no_database_of_ours_is_a_settings_error(home: Path, url: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Store(Settings(home, repository_url=url))
    assert str(refused.value) == message
