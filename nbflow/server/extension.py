"""What Jupyter Server loads: the REST API over one engine, which runs schedules as long as the server runs."""

from __future__ import annotations

import atexit
from typing import Protocol

from tornado.web import Application

from nbflow.errors import NbflowError
from nbflow.server.handler import SETTING, ServerEngine
from nbflow.server.routing import handlers


class _Log(Protocol):
    def info(self, message: str, *args: object) -> None: ...
    def warning(self, message: str, *args: object) -> None: ...


class _ServerApp(Protocol):
    """What this module needs of `jupyter_server.serverapp.ServerApp`."""

    web_app: Application
    log: _Log


def _load_jupyter_server_extension(app: _ServerApp) -> None:
    """Add the routes to a server, and run the schedules of its home; the engine is closed with the process."""
    engine = ServerEngine()
    app.web_app.settings[SETTING] = engine
    app.web_app.add_handlers(".*$", handlers(app.web_app.settings["base_url"]))
    atexit.register(engine.close)
    try:
        engine.open_soon()
    except NbflowError as error:
        app.log.warning("nbflow: %s", error)
    app.log.info("nbflow: REST API at %sapi/v1", app.web_app.settings["base_url"])
