"""Stores on every database that this machine has: SQLite always, PostgreSQL where its server is installed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from nbflow.settings import Settings
from nbflow.store import Store
from tests.postgres import INSTALLED, running_postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of this session's own, on a socket in a temporary folder; the folder's path."""
    with running_postgres() as (folder, _):
        yield folder


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> str:
    """The URL of a database that sorts texts by the rules of English, where it can: nbflow must not care."""
    import psycopg

    with psycopg.connect(host=postgres_server, user="nbflow", dbname="postgres", autocommit=True) as admin:
        order = "LOCALE_PROVIDER icu ICU_LOCALE 'en'" if admin.info.server_version >= 150000 else ""
        admin.execute(f"CREATE DATABASE nbflow TEMPLATE template0 ENCODING 'UTF8' {order}")
    return f"postgresql+psycopg://nbflow@/nbflow?host={postgres_server}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_database: str) -> str:
    """The URL of a database that does not hold a table yet."""
    import psycopg

    with psycopg.connect(host=postgres_server, user="nbflow", dbname="nbflow", autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_database


@pytest.fixture(params=["sqlite", "postgres"] if INSTALLED else ["sqlite"])
def any_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings on each kind of database."""
    if request.param == "sqlite":
        return settings
    return replace(settings, repository_url=request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(any_settings: Settings) -> Iterator[Store]:
    with Store(any_settings) as store:
        yield store
