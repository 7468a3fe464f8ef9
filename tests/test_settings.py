"""Finding the home, and reading what is set in it."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from nbflow.errors import SettingsError
from nbflow.settings import Settings, find_home, postgres_url

KESTRA_FILE = """
kestra:
  server:
    port: 9090
    interface: "0.0.0.0"
  repository:
    type: postgres
    postgres:
      url: jdbc:postgresql://db.example:5432/kestra
      username: kestra
      password: ${KESTRA_DB_PASSWORD}
  queue:
    type: kafka
    kafka:
      client:
        bootstrap.servers: ${NOBODY_READS_THIS}
  storage:
    type: minio
    minio:
      endpoint: http://minio:9000
      access-key: minioadmin
      secretKey: ${MINIO_SECRET_KEY:miniosecret}
      bucket: kestra
  logging:
    level: debug
    path: /var/log/kestra
    retention: 30d
"""


def _load(home: Path, text: str, env: dict[str, str] | None = None, name: str = "nbflow.yaml") -> Settings:
    home.mkdir(exist_ok=True)
    (home / name).write_text(dedent(text), encoding="utf-8")
    return Settings.load(home, env or {})


def test_the_argument_wins_over_the_environment(tmp_path: Path) -> None:
    env = {"NBFLOW_HOME": str(tmp_path / "env")}
    assert Settings.load(tmp_path / "given", env).home == tmp_path / "given"
    assert Settings.load(None, env).home == tmp_path / "env"


def test_a_project_is_found_upwards_and_the_user_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    inner = tmp_path / "project" / "notebooks" / "deep"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert find_home(env={}) == tmp_path / "user" / ".nbflow"
    (tmp_path / "project" / ".nbflow").mkdir()
    assert find_home(env={}) == tmp_path / "project" / ".nbflow"
    assert find_home("~/x", env={}) == tmp_path / "user" / "x"


def test_without_a_file_the_defaults_hold_and_no_yaml_is_imported(home: Path) -> None:
    code = "import sys; from nbflow.settings import Settings; Settings.load(); print('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
    settings = Settings.load(home)
    assert (settings.durability, settings.repository_url, settings.storage_path) == ("full", None, home / "storage")
    assert not home.exists()


def test_a_configuration_of_kestra_is_understood(home: Path) -> None:
    settings = _load(home, KESTRA_FILE, {"KESTRA_DB_PASSWORD": "p@ss/word"}, name="config.yaml")
    assert settings.repository_url == "postgresql+psycopg://kestra:p%40ss%2Fword@db.example:5432/kestra"
    assert settings.storage_url == "s3://kestra"
    assert settings.storage_options == {
        "endpoint_url": "http://minio:9000",
        "key": "minioadmin",
        "secret": "miniosecret",
    }
    assert (settings.server_host, settings.server_port) == ("0.0.0.0", 9090)
    assert (settings.log_level, settings.log_path) == ("DEBUG", Path("/var/log/kestra"))
    assert settings.log_retention == timedelta(days=30)
    assert "p@ss" not in repr(settings)
    assert "miniosecret" not in repr(settings)


def test_what_is_said_under_nbflow_wins(home: Path) -> None:
    settings = _load(
        home,
        """
        kestra: {server: {port: 1, interface: 127.0.0.2}, storage: {type: local, local: {base-path: files}}}
        nbflow: {server: {port: 2}, durability: normal, workerSlots: 3, max-output-bytes: 4}
        """,
    )
    assert (settings.server_host, settings.server_port, settings.durability) == ("127.0.0.2", 2, "normal")
    assert (settings.worker_slots, settings.max_output_bytes) == (3, 4)
    assert settings.storage_path == home / "files"


def test_pools_keep_the_names_they_are_given(home: Path) -> None:
    text = "nbflow: {pools: {my-database: 2, 'api.v2': '${SLOTS}'}}"
    assert _load(home, text, {"SLOTS": "3"}).pools == {"my-database": 2, "api.v2": 3}


def test_the_datasource_of_a_kestra_server_is_the_repository(home: Path) -> None:
    text = """
    datasources:
      postgres: {url: "jdbc:postgresql://pg:5432/kestra", driverClassName: org.postgresql.Driver, username: me}
    kestra: {repository: {type: postgres}}
    """
    assert _load(home, text).repository_url == "postgresql+psycopg://me@pg:5432/kestra"


@pytest.mark.parametrize("kind", ["h2", "memory"])
def test_an_embedded_repository_becomes_sqlite_with_a_warning(
    home: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert _load(home, f"kestra: {{repository: {{type: {kind}}}}}").repository_url is None
    assert f"repository.type `{kind}` is taken as sqlite, a file in the home" in caplog.text


@pytest.mark.parametrize("text", ["", "# nothing\n", "other: {}\n", "nbflow:\n", "nbflow: {queue: {type: memory}}"])
def test_a_file_that_sets_nothing_changes_nothing(home: Path, text: str) -> None:
    assert _load(home, text) == Settings(home)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nbflow: [", "{file}:2:1: is no valid YAML: did not find expected node content"),
        ("- nbflow", "{file}: must hold sections, such as `nbflow:`"),
        ("nbflow: 1", "{file}  nbflow: must hold sections"),
        ("nbflow: {server: 1}", "{file}  server: must hold sections"),
        ("nbflow: {server: {port: [1]}}", "{file}  server.port: must be a single value"),
        ("nbflow: {server: {port: -1}}", "{file}  server.port: must be a whole number from 1 on, got -1"),
        ("nbflow: {workerSlots: many}", "{file}  workerSlots: must be a whole number from 1 on, got many"),
        ("nbflow: {pools: 3}", "{file}  pools: must hold names and values"),
        ("nbflow: {pools: {api: 0}}", "{file}  pools.api: must be a whole number from 1 on, got 0"),
        ("nbflow: {pools: {api: }}", "{file}  pools.api: must be a whole number from 1 on, got nothing"),
        ("nbflow: {durability: some}", "{file}  durability: must be full or normal, got some"),
        (
            "kestra: {server: {port: '${PORT}'}}",
            "{file}  server.port: the environment has no `PORT` (set it, or write ${PORT:default})",
        ),
        (
            "kestra: {repository: {type: mysql}}",
            "{file}  repository.type: `mysql` is not supported (there are sqlite and postgres)",
        ),
        (
            "kestra: {repository: {type: postgres}}",
            "{file}  repository.postgres.url: is missing (such as postgresql://localhost:5432/nbflow)",
        ),
        (
            "kestra: {repository: {type: postgres, postgres: {url: 'jdbc:mysql://x/y'}}}",
            "{file}  repository.postgres.url: cannot be read: "
            "it does not begin with postgresql://host or jdbc:postgresql://host",
        ),
        (
            "kestra: {storage: {type: ftp}}",
            "{file}  storage.type: `ftp` is not supported (there are local, minio, s3, gcs, azure)",
        ),
        ("kestra: {storage: {type: s3}}", "{file}  storage.s3.bucket: is missing"),
        (
            "kestra: {logging: {retention: soon}}",
            "{file}  logging.retention: must be a duration such as 30d or P30D, got soon",
        ),
    ],
)
def test_a_mistake_names_the_file_and_the_key(home: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _load(home, text)
    assert str(refused.value) == message.replace("{file}", str(home / "nbflow.yaml"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://h/db", "postgresql+psycopg://h/db"),
        ("postgres://u:p@h:1/db", "postgresql+psycopg://u:p@h:1/db"),
        ("postgresql+psycopg://u@h/db", "postgresql+psycopg://u@h/db"),
        ("jdbc:postgresql://h/db?user=u&password=a%26b&ssl=true&sslmode=require",
         "postgresql+psycopg://u:a%26b@h/db?sslmode=require"),
        ("jdbc:postgresql://h/db?currentSchema=kestra", "postgresql+psycopg://h/db?options=-csearch_path%3Dkestra"),
    ],
)  # fmt: skip
def test_urls_of_postgres_are_translated(url: str, expected: str) -> None:
    assert postgres_url(url) == expected
