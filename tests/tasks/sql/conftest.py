"""What tests of databases share: a real PostgreSQL, with a database that is empty for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from nbflow.plugins import registry
from nbflow.plugins.task import RunnableTask
from nbflow.testing import TaskResult, run_task
from tests.postgres import INSTALLED, USER, running_postgres

Ask = Callable[[str], list[tuple[object, ...]]]
RunOne = Callable[..., TaskResult]


@pytest.fixture(scope="session")
def postgres_place() -> Iterator[tuple[str, int]]:
    """The folder of the server's socket, and its port on loopback."""
    if not INSTALLED:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(listens=True) as place:
        yield place


@pytest.fixture
def postgres_url(postgres_place: tuple[str, int]) -> str:
    """The JDBC URL of a database without a table, for the user `nbflow`."""
    with psycopg.connect(host=postgres_place[0], port=postgres_place[1], user=USER, dbname="postgres") as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return f"jdbc:postgresql://127.0.0.1:{postgres_place[1]}/postgres"


@pytest.fixture
def ask(postgres_url: str) -> Ask:
    """Ask that database something, past nbflow."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        place = postgres_url.removeprefix("jdbc:")
        with psycopg.connect(place, user=USER, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    return ask


@pytest.fixture
def run_one(postgres_url: str) -> RunOne:
    """Run one task on that database: by the last part of its type, its properties as in YAML."""

    def run(kind: str, *, files: dict[str, bytes] | None = None, **properties: object) -> TaskResult:
        cls = registry().find(RunnableTask, f"io.kestra.plugin.jdbc.postgresql.{kind}")
        values = {"id": "it", "url": postgres_url, "username": USER, **properties}
        return run_task(cls.model_validate(values), files=files)

    return run
