"""What a client is told when a request fails: one table from error class to status, and the body in JSON."""

from __future__ import annotations

import json
from http import HTTPStatus

from tornado.web import HTTPError, MissingArgumentError

from nbflow.errors import (
    ConflictError,
    NbflowError,
    NotFoundError,
    PluginError,
    Problem,
    ProblemsError,
    TaskFailedError,
    TemplateError,
    WaitTimeoutError,
)
from nbflow.store import InvalidNameError, InvalidValueError
from nbflow.types import JsonValue


class RequestError(NbflowError):
    """A request that cannot be served as it is; `status` is the one to answer."""

    code = "request"

    def __init__(self, message: str, *, status: int = 422, path: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.path = path


STATUSES: tuple[tuple[type[NbflowError], int, str], ...] = (
    (NotFoundError, 404, "Not found"),
    (ConflictError, 409, "Conflict"),
    (ProblemsError, 422, "Invalid entity"),
    (TemplateError, 422, "Invalid entity"),
    (PluginError, 422, "Invalid entity"),
    (TaskFailedError, 422, "Invalid entity"),
    (InvalidNameError, 422, "Invalid entity"),
    (InvalidValueError, 422, "Invalid entity"),
    (WaitTimeoutError, 409, "Conflict"),
)
"""The first fitting line counts; what is in none is the server's own failure (500)."""


def status_of(error: BaseException) -> int:
    """The HTTP status that an error is answered with."""
    if isinstance(error, HTTPError):
        return error.status_code
    if isinstance(error, RequestError):
        return error.status
    return next((status for cls, status, _ in STATUSES if isinstance(error, cls)), 500)


def error_body(error: BaseException, path: str) -> dict[str, JsonValue]:
    """The body for an error: what older, newer and other clients look at, in one object."""
    status = status_of(error)
    title = _title(error, status)
    detail, parts = _detail(error)
    return {
        "message": f"{title}: {detail}" if detail else title,
        "_links": {"self": {"href": path, "templated": False}},
        "_embedded": {"errors": parts},
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": error.code if isinstance(error, NbflowError) else "http",
    }


def _title(error: BaseException, status: int) -> str:
    named = next((title for cls, _, title in STATUSES if isinstance(error, cls)), None)
    if named is None and isinstance(error, RequestError) and status == 422:
        return "Invalid entity"
    try:
        return named or HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _detail(error: BaseException) -> tuple[str, list[JsonValue]]:
    """What is wrong in one text, and one entry for each part of it."""
    if isinstance(error, ProblemsError) and error.problems:
        return "\n".join(map(constraint, error.problems)), [problem_entry(problem) for problem in error.problems]
    if isinstance(error, NbflowError):
        detail = f"{error.message} ({error.hint})" if error.hint else error.message
        path = error.path if isinstance(error, RequestError) else error.where.path if error.where else ""
        return detail, [{"message": detail, "path": path}]
    if isinstance(error, MissingArgumentError):
        detail = f"the query parameter `{error.arg_name}` is missing"
        return detail, [{"message": detail, "path": error.arg_name}]
    if isinstance(error, HTTPError) and error.log_message:
        return _formatted(error), []
    return "", []


def _formatted(error: HTTPError) -> str:
    message = error.log_message or ""
    return message % error.args if error.args else message


def constraint(problem: Problem) -> str:
    """A problem in one line, as Kestra writes the violation of a constraint."""
    text = f"{problem.path}: {problem.message}" if problem.path else problem.message
    return f"{text} ({problem.hint})" if problem.hint else text


def problem_entry(problem: Problem) -> JsonValue:
    """A problem with all that an editor needs to underline it."""
    return {
        "message": problem.message,
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "hint": problem.hint,
        "severity": problem.severity,
    }


def encode(body: object) -> str:
    """JSON that every parser reads: numbers that JSON has no word for are null."""
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False)
    except ValueError:
        return json.dumps(_finite(body), ensure_ascii=False)


def _finite(value: object) -> object:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
