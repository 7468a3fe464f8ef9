"""How a request is made: time limits, login, redirects, proxy, certificates."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import AliasChoices, Field, NonNegativeInt, field_validator

from nbflow.plugins import Duration, Dynamic, LogLevel, Model, Text

CONNECT_TIMEOUT = timedelta(seconds=30)
READ_TIMEOUT = timedelta(minutes=5)
LONGEST_BODY = 10 * 1024 * 1024


class Auth(Model):
    """How to log in."""

    type: Literal["BASIC", "BEARER", "DIGEST"] = Field(default="BASIC", description="BASIC, BEARER or DIGEST.")
    username: Dynamic[Text] | None = Field(default=None, description="User name, for BASIC and DIGEST.")
    password: Dynamic[Text] | None = Field(default=None, description="Password, for BASIC and DIGEST.")
    token: Dynamic[Text] | None = Field(default=None, description="Token, for BEARER.")

    @field_validator("type", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value


class Timeouts(Model):
    """How long to wait."""

    connect_timeout: Dynamic[Duration] | None = Field(default=None, description="For a connection; 30 s unless said.")
    read_idle_timeout: Dynamic[Duration] | None = Field(
        default=None,
        validation_alias=AliasChoices("readIdleTimeout", "readTimeout"),
        description="For the next bytes of an answer; 5 min unless said.",
    )


class SslOptions(Model):
    """How certificates are checked."""

    insecure_trust_all_certificates: Dynamic[bool] = Field(
        default=False, description="Trust any certificate: for tests alone."
    )


class Proxy(Model):
    """A server that requests go through."""

    type: Text | None = Field(default=None, description="DIRECT, HTTP or SOCKS.")
    address: Dynamic[Text] | None = Field(default=None, description="Its name.")
    port: Dynamic[int] | None = Field(default=None, description="Its port.")
    username: Dynamic[Text] | None = Field(default=None, description="User name there.")
    password: Dynamic[Text] | None = Field(default=None, description="Password there.")


class HttpOptions(Model):
    """How a request is made."""

    timeout: Dynamic[Timeouts] | None = Field(default=None, description="How long to wait.")
    connect_timeout: Dynamic[Duration] | None = Field(default=None, description="Older form of `timeout`.")
    read_timeout: Dynamic[Duration] | None = Field(default=None, description="Older form of `timeout`.")
    read_idle_timeout: Dynamic[Duration] | None = Field(default=None, description="Older form of `timeout`.")
    connection_pool_idle_timeout: Dynamic[Duration] | None = Field(
        default=None, description="Accepted; a task keeps no connections."
    )
    auth: Dynamic[Auth] | None = Field(default=None, description="How to log in.")
    basic_auth_user: Dynamic[Text] | None = Field(default=None, description="Older form of `auth`: user name.")
    basic_auth_password: Dynamic[Text] | None = Field(default=None, description="Older form of `auth`: password.")
    follow_redirects: Dynamic[bool] = Field(default=True, description="Whether to follow redirects.")
    allow_failed: Dynamic[bool] = Field(default=False, description="Whether answers from 400 on are no failure.")
    allowed_response_codes: Dynamic[list[int]] = Field(
        default_factory=list, description="Codes from 400 on that are no failure."
    )
    max_content_length: Dynamic[NonNegativeInt] = Field(
        default=LONGEST_BODY, description="Longest body to accept, in bytes."
    )
    default_charset: Text = Field(default="UTF-8", description="Character set of an answer that names none.")
    proxy: Dynamic[Proxy] | None = Field(default=None, description="Server that requests go through.")
    proxy_type: Text | None = Field(default=None, description="Older form of `proxy`.")
    proxy_address: Dynamic[Text] | None = Field(default=None, description="Older form of `proxy`.")
    proxy_port: Dynamic[int] | None = Field(default=None, description="Older form of `proxy`.")
    proxy_username: Dynamic[Text] | None = Field(default=None, description="Older form of `proxy`.")
    proxy_password: Dynamic[Text] | None = Field(default=None, description="Older form of `proxy`.")
    ssl: Dynamic[SslOptions] | None = Field(default=None, description="How certificates are checked.")
    logs: list[Text] = Field(default_factory=list, description="Accepted; what is logged depends on `logLevel`.")
    log_level: LogLevel | None = Field(default=None, description="Accepted.")

    @property
    def connect_seconds(self) -> float:
        chosen = (self.timeout.connect_timeout if self.timeout else None) or self.connect_timeout or CONNECT_TIMEOUT
        return chosen.total_seconds()

    @property
    def read_seconds(self) -> float:
        newer = self.timeout.read_idle_timeout if self.timeout else None
        return (newer or self.read_idle_timeout or self.read_timeout or READ_TIMEOUT).total_seconds()

    @property
    def login(self) -> Auth | None:
        """How to log in, in whichever form it was written."""
        if self.auth is not None or self.basic_auth_user is None:
            return self.auth
        return Auth(type="BASIC", username=self.basic_auth_user, password=self.basic_auth_password)

    @property
    def proxy_server(self) -> Proxy | None:
        """The proxy, in whichever form it was written; None for a direct connection."""
        proxy = self.proxy or Proxy(
            type=self.proxy_type,
            address=self.proxy_address,
            port=self.proxy_port,
            username=self.proxy_username,
            password=self.proxy_password,
        )
        is_direct = proxy.address is None or (proxy.type or "").upper() == "DIRECT"
        return None if is_direct else proxy
