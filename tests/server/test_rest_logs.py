"""Logs and metrics over REST."""

from __future__ import annotations

import re

from nbflow.engine import Engine
from tests.server.rest_calls import Call

EMPTY = """\
id: quiet
namespace: company.team
tasks:
  - id: answer
    type: io.kestra.plugin.core.debug.Return
    format: x
    logLevel: ERROR
"""


async def test_the_log_comes_as_entries_and_as_text(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    entries = (await call("GET", f"api/v1/logs/{execution.id}")).body
    entry = next(entry for entry in entries if entry["message"] == "Hello World")
    assert (entry["level"], entry["taskId"], entry["executionId"]) == ("INFO", "hello", execution.id)
    text = await call("GET", f"api/v1/logs/{execution.id}/download")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert re.search(r"^\d{4}-\d\d-\d\dT\S+Z INFO Hello World$", text.content.decode(), re.MULTILINE)


async def test_the_log_is_filtered(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    assert (await call("GET", f"api/v1/logs/{execution.id}", params={"minLevel": "ERROR"})).body == []
    of_task = (await call("GET", f"api/v1/logs/{execution.id}", params={"taskId": "hello"})).body
    assert {entry["taskId"] for entry in of_task} == {"hello"}
    assert (await call("GET", f"api/v1/logs/{execution.id}", params={"minLevel": "LOUD"})).status == 422


async def test_an_empty_log_downloads_as_nothing(call: Call, engine: Engine) -> None:
    engine.deploy(EMPTY)
    execution = engine.run("company.team", "quiet", wait=True)
    answer = await call("GET", f"api/v1/logs/{execution.id}/download")
    assert (answer.status, answer.content) == (200, b"")
    assert (await call("GET", "api/v1/logs/nothing/download")).status == 404


async def test_search_pages_over_executions(call: Call, engine: Engine, hello: str) -> None:
    for name in ("Ada", "Bob", "Cyd"):
        engine.run("company.team", "hello", {"name": name}, wait=True)
    params = {"q": "hello", "size": 2, "namespace": "company", "filters[level][EQUALS]": "INFO"}
    page = (await call("GET", "api/v1/logs/search", params=params)).body
    assert (page["total"], page["type"]) == (3, "OFFSET")
    assert [entry["message"] for entry in page["results"]] == ["Hello Cyd", "Hello Bob"]
    assert page["results"][0]["namespace"] == "company.team"


async def test_metrics_are_a_page(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    answer = await call("GET", f"api/v1/metrics/{execution.id}", params={"size": 100})
    assert answer.status == 200
    assert answer.body["total"] == len(answer.body["results"])
