"""What every handler of the REST API shares: who may call, the engine, answers and errors in JSON."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import ClassVar, TypeVar

from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError
from tornado.web import HTTPError

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.server.errors import RequestError, encode, error_body, status_of

ModelT = TypeVar("ModelT", bound=BaseModel)

SETTING = "nbflow"
"""Where the web application's settings keep the `ServerEngine`."""


class ServerEngine:
    """The one engine of a server process, opened by the first request that needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def get(self) -> Engine:
        """The engine; opening it touches files, so call this in a thread."""
        with self._lock:
            if self._engine is None:
                self._engine = Engine()
            return self._engine

    def close(self) -> None:
        """Close the engine if it was opened; the next request opens another."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()


class ApiHandler(APIHandler):
    """A handler below `api/v1`; a subclass names what it serves and has a method for each verb.

    Errors are raised as `NbflowError` or `HTTPError` and answered in one shape. Without credentials the answer is
    401 in JSON, never a redirect: Kestra's clients explain only that.
    """

    auth_resource = "nbflow"
    is_open: ClassVar[bool] = False

    async def engine(self) -> Engine:
        """The engine of this server."""
        holder: ServerEngine = self.settings[SETTING]
        return await asyncio.to_thread(holder.get)

    async def prepare(self) -> None:  # type: ignore[override]  # Jupyter overrides tornado's in the same way
        try:
            await super().prepare()
        except HTTPError as refused:
            if refused.status_code == 403 and self.current_user is None and not self.is_open:
                raise HTTPError(401, "credentials are needed") from refused
            raise
        if self.current_user is None and not self.is_open:
            raise HTTPError(401, "credentials are needed")

    def check_xsrf_cookie(self) -> None:
        # Without a user there is nothing to forge; `prepare` answers 401 where Jupyter would answer 403.
        if getattr(self, "_jupyter_current_user", None) is not None:
            super().check_xsrf_cookie()

    def get_login_url(self) -> str:
        if not self.current_user:
            raise HTTPError(401, "credentials are needed")
        return str(super().get_login_url())

    def answer(self, body: object, status: int = 200) -> None:
        """Send a body as JSON."""
        self.set_status(status)
        self.finish(encode(body))

    def answer_text(self, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
        self.finish(text, set_content_type=content_type)

    def answer_file(self, content: bytes, file_name: str) -> None:
        """Send octets to be saved under a name; a browser must not show what a task has written."""
        ascii_name = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in file_name)
        ascii_name = ascii_name.replace('"', "_").replace("\\", "_")
        self.set_header("Content-Disposition", f'attachment; filename="{ascii_name}"')
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(content, set_content_type="application/octet-stream")

    def answer_nothing(self) -> None:
        self.set_status(204)
        self.finish()

    def query_values(self) -> dict[str, list[str]]:
        """The whole query: name → values."""
        return {name: self.get_query_arguments(name) for name in self.request.query_arguments}

    def query(self, name: str) -> str | None:
        """A query parameter; None when it is missing or empty."""
        return self.get_query_argument(name, None) or None

    def query_list(self, name: str) -> list[str]:
        """A list in the query: repeated keys, comma-separated values, or both."""
        return [part for value in self.get_query_arguments(name) for part in value.split(",") if part]

    def query_flag(self, name: str, default: bool = False) -> bool:
        value = self.query(name)
        return default if value is None else value.strip().lower() in ("true", "1", "yes")

    def query_int(self, name: str) -> int | None:
        value = self.query(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise RequestError(f"`{name}` must be a whole number, got `{value}`", path=name) from None

    def body_text(self) -> str:
        """The body as text. Raises: RequestError when it is not UTF-8."""
        try:
            return self.request.body.decode("utf-8")
        except UnicodeDecodeError as cause:
            raise RequestError(f"the body is not UTF-8 text: {cause.reason}") from cause

    def write_error(self, status_code: int, **kwargs: object) -> None:
        raised = kwargs.get("exc_info")
        error = raised[1] if isinstance(raised, tuple) else None
        if not isinstance(error, BaseException):
            error = HTTPError(status_code)
        status = status_of(error)
        self.set_status(status)
        if status == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="nbflow"')
        self.finish(encode(error_body(error, self.request.path)))

    def log_exception(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What the caller did wrong is no news for the server's log.
        if isinstance(error, NbflowError) and status_of(error) < 500:
            self.log.debug("%s %s: %s", self.request.method, self.request.path, error)
            return
        super().log_exception(kind, error, trace)


def read_body(model: type[ModelT], body: bytes) -> ModelT:
    """The JSON of a request as a model. Raises: RequestError that names the first wrong property."""
    try:
        return model.model_validate_json(body)
    except ValidationError as cause:
        first = cause.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        raise RequestError(f"{path}: {first['msg']}" if path else first["msg"], path=path) from cause
