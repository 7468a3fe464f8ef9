"""Where Elasticsearch is, and one request to it; clear words for what goes wrong."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunnableTask, Text

_NEAREST = "http://localhost:9200"
_EXCERPT = 300


class BasicAuth(Model):
    """How to log in."""

    username: Dynamic[Text] = Field(description="User name.")
    password: Dynamic[Text] = Field(description="Password.")


class Connection(Model):
    """Where Elasticsearch is."""

    hosts: Dynamic[list[Text]] = Field(
        default_factory=list,
        description="Addresses, tried in turn; ELASTICSEARCH_URL of the environment unless said, or "
        "http://localhost:9200.",
    )
    basic_auth: Dynamic[BasicAuth] | None = Field(default=None, description="How to log in.")
    headers: Dynamic[list[Text]] = Field(
        default_factory=list, description="Headers to send, such as `Authorization: ApiKey …`."
    )
    path_prefix: Dynamic[Text] | None = Field(default=None, description="What stands before every path there.")
    strict_deprecation_mode: Dynamic[bool] = Field(
        default=False, description="Whether an answer with a warning is a failure."
    )
    trust_all_ssl: Dynamic[bool] = Field(default=False, description="Trust any certificate: for tests alone.")
    target_server_version: Dynamic[int] | None = Field(default=None, description="Accepted; plain JSON suits all.")


@dataclass(frozen=True, slots=True)
class Client:
    """Requests to one cluster."""

    http: Any  # Any: httpx is imported as it is used
    hosts: list[str]
    is_strict: bool

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        lines: bytes | None = None,
        allowed: tuple[int, ...] = (),
    ) -> tuple[int, Any]:
        """Send a request to the first host that answers: the code, and the JSON of the answer (or its text).

        Raises: TaskFailedError when none answers, or one refuses with another code than the `allowed` ones.
        """
        import httpx

        content: dict[str, Any] = {"json": body} if body is not None else {}
        if lines is not None:
            content = {"content": lines, "headers": {"Content-Type": "application/x-ndjson"}}
        failures = []
        for host in self.hosts:
            try:
                response = await self.http.request(method, host + path, params=params, **content)
            except httpx.ConnectError as cause:  # nothing was sent: another host may take it
                failures.append(f"{host}: {cause}")
                continue
            except (httpx.HTTPError, httpx.InvalidURL) as cause:
                raise TaskFailedError(f"{method} {host}{path} failed: {cause or type(cause).__name__}") from cause
            return self._read(response, f"{method} {path}", allowed)
        raise TaskFailedError(f"Elasticsearch cannot be reached: {'; '.join(failures)}", hint="set `connection.hosts`")

    def _read(self, response: Any, where: str, allowed: tuple[int, ...]) -> tuple[int, Any]:
        status = int(response.status_code)
        if self.is_strict and "warning" in response.headers:
            raise TaskFailedError(f"{where} answered with a warning: {response.headers['warning'][:_EXCERPT]}")
        try:
            answer = response.json() if response.content else {}
        except ValueError:
            answer = response.text
        if status >= 400 and status not in allowed:
            raise TaskFailedError(f"{where} answered {status}: {_complaint(answer) or response.reason_phrase}")
        return status, answer


def _complaint(answer: Any) -> str:
    error = answer.get("error") if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        causes = error.get("root_cause") or [error]
        return "; ".join(str(cause.get("reason") or cause.get("type")) for cause in causes)[:_EXCERPT]
    return " ".join(str(error or "").split())[:_EXCERPT]


class ElasticsearchTask(RunnableTask):
    """What every task of Elasticsearch declares."""

    connection: Dynamic[Connection] = Field(default_factory=Connection, description="Where Elasticsearch is.")
    routing: Dynamic[Text] | None = Field(default=None, description="What decides on the shard.")

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Requests to the cluster."""
        import httpx

        chosen = self.connection
        hosts = chosen.hosts or [os.environ.get("ELASTICSEARCH_URL") or _NEAREST]
        prefix = f"/{chosen.path_prefix.strip('/')}" if chosen.path_prefix else ""
        auth = httpx.BasicAuth(chosen.basic_auth.username, chosen.basic_auth.password) if chosen.basic_auth else None
        async with httpx.AsyncClient(
            timeout=httpx.Timeout(300.0, connect=30.0),
            auth=auth,
            headers=_headers(chosen.headers),
            verify=not chosen.trust_all_ssl,
        ) as http:
            yield Client(http, [_address(host) + prefix for host in hosts], chosen.strict_deprecation_mode)


def _address(host: str) -> str:
    return (host if "://" in host else f"http://{host}").rstrip("/")


def _headers(lines: list[str]) -> dict[str, str]:
    headers = {"User-Agent": "nbflow", "Accept": "application/json"}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise TaskFailedError("a header in `connection.headers` has no `:`", hint="write `Name: value`")
        headers[name.strip()] = value.strip()
    return headers
