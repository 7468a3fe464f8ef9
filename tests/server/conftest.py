"""A live Jupyter server with the extension, over a home of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from jupyter_server.serverapp import ServerApp
from pytest_jupyter.jupyter_server import *  # noqa: F403 - fixtures and the hooks that run async tests, for this folder alone
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from nbflow.engine import Engine
from nbflow.server.handler import SETTING
from tests.server.rest_calls import HELLO, SLEEPER, Answer, Call


@pytest.fixture
def jp_server_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    monkeypatch.setenv("NBFLOW_HOME", str(tmp_path / "home"))
    return {"ServerApp": {"jpserver_extensions": {"nbflow": True}}}


@pytest.fixture
def engine(jp_serverapp: ServerApp) -> Iterator[Engine]:
    """The engine of the server."""
    holder = jp_serverapp.web_app.settings[SETTING]
    yield holder.get()
    holder.close()


@pytest.fixture
def call(
    jp_serverapp: ServerApp,
    engine: Engine,
    http_server_client: AsyncHTTPClient,
    jp_base_url: str,
    jp_auth_header: dict[str, str],
) -> Call:
    """`await call("GET", "api/v1/flows/…", params={…})`: the path goes out as it is, percent-encoding included."""

    async def send(
        method: str,
        path: str,
        body: str | bytes | None = None,
        *,
        params: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        is_known: bool = True,
    ) -> Answer:
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        response: HTTPResponse = await http_server_client.fetch(
            f"{jp_base_url}{path}{query}",
            method=method,
            body=body,
            headers={**(jp_auth_header if is_known else {}), **(headers or {})},
            raise_error=False,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            request_timeout=30,
        )
        return Answer(response.code, dict(response.headers), response.body or b"")

    return send


@pytest.fixture
def hello(engine: Engine) -> str:
    engine.deploy(HELLO)
    return "company.team/hello"


@pytest.fixture
def sleeper(engine: Engine) -> str:
    engine.deploy(SLEEPER)
    return "company.team/sleeper"
