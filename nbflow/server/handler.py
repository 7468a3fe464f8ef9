"""What every handler of the REST API shares: who may call, the engine, the body, answers and errors in JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from types import TracebackType
from typing import Any, ClassVar, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, stream_request_body

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.server.bodies import Body
from nbflow.server.credentials import KnownUser
from nbflow.server.engines import SETTING, ServerEngine
from nbflow.server.errors import RequestError, encode, error_body, status_of
from nbflow.server.forms import Form
from nbflow.server.rights import ACTIONS, Right, right_of
from nbflow.types import new_id

__all__ = ["SETTING", "ApiHandler", "ServerEngine", "read_body"]

ModelT = TypeVar("ModelT", bound=BaseModel)

PIECE = 2**20
"""Bytes of a file that are sent at a time."""

_DRAINED = 2**30
"""Bytes of a body that is refused which are read all the same, so that the client hears why."""


@stream_request_body
class ApiHandler(APIHandler):
    """A handler below `api/v1`; a subclass names what it serves and has a method for each verb, with its right.

    Errors are raised as `NbflowError` or `HTTPError` and answered in one shape. Without credentials the answer is
    401 in JSON, never a redirect: Kestra's clients explain only that. Nobody's body is read before that is settled.
    """

    auth_resource = "nbflow"
    takes_uploads: ClassVar[bool] = False
    subject = ""
    """What the audit trail says was changed, where the address does not say it."""

    form: Form
    _body: Body | None = None
    _known: KnownUser | None = None
    _retry_after: int | None = None

    @property
    def shared(self) -> ServerEngine:
        """What the handlers of this server share."""
        holder: ServerEngine = self.settings[SETTING]
        return holder

    @property
    def right(self) -> Right:
        """The right that this request needs; to view, where no method says more."""
        if self.request.method == "OPTIONS":
            return Right.OPEN  # what a browser asks before it asks, without credentials
        return right_of(getattr(self, (self.request.method or "GET").lower(), None)) or Right.VIEW

    @property
    def identity_provider(self) -> Any:  # Any: Jupyter's, or what stands for it when the user is known already
        return self._known or super().identity_provider

    async def engine(self) -> Engine:
        """The engine of this server."""
        opened = self.shared.opened
        return opened if opened is not None else await asyncio.to_thread(self.shared.get)

    async def prepare(self) -> None:  # type: ignore[override]  # Jupyter overrides tornado's in the same way
        if not self.check_host():
            self.current_user = self._jupyter_current_user = None
            raise HTTPError(403, "this name is not served here")
        address = self.request.remote_ip or ""
        if not self.shared.rates.take(address):
            self._retry_after = self.shared.rates.seconds_until(address)
            raise HTTPError(429, "too many requests")
        authorization = self.request.headers.get("Authorization") or self.get_query_argument("token", "")
        passwords = self.shared.passwords
        if authorization and passwords.is_refused(authorization, address):
            self._retry_after = passwords.failures.seconds_until(address)
            raise HTTPError(429, "too many wrong credentials")
        try:
            await self._check_basic(authorization)
            await super().prepare()
            if self.current_user is None and self.right is not Right.OPEN:
                raise HTTPError(401)  # a server may let strangers pass here; this API lets none
        except HTTPError as refused:
            is_unknown = getattr(self, "_jupyter_current_user", None) is None and self.right is not Right.OPEN
            if refused.status_code not in (401, 403) or not is_unknown:
                raise
            if authorization:
                passwords.failures.take(address)
            raise HTTPError(401, "credentials are needed") from refused
        if self.right is not Right.OPEN:
            await self._check_right()
            if authorization:
                passwords.remember(authorization)
        self._expect_body()

    async def _check_basic(self, authorization: str) -> None:
        if authorization[:6].lower() != "basic ":
            return
        user = await self.shared.passwords.user(authorization, super().identity_provider)
        if user is not None:
            self._known = KnownUser(super().identity_provider, user)
        elif self.right is not Right.OPEN:
            self.current_user = self._jupyter_current_user = None
            raise HTTPError(401, "user or password is wrong")

    async def _check_right(self) -> None:
        action, resource = ACTIONS[self.right]
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, action, resource)):
            raise HTTPError(403, "%s may not %s here", self.current_user.username, self.right)

    def _expect_body(self) -> None:
        limits = self.shared.settings.server
        most = limits.max_upload_bytes if self.takes_uploads else limits.max_body_bytes
        self._body = Body(self.request.headers, limits.max_body_bytes, most)
        connection = self.request.connection
        if isinstance(connection, HTTP1Connection):  # what is longer is refused by us, in JSON
            connection.set_max_body_size(max(_DRAINED, 2 * most))

    def data_received(self, chunk: bytes) -> None:
        if self._body is not None:
            self._body.feed(chunk)

    def take_body(self) -> None:
        """Let `request.body` and `form` hold what was sent. Raises: RequestError."""
        self.request.body, self.form = self._body.end() if self._body is not None else (b"", Form())
        self.request.body_arguments = self.form.texts

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        # A webhook is called from anywhere: its key is all that counts.
        return self.right is Right.OPEN or bool(super().check_origin(origin_to_satisfy_tornado))

    def check_xsrf_cookie(self) -> None:
        # Without a user there is nothing to forge; `prepare` answers 401 where Jupyter would answer 403.
        if self.right is not Right.OPEN and getattr(self, "_jupyter_current_user", None) is not None:
            super().check_xsrf_cookie()

    def get_login_url(self) -> str:
        if not self.current_user:
            raise HTTPError(401, "credentials are needed")
        return str(super().get_login_url())

    def on_finish(self) -> None:
        super().on_finish()
        if self._body is not None:
            self._body.close()
        changes = self.right in (Right.RUN, Right.EDIT, Right.ADMINISTER) and self.request.method != "GET"
        user, engine = getattr(self, "_jupyter_current_user", None), self.shared.opened
        if (
            changes
            and user is not None
            and engine is not None
            and (self.get_status() < 400 or self.get_status() == 403)
        ):
            what = self.subject or self.request.path.partition("/api/v1/")[2].removeprefix("main/")
            refused = "" if self.get_status() < 400 else " refused"
            self.shared.trail.note(engine, user.username, f"{self.request.method}{refused}", what)

    def answer(self, body: object, status: int = 200) -> None:
        """Send a body as JSON."""
        self.set_status(status)
        self.finish(encode(body))

    def answer_page(self, results: list[Any], total: int) -> None:  # Any: JSON of whatever kind
        """Send a part of a list."""
        self.answer({"results": results, "total": total})

    def answer_bulk(self, count: int) -> None:
        """Say how many were dealt with, in the words of all generations."""
        self.answer({"count": count, "totalItems": count, "operationId": new_id()})

    def answer_text(self, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
        self.finish(text, set_content_type=content_type)

    def answer_file(self, content: bytes, file_name: str) -> None:
        """Send octets to be saved under a name; a browser must not show what a task has written."""
        self._name_file(file_name)
        self.finish(content, set_content_type="application/octet-stream")

    async def send_stored(self, engine: Engine, uri: str, file_name: str) -> None:
        """Send a stored file piece by piece. Raises: StoredFileNotFoundError."""
        files = engine.store.files
        size = await asyncio.to_thread(files.size, uri)
        local = files.local_path(uri)
        if local is None or size < PIECE:
            self.answer_file(await engine.aread_file(uri), file_name)
            return
        self._name_file(file_name)
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Length", str(size))
        with contextlib.suppress(StreamClosedError):  # the client went away
            with await asyncio.to_thread(local.open, "rb") as stream:
                while piece := await asyncio.to_thread(stream.read, PIECE):
                    self.write(piece)
                    await self.flush()
            self.finish(set_content_type="application/octet-stream")

    def _name_file(self, file_name: str) -> None:
        ascii_name = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in file_name)
        ascii_name = ascii_name.replace('"', "_").replace("\\", "_")
        self.set_header("Content-Disposition", f'attachment; filename="{ascii_name}"')
        self.set_header("X-Content-Type-Options", "nosniff")

    def answer_nothing(self, status: int = 204) -> None:
        """Send no body: 204, or 200 where clients of an older line look at the number."""
        self.set_status(status)
        self.finish()

    def query_values(self) -> dict[str, list[str]]:
        """The whole query: name → values."""
        return {name: self.get_query_arguments(name) for name in self.request.query_arguments}

    def query(self, name: str) -> str | None:
        """A query parameter; None when it is missing or empty."""
        return self.get_query_argument(name, None) or None

    def needed(self, name: str) -> str:
        """A query parameter that must be there. Raises: RequestError, 400."""
        value = self.query(name)
        if value is None:
            raise RequestError(f"the query parameter `{name}` is missing", status=400, path=name)
        return value

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

    def body_json(self, default: object = None) -> Any:  # Any: JSON
        """The body as JSON; `default` when it is empty. Raises: RequestError."""
        text = self.body_text()
        try:
            return json.loads(text) if text.strip() else default
        except RecursionError:
            raise RequestError("the body is JSON that is nested too deep", status=400) from None
        except ValueError as cause:
            raise RequestError(f"the body is no JSON: {cause}", status=400) from cause

    def write_error(self, status_code: int, **kwargs: object) -> None:
        raised = kwargs.get("exc_info")
        error = raised[1] if isinstance(raised, tuple) else None
        if not isinstance(error, BaseException):
            error = HTTPError(status_code)
        status = status_of(error)
        self.set_status(status)
        if self._retry_after is not None:
            self.set_header("Retry-After", str(self._retry_after))
        if status == 401:
            self.set_header("WWW-Authenticate", 'Basic realm="nbflow"')
        self.finish(encode(error_body(error, self.request.path)))

    def log_exception(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What the caller did wrong is no news for the server's log.
        if isinstance(error, NbflowError | HTTPError) and status_of(error) < 500:
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
