"""The server itself over REST: whether it is up, and what clients ask before anything else."""

from __future__ import annotations

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from tornado.web import HTTPError, authenticated

from nbflow import __version__
from nbflow.server.handler import ApiHandler

API_VERSION = "2.0.0"
"""The version of Kestra whose API this is. kestractl falls back to older shapes below 2."""


class Health(ApiHandler):
    """`GET /api/health`: open to everybody, for probes."""

    is_open = True

    @allow_unauthenticated
    async def get(self) -> None:
        self.answer({"status": "UP"})


class Configs(ApiHandler):
    """`GET /api/v1/configs`."""

    @authenticated
    @authorized
    async def get(self) -> None:
        self.answer(
            {
                "version": API_VERSION,
                "nbflowVersion": __version__,
                "uuid": "nbflow",
                "edition": "OSS",
                "url": f"{self.request.protocol}://{self.request.host}{self.base_url}",
                "systemNamespace": "system",
                "preview": {"initial": 100, "max": 5000},
                "isTaskRunEnabled": True,
                "isBasicAuthInitialized": True,
                "isAnonymousUsageEnabled": False,
                "hiddenLabelsPrefixes": ["system."],
                "tenants": {"enabled": False, "defaultTenant": "main"},
            }
        )


class Unknown(ApiHandler):
    """Every other route below `api/v1`: 404 in JSON, where an HTML page would read as a login page."""

    async def prepare(self) -> None:  # type: ignore[override]  # as in ApiHandler
        await super().prepare()
        raise HTTPError(404, "there is no route %s %s", self.request.method, self.request.path)
