"""What a caller may do: view, run, edit or administer, as Jupyter's Authorizer is asked for it.

    right        action     resource
    view         read       nbflow
    run          execute    nbflow          start, kill, pause, resume, restart, replay
    edit         write      nbflow          flows, files, key-value pairs, triggers, labels
    administer   write      nbflow:admin    secrets, namespaces, deleting what has run, the audit trail

Each method of a handler says its right with `@may(…)`; `ApiHandler.prepare` asks before the body is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import wraps
from math import inf
from typing import Any, Protocol, TypeVar

from tornado.web import HTTPError


class Right(StrEnum):
    """What a request needs to be allowed; OPEN needs no credentials at all."""

    OPEN = "open"
    VIEW = "view"
    RUN = "run"
    EDIT = "edit"
    ADMINISTER = "administer"


RESOURCE = "nbflow"

ACTIONS: dict[Right, tuple[str, str]] = {
    Right.VIEW: ("read", RESOURCE),
    Right.RUN: ("execute", RESOURCE),
    Right.EDIT: ("write", RESOURCE),
    Right.ADMINISTER: ("write", f"{RESOURCE}:admin"),
}
"""Right → action and resource, in the words of Jupyter's Authorizer."""


class Served(Protocol):
    """What a handler's method needs before it begins."""

    def take_body(self) -> None: ...


MethodT = TypeVar("MethodT", bound=Callable[..., Awaitable[None]])


def may(right: Right) -> Callable[[MethodT], MethodT]:
    """Declares the right that a method of a handler needs; the body is there when the method begins."""

    def mark(method: MethodT) -> MethodT:
        fewest, most = _arguments(method)

        @wraps(method)
        async def served(self: Served, *args: str | None) -> None:
            if not fewest <= len(args) <= most:  # the handler serves other addresses with this method
                raise HTTPError(405)
            self.take_body()
            await method(self, *args)

        wrapped: Any = served  # Any: a function that carries an attribute
        wrapped.right, wrapped.arguments = right, (fewest, most)
        if right is Right.OPEN:
            setattr(wrapped, "__allow_unauthenticated", True)
        return wrapped  # type: ignore[no-any-return]  # the method with its own signature

    return mark


def serves(method: object, count: int) -> bool:
    """Whether a method of a handler serves addresses with so many variable parts."""
    fewest, most = getattr(method, "arguments", (1, 0))
    return bool(fewest <= count <= most)


def _arguments(method: Callable[..., object]) -> tuple[int, float]:
    """How many parts of an address a method takes: at least, at most."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    fewest = sum(one.default is one.empty and one.kind is not one.VAR_POSITIONAL for one in parameters)
    return fewest, inf if any(one.kind is one.VAR_POSITIONAL for one in parameters) else len(parameters)


def right_of(method: object) -> Right | None:
    """The right that a method needs; None for one that says nothing."""
    return getattr(method, "right", None)
