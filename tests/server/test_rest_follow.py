"""Following executions and logs by server-sent events."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from nbflow.engine import Engine
from nbflow.server.sse import EventStream
from tests.server.rest_calls import Call


def events(content: bytes) -> list[tuple[str, Any]]:
    """Name and data of each event of a stream; comments are left out."""
    found = []
    for block in content.decode().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            found.append((fields["id"], json.loads(fields["data"])))
    return found


async def test_a_finished_execution_is_one_event(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    answer = await call("GET", f"api/v1/executions/{execution.id}/follow")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Accel-Buffering"] == "no"
    [(name, final)] = events(answer.content)
    assert (name, final["state"]["current"]) == ("end", "SUCCESS")
    assert [run["taskId"] for run in final["taskRunList"]] == ["hello", "answer"]


async def test_a_running_execution_is_followed_to_its_end(
    engine: Engine,
    sleeper: str,
    http_server_client: AsyncHTTPClient,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
) -> None:
    execution = engine.run("company.team", "sleeper")
    chunks: list[bytes] = []
    has_begun = asyncio.Event()

    def take(chunk: bytes) -> None:
        chunks.append(chunk)
        has_begun.set()

    url = f"{jp_base_url}api/v1/main/executions/{execution.id}/follow"
    following = http_server_client.fetch(url, headers=jp_auth_header, streaming_callback=take)
    async with asyncio.timeout(20):
        await has_begun.wait()
        await engine.akill(execution.id)
        await following
    seen = events(b"".join(chunks))
    assert {name for name, _ in seen[:-1]} == {"progress"}
    assert seen[0][1]["state"]["current"] in ("CREATED", "RUNNING")
    name, final = seen[-1]
    assert (name, final["state"]["current"]) == ("end", "KILLED")


async def test_logs_are_followed_to_the_end(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello")
    seen = events((await call("GET", f"api/v1/logs/{execution.id}/follow", params={"minLevel": "INFO"})).content)
    assert {name for name, _ in seen} == {"progress"}
    assert "Hello World" in [entry["message"] for _, entry in seen]


async def test_an_unknown_execution_is_404_before_any_event(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventStream, "appears_seconds", 0.2)
    answer = await call("GET", "api/v1/executions/5LJHz5SSYjdpgYcmLBuFvz/follow")
    assert (answer.status, answer.body["code"]) == (404, "execution-not-found")


async def test_silence_is_filled_with_pings(
    call: Call, engine: Engine, sleeper: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventStream, "ping_seconds", 0.1)
    execution = engine.run("company.team", "sleeper")
    following = asyncio.ensure_future(call("GET", f"api/v1/executions/{execution.id}/follow"))
    await engine.await_(execution.id, "RUNNING", timeout=20)
    await asyncio.sleep(0.5)  # the silence itself is under test
    await engine.akill(execution.id)
    assert b"\n\n: ping\n\n" in (await following).content


async def test_the_stream_stops_when_the_client_goes_away(
    engine: Engine,
    sleeper: str,
    http_server_client: AsyncHTTPClient,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
    http_server_port: tuple[object, int],
) -> None:
    execution = engine.run("company.team", "sleeper")
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_port[1])
    path = f"{jp_base_url}api/v1/executions/{execution.id}/follow"
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {jp_auth_header['Authorization']}\r\n\r\n".encode()
    )
    await writer.drain()
    assert b"id: progress" in await asyncio.wait_for(reader.readuntil(b"id: progress"), 20)
    assert _streams() == 2
    writer.close()
    async with asyncio.timeout(5):
        while _streams():  # noqa: ASYNC110 - the end of a task of the server gives no event to wait for
            await asyncio.sleep(0.02)
    engine.kill(execution.id)


def _streams() -> int:
    """How many tasks of event streams there are."""
    return sum(task.get_name().startswith("nbflow-sse") for task in asyncio.all_tasks())
