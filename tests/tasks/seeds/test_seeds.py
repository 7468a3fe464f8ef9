"""Every flow of the seeds runs to the state it should end in, with real parts or stand-ins for what is far away."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from nbflow.engine import Engine, Execution
from nbflow.types import JsonValue
from tests.postgres import INSTALLED, USER, running_postgres
from tests.tasks.conftest import Site
from tests.tasks.gcp.google import PROJECT, Google
from tests.tasks.gcp.google import serve as serve_google

SEEDS = Path(__file__).parents[2] / "flows" / "seeds"
DATABASES = ("db", "warehouse", "ny_taxi")
USERS = ("user", "root")

CSV = b"VendorID,amount,column1\n1,7.5,x\n2,12.0,y\n"
VECTOR = [0.1, 0.2, 0.3]
CHAT = {
    "id": "chat-1",
    "object": "chat.completion",
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Many."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
}


@dataclass
class World:
    """What the flows of the seeds reach: addresses of theirs, by pattern, and where these lead on this machine."""

    engine: Engine
    site: Site
    google: Google
    database: str = ""
    elsewhere: dict[str, str] = field(default_factory=dict)

    def text_of(self, name: str) -> str:
        """A flow of the seeds, with its addresses replaced."""
        text = (SEEDS / f"{name}.yaml").read_text(encoding="utf-8")
        for theirs, ours in self.elsewhere.items():
            text = re.sub(theirs, ours, text)
        return text

    def run(self, name: str, **inputs: JsonValue) -> Execution:
        """Run a flow of the seeds to its end."""
        flow = self.engine.deploy(self.text_of(name))
        return self.engine.run(flow.namespace, flow.id, inputs, wait=True, timeout=60)

    def ask(self, database: str, sql: str) -> list[tuple[object, ...]]:
        """Ask one of the databases something, past nbflow."""
        with psycopg.connect(f"{self.database}/{database}", user=USER, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server with the databases and users of the seeds; its URL."""
    if not INSTALLED:
        pytest.skip("PostgreSQL is not installed")
    with running_postgres(listens=True) as (_, port):
        url = f"postgresql://127.0.0.1:{port}"
        with psycopg.connect(f"{url}/postgres", user=USER, autocommit=True) as admin:
            for name in DATABASES:
                admin.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
            for name in USERS:
                admin.execute(f'CREATE ROLE "{name}" LOGIN SUPERUSER')  # type: ignore[call-overload]
        yield url


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    folder = tmp_path / "google"
    folder.mkdir()
    google = Google(folder)
    server, thread = serve_google(google)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", google.url)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", google.url.removeprefix("http://"))
    yield google
    server.shutdown()
    thread.join()
    server.server_close()
    google.database.close()


@pytest.fixture
def world(engine: Engine, site: Site, google: Google, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in {"API_KEY": "k", "API_TOKEN": "t", "DB_USER": "user", "DB_PASSWORD": "pass"}.items():
        monkeypatch.setenv(f"SECRET_{name}", base64.b64encode(value.encode()).decode())
    monkeypatch.setenv("SECRET_OPENAI_API_KEY", base64.b64encode(b"sk-test").decode())
    monkeypatch.setenv("SECRET_SLACK_WEBHOOK", base64.b64encode(f"{site.url}/slack".encode()).decode())
    for path in ("/data.csv", f"/{datetime.now(UTC):%Y-%m}.csv"):
        site.answer(path, CSV)
    site.answer("/slack", b"ok")
    site.answer("/data.json", {"rows": [1, 2]})
    site.answer("/data", {"fine": True})
    site.answer("/products", {"products": [{"brand": "A", "price": 1.5, "id": 1}, {"brand": "B", "price": 4, "id": 2}]})
    site.answer("/releases", b"<html><body><h1>1.1</h1><p>Kestra 1.1 brought many features.</p></body></html>")
    site.answer("/v1/chat/completions", CHAT)
    site.answer("/v1/embeddings", {"data": [{"index": 0, "embedding": VECTOR}], "usage": {"total_tokens": 3}})
    site.answer("/users/_bulk", {"errors": False, "items": []})
    site.answer("/_bulk", {"errors": False, "items": []})
    elsewhere = {
        r"https://(example\.com|data\.source\.com|api\.example\.com|dummyjson\.com)": site.url,
        r"https://github\.com/kestra-io/kestra": site.url,
        r"https://api\.openai\.com": site.url,
        r"http://localhost:9200": site.url,
    }
    return World(engine, site, google, elsewhere=elsewhere)


@pytest.fixture
def databases(world: World, postgres: str) -> World:
    """The same world with databases."""
    world.database = postgres
    world.elsewhere[r"postgresql://(localhost|pgdatabase):5432"] = postgres
    return world


@pytest.fixture
def cloud(world: World) -> World:
    """The same world with an account of a cloud."""
    now = datetime.now(UTC)
    values = {"PROJECT_ID": PROJECT, "BUCKET_NAME": "trips", "DATASET": "zoomcamp", "LOCATION": "us-central1"}
    for name, value in {**values, "CREDS": world.google.service_account}.items():
        world.engine.store.kv.put("zoomcamp", f"GCP_{name}", value, now)
    return world


def messages(execution: Execution) -> list[str]:
    return [entry.message for entry in execution.logs()]


PLAIN: dict[str, str] = {
    "basic-dependencies": "SUCCESS",
    "chat-with-rag": "SUCCESS",
    "chat-without-rag": "SUCCESS",
    "conditional-dependencies": "SUCCESS",
    "conditional-execution": "SUCCESS",
    "core-tasks": "SUCCESS",
    "data-dependencies": "FAILED",  # there is no data.csv
    "direct-dependencies": "SUCCESS",
    "download-and-log": "SUCCESS",
    "error-handling": "SUCCESS",
    "example-flow": "SUCCESS",
    "fan-in-pattern": "SUCCESS",
    "fan-out-pattern": "SUCCESS",
    "flow-inputs": "SUCCESS",
    "gcp-kv": "SUCCESS",
    "getting-started-data-pipeline": "SUCCESS",
    "hello": "SUCCESS",
    "hello-world": "SUCCESS",
    "kafka-trigger": "SUCCESS",
    "main-workflow": "FAILED",  # there is no task whose output it hands on
    "parallel-processing": "SUCCESS",
    "retry-logic": "SUCCESS",
    "sequential-pattern": "SUCCESS",
    "task-executor": "SUCCESS",
    "time-based": "SUCCESS",
    "triggers": "SUCCESS",
    "variables-and-templating": "SUCCESS",
}
"""Flows that need no input, and how they end."""

OTHERS = {
    "basic-etl", "data-quality", "etl-pipeline", "gcp-setup", "gcp-taxi", "postgres-taxi-merge", "query-database",
    "sub-workflow", "taxi-inputs",
}  # fmt: skip
"""Flows with a test of their own below."""


def test_every_flow_of_the_seeds_is_run_here() -> None:
    assert {path.stem for path in SEEDS.glob("*.yaml")} == set(PLAIN) | OTHERS


@pytest.mark.parametrize(("name", "state"), PLAIN.items(), ids=PLAIN)
def test_a_flow_of_the_seeds_ends_as_it_should(world: World, name: str, state: str) -> None:
    execution = world.run(name)
    assert execution.state == state, "\n".join(messages(execution))


def test_a_flow_tells_slack_that_it_has_ended(world: World) -> None:
    world.run("example-flow")
    assert [body for _, path, _, body in world.site.asked if path == "/slack"] == [b'{"text": "Task completed!"}']
    assert [heads["Authorization"] for _, path, heads, _ in world.site.asked if path == "/data"] == ["Bearer t"]


def test_a_pipeline_extracts_transforms_and_queries(world: World) -> None:
    execution = world.run("getting-started-data-pipeline")
    rows = execution.task_runs["query"].outputs["rows"]
    assert rows == [{"brand": "B", "avg_price": 4.0}, {"brand": "A", "avg_price": 1.5}]


def test_what_a_model_answers_is_an_output(world: World) -> None:
    assert "Many." in str(dict(world.run("chat-without-rag").task_runs["ai_response"].outputs))
    asked = world.run("chat-with-rag")
    assert "Many." in str(dict(asked.task_runs["query"].outputs))
    questions = [body.decode() for _, path, _, body in world.site.asked if path == "/v1/chat/completions"]
    assert "brought many features" in questions[-1]  # what was found in the documents is handed to the model


def test_a_subflow_is_given_its_date(world: World) -> None:
    assert "Processing date 2024-05-01" in messages(world.run("sub-workflow", date="2024-05-01"))


def test_a_form_of_choices_decides_which_way_a_flow_goes(world: World) -> None:
    execution = world.run("taxi-inputs", taxi="yellow", year="2019", month="01")
    assert "MERGE INTO public.yellow_tripdata AS T" in messages(execution)


def test_a_file_is_transformed_and_loaded_into_a_table(databases: World) -> None:
    databases.ask("warehouse", "DROP TABLE IF EXISTS processed_data")
    databases.ask("warehouse", 'CREATE TABLE processed_data ("VendorID" int, amount float, column1 text)')
    execution = databases.run("etl-pipeline")
    assert execution.state == "SUCCESS", "\n".join(messages(execution))
    assert databases.ask("warehouse", "SELECT count(*), sum(amount) FROM processed_data") == [(2, 19.5)]


def test_a_table_is_queried(databases: World) -> None:
    databases.ask("db", "DROP TABLE IF EXISTS users")
    databases.ask("db", "CREATE TABLE users (name text, created_at date)")
    databases.ask("db", "INSERT INTO users VALUES ('ada', '2024-02-01'), ('bob', '2023-02-01')")
    rows = databases.run("query-database").task_runs["query-db"].outputs["rows"]
    assert isinstance(rows, list)
    assert [row["name"] for row in rows if isinstance(row, dict)] == ["ada"]


@pytest.mark.parametrize(("values", "alarms"), [("('x'), (NULL)", 1), ("('x'), ('y')", 0)])
def test_a_check_of_quality_raises_the_alarm(databases: World, values: str, alarms: int) -> None:
    databases.ask("db", "DROP TABLE IF EXISTS source_table")
    databases.ask("db", "CREATE TABLE source_table (column1 text)")
    databases.ask("db", f"INSERT INTO source_table VALUES {values}")
    execution = databases.run("data-quality")
    assert execution.state == "SUCCESS", "\n".join(messages(execution))
    assert messages(execution).count("Data quality check failed: null values found") == alarms


def test_merging_the_same_rows_twice_adds_them_once(databases: World) -> None:
    for _ in range(2):
        execution = databases.run("postgres-taxi-merge")
        assert execution.state == "SUCCESS", "\n".join(messages(execution))
        assert execution.task_runs["count"].outputs["row"] == {"trips": 2}


def test_rows_of_a_database_go_into_a_search_index(databases: World) -> None:
    databases.ask("db", "DROP TABLE IF EXISTS users")
    databases.ask("db", "CREATE TABLE users (name text, created_at date)")
    databases.ask("db", "INSERT INTO users VALUES ('ada', '2024-02-01')")
    url = f"jdbc:{databases.database}/db"
    execution = databases.run("basic-etl", DATABASE_URL=url)
    assert execution.state == "SUCCESS", "\n".join(messages(execution))
    sent = b"".join(body for _, path, _, body in databases.site.asked if path.endswith("_bulk"))
    assert b'"Ada"' in sent


def test_a_bucket_and_a_dataset_are_made(cloud: World) -> None:
    execution = cloud.run("gcp-setup")
    assert execution.state == "SUCCESS", "\n".join(messages(execution))
    assert (list(cloud.google.buckets), list(cloud.google.datasets)) == (["trips"], ["zoomcamp"])


def test_a_file_is_uploaded_and_merged_in_the_warehouse(cloud: World) -> None:
    cloud.run("gcp-setup")
    cloud.google.database.execute("CREATE SCHEMA IF NOT EXISTS zoomcamp")
    cloud.google.database.execute("CREATE TABLE zoomcamp.yellow_tripdata (VendorID text, unique_key text)")
    cloud.google.database.execute("CREATE TABLE staging AS SELECT '1' AS VendorID")
    execution = cloud.run("gcp-taxi")
    assert execution.state == "SUCCESS", "\n".join(messages(execution))
    assert cloud.google.objects["trips", "yellow_tripdata_2019-01"][1] == CSV
    assert cloud.google.database.execute("SELECT count(*) FROM zoomcamp.yellow_tripdata").fetchone() == (1,)
