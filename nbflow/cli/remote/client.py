"""Asks a server's REST API: addresses, credentials, pages, event streams, and its errors as our own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from nbflow.cli.connection import Connection
from nbflow.cli.options import ServerFailedError, UsageError
from nbflow.errors import ConflictError, FlowValidationError, InputError, NbflowError, NotFoundError, Problem

PAGE = 1000
"""How many things are asked for at once; the server gives no more."""
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)

Params = Mapping[str, str | int | bool | Sequence[str] | None]


class Client:
    """One server. A context manager."""

    def __init__(self, connection: Connection) -> None:
        self.url = re.sub(r"/(?:api(?:/v1(?:/main)?)?/?)?$", "", (connection.server or "").strip())
        if "://" not in self.url:
            self.url = f"http://{self.url}"
        user, _, password = (connection.user or "").partition(":")
        headers = {"Accept": "application/json"}
        if connection.token:
            headers["Authorization"] = f"Bearer {connection.token}"
        auth = (user, connection.password or password) if user and not connection.token else None
        try:
            # `trust_env` would let a .netrc entry take the place of the token.
            self._http = httpx.Client(
                base_url=f"{self.url}/api/v1/", headers=headers, auth=auth, timeout=_TIMEOUT, trust_env=False
            )
        except (httpx.InvalidURL, ValueError) as cause:
            raise UsageError(f"`{connection.server}` is no address of a server: {cause}") from cause

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, *path: str, params: Params | None = None, **more: Any) -> Any:
        """The JSON that a request answers; None for an empty answer. Any: whatever the endpoint says.

        Raises: NbflowError of the class that fits the answer; ServerFailedError when there is none.
        """
        response = self.send(method, *path, params=params, **more)
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise ServerFailedError(
                f"{self.url} answers {method} /{'/'.join(path)} with no JSON", hint="is it the address of nbflow?"
            ) from None

    def send(self, method: str, *path: str, params: Params | None = None, **more: Any) -> httpx.Response:
        """The answer to a request, which has gone well. Any: the keywords of httpx. Raises: as `ask`."""
        try:
            response = self._http.request(method, _address(path), params=_query(params), **more)
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            raise self._failed(cause) from cause
        if response.status_code >= 300:
            raise _error(response, self.url)
        return response

    def every(self, *path: str, params: Params | None = None, limit: int | None = None) -> list[Any]:
        """All results of a search, page by page, or the first `limit`. Any: the JSON of a thing."""
        found: list[Any] = []
        page = 1
        size = min(limit or PAGE, PAGE)
        while True:
            answer = self.ask("GET", *path, params={**(params or {}), "page": page, "size": size})
            results = answer["results"]
            found.extend(results)
            if limit is not None and len(found) >= limit:
                return found[:limit]
            if len(results) < size or len(found) >= answer["total"]:
                return found
            page += 1

    def events(self, *path: str, params: Params | None = None) -> Iterator[tuple[str, Any]]:
        """The name and the JSON of each server-sent event until the server ends the stream. Any: as above."""
        headers = {"Accept": "text/event-stream"}
        try:
            with self._http.stream("GET", _address(path), params=_query(params), headers=headers) as response:
                if response.status_code >= 300:
                    response.read()
                    raise _error(response, self.url)
                name = ""
                for line in response.iter_lines():
                    if line.startswith("id:"):
                        name = line[3:].strip()
                    elif line.startswith("data:"):
                        yield name, json.loads(line[5:])
        except httpx.HTTPError as cause:
            raise self._failed(cause) from cause

    def _failed(self, cause: Exception) -> ServerFailedError:
        if isinstance(cause, httpx.ConnectError):
            return ServerFailedError(
                f"no server answers at {self.url}", hint="is it running? `nbflow server` starts one"
            )
        return ServerFailedError(f"{self.url} does not answer: {str(cause) or type(cause).__name__}")


def _address(path: Sequence[str]) -> str:
    return "/".join(quote(part, safe="") for part in path)


def _query(params: Params | None) -> dict[str, Any]:
    """A query without what is not said. Any: what httpx takes."""
    return {name: value for name, value in (params or {}).items() if value is not None}


def _error(response: httpx.Response, url: str) -> NbflowError:
    """The error that an answer stands for."""
    status = response.status_code
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    detail = str(body.get("detail") or body.get("message") or response.reason_phrase or status)
    message, hint = _split_hint(detail)
    if status in (401, 403):
        return UsageError(
            f"{url} does not let you do this: {message}", hint="--token TOKEN, or --user USER with NBFLOW_PASSWORD"
        )
    if status in (404, 410):
        return NotFoundError(message, hint=hint)
    if status == 409:
        return ConflictError(message, hint=hint)
    if status < 400:
        return UsageError(f"{url} sends us elsewhere", hint="give the address of nbflow itself")
    if status >= 500:
        return ServerFailedError(f"{url} failed: {message}")
    code = body.get("code")
    problems = [read_problem(each) for each in (body.get("_embedded") or {}).get("errors") or []]
    if code == "flow-invalid" and problems:
        return FlowValidationError("the flow is not valid", problems)
    if code in ("inputs-invalid", "bulk") and problems:
        return InputError("the server does not take this", problems)
    return UsageError(message, hint=hint)


def read_problem(entry: Mapping[str, Any]) -> Problem:
    """A problem as the server tells it. Any: values of JSON."""
    return Problem(
        str(entry.get("message", "")),
        int(entry.get("line") or 1),
        int(entry.get("column") or 1),
        str(entry.get("path") or ""),
        str(entry.get("hint") or ""),
        str(entry.get("severity") or "error"),
        int(entry.get("length") or 0),
    )


def _split_hint(detail: str) -> tuple[str, str]:
    """A detail as the server writes it: the message, and the hint in brackets at its end."""
    found = re.fullmatch(r"(.*\S) \(([^()]*)\)", detail, re.DOTALL)
    return (found[1], found[2]) if found else (detail, "")
