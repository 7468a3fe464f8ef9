"""A Google Cloud of this machine, and flows that work there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbflow.engine import Engine, Execution
from tests.tasks.conftest import RunTasks
from tests.tasks.gcp.google import Google, serve


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    """The stand-in; the variables that name emulators lead to it."""
    folder = tmp_path / "google"
    folder.mkdir()
    google = Google(folder)
    server, thread = serve(google)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", google.url)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", google.url.removeprefix("http://"))
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    try:
        yield google
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        google.database.close()


RunCloud = Callable[..., Execution]

DEFAULTS = """
pluginDefaults:
  - type: io.kestra.plugin.gcp
    values:
      serviceAccount: "{{ secret('GCP_CREDS') }}"
      bucket: "{{ kv('GCP_BUCKET_NAME') }}"
"""
"""As the lessons write it; no task has a property `bucket`."""


@pytest.fixture
def run_cloud(google: Google, engine: Engine, run_tasks: RunTasks) -> RunCloud:
    """Run tasks with a key that the stand-in takes, as the secret GCP_CREDS."""
    engine.store.secrets.put("tests", "GCP_CREDS", google.service_account, datetime.now(UTC))

    def run(tasks: str, **inputs: object) -> Execution:
        return run_tasks(tasks, more=DEFAULTS, **inputs)

    return run
