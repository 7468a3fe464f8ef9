"""`nbflow server`: the REST API without notebooks, and the scheduler, until it is told to stop.

The handlers are those of the Jupyter extension; in place of Jupyter Server stands a plain tornado application with an
identity provider that knows a token and a password. SIGTERM: no new requests, running executions get their time, what
is left is handed over to the next engine of the home.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from nbflow.engine import Engine
from nbflow.errors import SettingsError
from nbflow.server.engines import SETTING, ServerEngine
from nbflow.server.routing import handlers
from nbflow.server.standalone_identity import OneTokenProvider, allow_all
from nbflow.settings import Settings

_LOOK_SECONDS = 0.1
_BACKLOG = 1024

_log = logging.getLogger(__name__)


def application(shared: ServerEngine, *, is_remote: bool = False) -> Application:
    """The routes with what they need of a Jupyter Server. `is_remote`: any Host header is taken."""
    server = shared.settings.server
    provider = OneTokenProvider.of(server.token, has_password=bool(server.password))
    known: dict[str, Any] = {  # Any: each setting has a type of its own
        SETTING: shared,
        "base_url": "/",
        "identity_provider": provider,
        "authorizer": allow_all(provider),
        "allow_remote_access": is_remote,
        "local_hostnames": ["localhost"],
        "serverapp": None,
        "log_function": _log_request,
        # Programs have no cookies that another site could use; of browsers without credentials the origin counts.
        "disable_check_xsrf": True,
    }
    return Application(list(handlers("/")), **known)


def serve(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Listen until SIGINT or SIGTERM; the exit status of the process.

    Raises: SettingsError when it would be open to others without a password or token, or cannot listen there.
    """
    host, port = host or settings.server_host, settings.server_port if port is None else port
    is_remote = not is_loopback(host)
    has_credentials = bool(settings.server.token or settings.server.password)
    if is_remote and not has_credentials:
        raise SettingsError(
            f"{host} can be reached by others, and neither a token nor a password is set",
            hint="give --token or --basic-auth (or NBFLOW_TOKEN, NBFLOW_BASIC_AUTH), or listen on 127.0.0.1",
        )
    try:
        sockets = bind_sockets(port, host, backlog=_BACKLOG)
    except (OSError, UnicodeError) as cause:
        raise SettingsError(f"cannot listen on {host}:{port}: {cause}", hint="take another --port") from cause
    return asyncio.run(_serve(settings, sockets, host, is_remote, say))


async def _serve(
    settings: Settings, sockets: list[socket.socket], host: str, is_remote: bool, say: Callable[[str], None]
) -> int:
    shared = ServerEngine(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT"):
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has no such handlers
            loop.add_signal_handler(getattr(signal, name), stop.set)
    server = HTTPServer(application(shared, is_remote=is_remote), max_header_size=2**16)
    try:
        engine = await asyncio.to_thread(shared.get)
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        say(f"nbflow server: http://{shown}:{port}/api/v1 on {settings.home}")
        if not (settings.server.token or settings.server.password):
            say("  open to every user of this machine: set --token or --basic-auth to change that")
        await stop.wait()
        say(f"nbflow server: stopping; running executions have {settings.server.grace.total_seconds():g} s")
        server.stop()
        left = await _drain(engine, settings.server.grace.total_seconds())
        if left:
            say(f"nbflow server: {left} executions go on in the next engine of this home")
    finally:
        server.stop()
        for one in sockets:
            with contextlib.suppress(OSError):
                one.close()
        await asyncio.to_thread(shared.close)
    say("nbflow server: stopped")
    return 0


async def _drain(engine: Engine, seconds: float) -> int:
    """Wait until nothing runs here any more; how many executions still do after so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        running = engine.busy()
        if not running or asyncio.get_running_loop().time() >= deadline:
            return running
        await asyncio.sleep(_LOOK_SECONDS)


def with_credentials(settings: Settings, token: str | None, basic_auth: str | None) -> Settings:
    """Settings with what the command line says. Raises: SettingsError for what is no `user:password`."""
    server = settings.server
    if token:
        server = replace(server, token=token)
    if basic_auth:
        username, _, password = basic_auth.partition(":")
        if not username or not password:
            raise SettingsError("--basic-auth is user:password")
        server = replace(server, username=username, password=password)
    return replace(settings, server=server)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; a name counts by all that it stands for."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        pass
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return host == "localhost"
    return bool(found) and all(ipaddress.ip_address(str(one).partition("%")[0]).is_loopback for one in found)


def _log_request(handler: object) -> None:
    status = handler.get_status()  # type: ignore[attr-defined]  # tornado hands a RequestHandler over
    level = logging.ERROR if status >= 500 else logging.DEBUG
    request = handler.request  # type: ignore[attr-defined]  # as above
    _log.log(level, "%d %s %s", status, request.method, request.path, extra={"action": "request"})


def main(settings: Settings, host: str | None, port: int | None) -> int:
    """What `nbflow server` runs; lines appear at once, also in a journal."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    return serve(settings, host=host, port=port, say=say)
