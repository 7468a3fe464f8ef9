"""The OpenAPI document says what the server does: it is whole, and requests made from it are answered as it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbflow.server.openapi import document
from nbflow.server.rights import right_of
from nbflow.server.routing import ROUTES
from tests.server.live import SECONDS, live_server
from tests.server.rest_calls import HELLO, Call

EXAMPLES = int(os.environ.get("NBFLOW_TEST_EXAMPLES", "2"))


def test_every_handler_is_described() -> None:
    described = {operation["summary"] for methods in document()["paths"].values() for operation in methods.values()}
    for path, handler in ROUTES:
        served = [name for name in ("get", "post", "put", "delete") if right_of(getattr(handler, name, None))]
        if served and ".*" not in path:
            assert (handler.__doc__ or "").partition("\n")[0] in described, path


def test_what_a_method_takes_is_read_from_its_code() -> None:
    paths = document()["paths"]
    backfill = paths["/api/v1/triggers/backfill/create"]["put"]
    assert backfill["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/TriggerWithBackfill")
    names = {one["name"]: one for one in paths["/api/v1/namespaces/{1}/files"]["put"]["parameters"]}
    assert names["from"]["required"] is True
    search = {one["name"] for one in paths["/api/v1/executions/search"]["get"]["parameters"]}
    assert search >= {"page", "size", "sort", "filters"}
    assert paths["/api/v1/executions/webhook/{1}/{2}/{3}"]["post"]["security"] == []


async def test_the_server_serves_it(call: Call) -> None:
    answer = await call("GET", "api/v1/openapi.json")
    assert answer.body == json.loads(json.dumps(document()))


def test_the_command_line_prints_it() -> None:
    command = [sys.executable, "-m", "nbflow.cli.main", "server", "openapi"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert json.loads(done.stdout)["openapi"] == "3.1.0"


@pytest.mark.slow
def test_a_running_server_keeps_to_it(tmp_path: Path) -> None:
    """Requests made up from the document find no failure of the server, and no answer that it does not name."""
    import requests

    with live_server(tmp_path / "home", "--token", "t") as server:
        headers = {"Authorization": "Bearer t"}
        requests.post(f"{server.url}/api/v1/flows", HELLO, headers=headers, timeout=SECONDS).raise_for_status()
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{server.url}/api/v1/openapi.json"),
                *("-H", "Authorization: Bearer t", "--max-examples", str(EXAMPLES), "--phases", "fuzzing"),
                *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
                *("--checks", "response_schema_conformance"),
                *("--exclude-path-regex", "/follow$", "--request-timeout", "60", "--generation-deterministic"),
                *("--mode", "all", "--no-color"),
            ],
            capture_output=True,
            text=True,
            timeout=1200,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
