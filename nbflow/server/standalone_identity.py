"""Who calls a server without Jupyter: whoever has its token or password; everybody where neither is set."""

from __future__ import annotations

import hmac
from typing import Any

from jupyter_server.auth.authorizer import AllowAllAuthorizer, Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import RequestHandler


class OneTokenProvider(IdentityProvider):
    """Knows one token and keeps no cookies: those who call are programs."""

    has_password = False

    @classmethod
    def of(cls, token: str | None, *, has_password: bool) -> OneTokenProvider:
        """The provider for a token; with neither that nor a password, everybody of this machine is let in."""
        provider = cls(token=token or "")
        provider.has_password = has_password
        return provider

    @property
    def auth_enabled(self) -> bool:
        return bool(self.token) or self.has_password

    def get_user(self, handler: RequestHandler) -> User | None:
        if not self.auth_enabled:
            return User(username="local", name="local")
        given = self.get_token(handler)
        token: Any = self.token  # Any: a trait
        if given and token and hmac.compare_digest(given.encode("utf-8", "replace"), str(token).encode()):
            return User(username="token", name="token")
        return None

    def is_token_authenticated(self, handler: RequestHandler) -> bool:
        return self.auth_enabled

    def should_check_origin(self, handler: RequestHandler) -> bool:
        return not self.auth_enabled


def allow_all(provider: IdentityProvider) -> Authorizer:
    """Lets everybody who is known do everything."""
    return AllowAllAuthorizer(identity_provider=provider)
