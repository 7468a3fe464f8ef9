"""What every task of Google Cloud declares, and the requests it makes, logged in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, RunnableTask, Text
from nbflow.tasks.gcp.account import Credentials, access_token, find_credentials

_PASSING = {408, 429, 500, 502, 503, 504}
"""Answers after which the same request may well succeed. Source: Google's "retry strategy"."""
_WAITS = (0.5, 2.0, 5.0)
_EXCERPT = 300


class RefusedError(TaskFailedError):
    """Google answered that it cannot do this; `status` is its code, `reason` its slug such as `notFound`."""

    def __init__(self, message: str, *, status: int = 0, reason: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Session:
    """Requests to one service of Google. `client` is an `httpx.AsyncClient`, `base` begins every address."""

    client: Any  # Any: httpx is imported as it is used
    base: str
    project: str | None
    log: Any  # Any: the protocol TaskLog, kept loose for tests of this class alone

    def require_project(self) -> str:
        """The project to work in. Raises: TaskFailedError when none is known."""
        if self.project is None:
            raise TaskFailedError(
                "no project of Google Cloud is named",
                hint="set `projectId`, or GOOGLE_CLOUD_PROJECT in the environment",
            )
        return self.project

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int | None] | None = None,
        body: object = None,
    ) -> Any:
        """Send a request and read the JSON of the answer; {} when there is none. Passing failures are tried again.

        Raises: RefusedError; TaskFailedError when Google cannot be reached.
        """
        given = {name: str(value) for name, value in (params or {}).items() if value is not None}
        for wait in (*_WAITS, None):
            response = await self.send(self.client.build_request(method, self.base + path, params=given, json=body))
            if response.status_code not in _PASSING or wait is None:
                break
            self.log.debug("%s %s answered %d, tried again in %s s", method, path, response.status_code, wait)
            await asyncio.sleep(wait)
        check(response)
        return response.json() if response.content else {}

    async def send(self, request: Any, *, stream: bool = False) -> Any:
        """Send a request as it is; the answer, whatever its code. Raises: TaskFailedError when there is none."""
        import httpx

        try:
            return await self.client.send(request, stream=stream)
        except httpx.HTTPError as cause:
            raise TaskFailedError(
                f"{request.url.scheme}://{request.url.netloc.decode()} cannot be reached: "
                f"{cause or type(cause).__name__}"
            ) from cause


def check(response: Any) -> None:
    """Raises: RefusedError when an answer is none of success; its body must have been read."""
    status = int(response.status_code)
    if status < 400:
        return
    try:
        error = response.json()["error"]
        message, reason = str(error["message"]), _reason(error)
    except (ValueError, LookupError, TypeError):
        message, reason = " ".join(response.text[:_EXCERPT].split()) or response.reason_phrase, ""
    hint = "a `retry` helps when that passes" if status in _PASSING else ""
    raise RefusedError(f"Google answered {status}: {message}", status=status, reason=reason, hint=hint)


def _reason(error: Mapping[str, Any]) -> str:
    errors = error.get("errors")
    return str(errors[0].get("reason", "")) if isinstance(errors, Sequence) and errors else str(error.get("status", ""))


class GcpAccess(Model):
    """What every task and trigger of Google Cloud declares."""

    project_id: Dynamic[Text] | None = Field(
        default=None, description="Project; that of the key, or GOOGLE_CLOUD_PROJECT, unless said."
    )
    service_account: Dynamic[Text] | None = Field(
        default=None, description="Key of a service account, as JSON; best from `secret()`."
    )
    impersonated_service_account: Dynamic[Text] | None = Field(
        default=None, description="Address of another service account to act as."
    )
    scopes: Dynamic[list[Text]] = Field(
        default_factory=lambda: ["https://www.googleapis.com/auth/cloud-platform"],
        description="What the access token is good for.",
    )
    endpoint: Dynamic[Text] | None = Field(
        default=None, description="Address of the service, for an emulator or a private endpoint. nbflow's own."
    )

    @asynccontextmanager
    async def connect(self, ctx: RunContext, address: str, emulator: str) -> AsyncIterator[Session]:
        """A session with the service at `address`, or where `endpoint` or the variable `emulator` says."""
        import httpx

        other = self.endpoint or os.environ.get(emulator)
        base = _with_scheme(other) if other else address
        # An emulator asks for no login, and a machine that has one running may have no key at all.
        is_open = bool(other) and not self.service_account
        credentials = Credentials({}) if is_open else find_credentials(self.service_account)
        headers = {"User-Agent": "nbflow"}
        async with httpx.AsyncClient(timeout=httpx.Timeout(300.0, connect=30.0), headers=headers) as client:
            if not is_open:
                token = await access_token(
                    client, credentials, self.scopes, self.impersonated_service_account, ctx.now()
                )
                client.headers["Authorization"] = f"Bearer {token}"
            project = self.project_id or credentials.project or os.environ.get("GOOGLE_CLOUD_PROJECT")
            yield Session(client, base.rstrip("/"), project, ctx.log)


class GcpTask(GcpAccess, RunnableTask):
    """A task of Google Cloud."""


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address}"
