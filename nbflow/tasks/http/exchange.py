"""One request and its answer: what every HTTP task declares, and clear words for what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from pydantic import AliasChoices, Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Model, RunContext, RunnableTask, Text
from nbflow.tasks.http.options import HttpOptions, SslOptions
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue

_MULTIPART = "multipart/form-data"
_EXCERPT = 300
_LOGIN = re.compile(r"//[^/?#]*@")


class HttpCall(Model):
    """A request: what is asked of whom, and how."""

    uri: Dynamic[Text] = Field(validation_alias=AliasChoices("uri", "url"), description="Address, with its scheme.")
    method: Dynamic[Text] = Field(default="GET", description="GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS …")
    params: Dynamic[dict[str, JsonValue]] = Field(
        default_factory=dict, description="Parameters to add to the address; a list repeats one."
    )
    body: Dynamic[JsonValue] = Field(default=None, description="Body: text, or a value that is sent as JSON.")
    form_data: Dynamic[dict[str, JsonValue]] | None = Field(
        default=None,
        description="Fields of a form, instead of `body`. The URI of a stored file, or a map with `name` and "
        "`content`, is sent as a file.",
    )
    content_type: Dynamic[Text] | None = Field(default=None, description="Type of the body.")
    headers: Dynamic[dict[str, Text | None]] = Field(default_factory=dict, description="Headers to send.")
    options: Dynamic[HttpOptions] | None = Field(default=None, description="How the request is made.")
    allow_failed: Dynamic[bool] = Field(default=False, description="Whether answers from 400 on are no failure.")
    ssl: Dynamic[SslOptions] | None = Field(
        default=None, validation_alias=AliasChoices("ssl", "sslOptions"), description="How certificates are checked."
    )

    @asynccontextmanager
    async def exchange(self, ctx: RunContext) -> AsyncIterator[Any]:  # Any: httpx is imported as it is used
        """Send the request; the answer (an `httpx.Response`) is open for reading inside the block.

        Raises: TaskFailedError when there is no answer, or one that is a failure.
        """
        import httpx

        _check_address(self.uri)
        options = self.options or HttpOptions()
        where = f"{self.method.upper()} {shown(self.uri)}"
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(httpx.AsyncClient(**self._client(httpx, options)))
                request = client.build_request(self.method.upper(), self.uri, **self._content(ctx, stack))
                response = await client.send(request, stream=True)
                stack.push_async_callback(response.aclose)
                ctx.log.debug("%s answered %d", where, response.status_code)
                await self._check(response, where, options)
                yield response
            except httpx.TimeoutException as cause:
                raise TaskFailedError(
                    f"{where}: no answer in time ({type(cause).__name__})", hint="raise `options.timeout`"
                ) from cause
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as cause:
                raise TaskFailedError(f"{where} is no address: {cause}", hint="begin it with https://") from cause
            except httpx.TooManyRedirects as cause:
                raise TaskFailedError(f"{where} redirects in a circle") from cause
            except httpx.HTTPError as cause:
                raise TaskFailedError(f"{where} failed: {cause or type(cause).__name__}") from cause

    async def _check(self, response: Any, where: str, options: HttpOptions) -> None:
        code = response.status_code
        allowed = self.allow_failed or options.allow_failed or code in options.allowed_response_codes
        if code < 400 or allowed:
            return
        excerpt = ""
        async for piece in response.aiter_text():
            excerpt += piece
            if len(excerpt) > _EXCERPT:
                break
        said = f": {' '.join(excerpt[:_EXCERPT].split())}" if excerpt.strip() else ""
        raise TaskFailedError(
            f"{where} answered {code} {response.reason_phrase}{said}",
            hint="" if code < 500 else "a `retry` helps when that passes",
            outputs={"code": code, "headers": headers_of(response), "uri": shown(self.uri)},
        )

    def _client(self, httpx: Any, options: HttpOptions) -> dict[str, Any]:  # Any: arguments of httpx.AsyncClient
        ssl = self.ssl or options.ssl
        proxy = options.proxy_server
        login = options.login
        auth: object = None
        if login is not None and login.type != "BEARER":
            scheme = httpx.DigestAuth if login.type == "DIGEST" else httpx.BasicAuth
            auth = scheme(login.username or "", login.password or "")
        return {
            "timeout": httpx.Timeout(options.read_seconds, connect=options.connect_seconds),
            "follow_redirects": options.follow_redirects,
            "verify": not (ssl is not None and ssl.insecure_trust_all_certificates),
            "auth": auth,
            "proxy": _proxy_url(proxy) if proxy else None,
            "default_encoding": options.default_charset,
            "headers": {"User-Agent": "nbflow"},
        }

    def _content(self, ctx: RunContext, stack: AsyncExitStack) -> dict[str, Any]:  # Any: arguments of httpx.Request
        headers = {name: value or "" for name, value in self.headers.items()}
        login = (self.options or HttpOptions()).login
        if login is not None and login.type == "BEARER":
            headers.setdefault("Authorization", f"Bearer {login.token or ''}")
        content: dict[str, Any] = {"headers": headers}
        if self.params:
            parameters = {name: _parameter(value) for name, value in self.params.items() if value is not None}
            # httpx drops the parameters of an address when it is given others.
            content["params"] = [*parse_qsl(urlsplit(self.uri).query, keep_blank_values=True), *_pairs(parameters)]
        type_of_body = self.content_type
        if self.form_data is not None:
            files = {name: _file(ctx, value, stack) for name, value in self.form_data.items() if _is_file(value)}
            if files or (type_of_body or "").startswith(_MULTIPART):
                plain = {name: value for name, value in self.form_data.items() if name not in files}
                content["files"] = {**{name: (None, _field(value)) for name, value in plain.items()}, **files}
                return content  # its own type names the boundary between the parts
            content["data"] = {name: _parameter(value) for name, value in self.form_data.items()}
        elif self.body is not None:
            text = self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)
            content["content"] = text.encode()
            type_of_body = type_of_body or _type_of(text)
        if type_of_body and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = type_of_body
        return content


class HttpTask(HttpCall, RunnableTask):
    """What every HTTP task declares."""


def shown(uri: str) -> str:
    """An address without the user name and password in it."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # it cannot be read, and may hold a password all the same
        return _LOGIN.sub("//", uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _check_address(uri: str) -> None:
    """Refuse what httpx would stumble over with an error of another kind."""
    try:
        _port = urlsplit(uri).port  # reading it checks it
    except ValueError:
        # What urlsplit says repeats the user name and password of the address.
        raise TaskFailedError(
            f"`{shown(uri)}` is no address", hint="check its host and port, such as https://host:8080/path"
        ) from None


def headers_of(response: Any) -> dict[str, JsonValue]:
    """The headers of an answer, each with its values: some come more than once."""
    headers: dict[str, JsonValue] = {}
    for name, value in response.headers.multi_items():
        values = headers.setdefault(name, [])
        assert isinstance(values, list)
        values.append(value)
    return headers


def _proxy_url(proxy: Any) -> str:
    scheme = "socks5" if (proxy.type or "").upper() == "SOCKS" else "http"
    login = f"{quote(proxy.username, safe='')}:{quote(proxy.password or '', safe='')}@" if proxy.username else ""
    return f"{scheme}://{login}{proxy.address}" + (f":{proxy.port}" if proxy.port else "")


def _type_of(text: str) -> str:
    try:
        json.loads(text)
    except ValueError:
        return "text/plain; charset=utf-8"
    return "application/json"


def _parameter(value: JsonValue) -> str | list[str]:
    return [_field(item) for item in value] if isinstance(value, list) else _field(value)


def _pairs(parameters: Mapping[str, str | list[str]]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        for item in [value] if isinstance(value, str) else value:
            yield name, item


def _field(value: JsonValue) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_file(value: JsonValue) -> bool:
    return is_stored(value) or (isinstance(value, dict) and {"name", "content"} <= set(value))


def _file(ctx: RunContext, value: JsonValue, stack: AsyncExitStack) -> tuple[str, object]:
    name, content = (str(value["name"]), value["content"]) if isinstance(value, dict) else ("", value)
    if is_stored(content):
        path = ctx.file(str(content))
        return PurePosixPath(name or path.name).name, stack.enter_context(path.open("rb"))
    return name, _field(content).encode()


def length_of(response: Any) -> int | None:
    """The length an answer promises, when it does and the promise holds for what is read."""
    length: Mapping[str, str] = response.headers
    if "content-length" not in length or "content-encoding" in length:
        return None
    return int(length["content-length"]) if length["content-length"].isdigit() else None
