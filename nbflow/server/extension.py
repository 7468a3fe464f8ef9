"""What Jupyter Server loads: the REST API over one engine, opened by the first request that needs it."""

from __future__ import annotations

import atexit
from typing import Protocol

from tornado.web import Application

from nbflow.server.handler import SETTING, ServerEngine
from nbflow.server.routing import handlers


class _Log(Protocol):
    def info(self, message: str, *args: object) -> None: ...


class _ServerApp(Protocol):
    """What this module needs of `jupyter_server.serverapp.ServerApp`."""

    web_app: Application
    log: _Log


def _load_jupyter_server_extension(app: _ServerApp) -> None:
    """Add the routes to a server; the engine is opened by the first request and closed with the process."""
    engine = ServerEngine()
    app.web_app.settings[SETTING] = engine
    app.web_app.add_handlers(".*$", handlers(app.web_app.settings["base_url"]))
    atexit.register(engine.close)
    app.log.info("nbflow: REST API at %sapi/v1", app.web_app.settings["base_url"])
