"""HTTP Basic for the API: Jupyter knows tokens and cookies only, and Kestra's clients send user and password.

The password is that of `nbflow.yaml` (`server.basicAuth`), Jupyter's own, or the token. Who guesses is slowed down:
after some failures an address is refused for a while, unless it comes with what was right before.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import os
from collections.abc import Awaitable
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import RequestHandler

from nbflow.server.rates import Rates

FAILURES = 20
"""Wrong credentials of one address before it has to wait; one more is forgiven every three seconds."""


class BasicPasswords:
    """Checks user and password. `username` and `password` are those of the settings, if there are any."""

    def __init__(self, username: str | None = None, password: str | None = None) -> None:
        self._username = username
        self._password = password
        self._salt = os.urandom(16)
        self._known: set[bytes] = set()
        self.failures = Rates(1 / 3, FAILURES)

    @property
    def is_set(self) -> bool:
        return bool(self._password)

    async def user(self, authorization: str, provider: IdentityProvider) -> User | None:
        """The user of an `Authorization: Basic …`; None when it is wrong."""
        pair = read_basic(authorization)
        if pair is None:
            return None
        name, password = pair
        if self._mark(authorization) in self._known:
            return _user(name)
        if self._is_ours(name, password) or await _is_jupyters(password, provider):
            self.remember(authorization)
            return _user(name)
        return None

    def remember(self, authorization: str) -> None:
        """Keep that credentials were right: whoever has them is never slowed down."""
        if len(self._known) > 1000:
            self._known.clear()
        self._known.add(self._mark(authorization))

    def is_refused(self, authorization: str, address: str) -> bool:
        """Whether an address has been wrong too often to be heard with credentials that are new."""
        return self.failures.left(address) < 1 and self._mark(authorization) not in self._known

    def _mark(self, authorization: str) -> bytes:
        return hmac.digest(self._salt, authorization.encode("utf-8", "replace"), "sha256")

    def _is_ours(self, name: str, password: str) -> bool:
        if not self._password:
            return False
        is_right = _same(password, self._password)
        return is_right and (self._username is None or _same(name, self._username))


def read_basic(authorization: str) -> tuple[str, str] | None:
    """User and password of an `Authorization` header; None when it holds none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, separator, password = text.partition(":")
    return (name, password) if separator and password else None


async def _is_jupyters(password: str, provider: IdentityProvider) -> bool:
    """Whether it is the token of the server, or its password."""
    if provider.token and _same(password, provider.token):
        return True
    hashed = getattr(provider, "hashed_password", "")
    if not hashed:
        return False
    from jupyter_server.auth.security import passwd_check  # it brings argon2 along

    return bool(await asyncio.to_thread(passwd_check, hashed, password))


def _same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _user(name: str) -> User:
    return User(username=name or "basic", name=name or "basic")


class KnownUser:
    """Stands for the identity provider in a request whose user is known by HTTP Basic; asks it everything else."""

    def __init__(self, provider: IdentityProvider, user: User) -> None:
        self._provider = provider
        self._user = user

    def __getattr__(self, name: str) -> Any:  # Any: whatever the provider has
        return getattr(self._provider, name)

    def get_user(self, handler: RequestHandler) -> User | Awaitable[User | None] | None:
        return self._user

    def is_token_authenticated(self, handler: RequestHandler) -> bool:
        return True  # a browser of another site cannot send it: neither XSRF nor the origin needs a check

    def should_check_origin(self, handler: RequestHandler) -> bool:
        return False
