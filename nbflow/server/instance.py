"""The server itself over REST: whether it is up, and what clients ask before anything else."""

from __future__ import annotations

import asyncio

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from nbflow import __version__
from nbflow.engine import Engine
from nbflow.errors import TemplateError
from nbflow.expressions import default_environment, render
from nbflow.model.execution import instant
from nbflow.server.filters import read_page
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.requests import RenderRequest
from nbflow.server.rights import ACTIONS, Right, may
from nbflow.types import JsonValue

API_VERSION = "2.0.0"
"""The version of Kestra whose API this is. kestractl falls back to older shapes below 2."""


class Health(ApiHandler):
    """`GET /api/health`: open to everybody, for probes."""

    @may(Right.OPEN)
    async def get(self) -> None:
        self.answer({"status": "UP"})


class Configs(ApiHandler):
    """`GET /api/v1/configs`."""

    @may(Right.VIEW)
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


class Me(ApiHandler):
    """`GET /me`: who is asking, and what they may do."""

    @may(Right.VIEW)
    async def get(self) -> None:
        user = self.current_user
        rights: dict[str, bool] = {}
        for right, (action, resource) in ACTIONS.items():
            answer = self.authorizer.is_authorized(self, user, action, resource)
            rights[str(right)] = bool(await ensure_async(answer))
        self.answer({"id": user.username, "username": user.username, "name": user.display_name, "rights": rights})


class Expressions(ApiHandler):
    """`GET /pebble/filters`, `/pebble/functions` and `/pebble/tests`: what expressions can call."""

    @may(Right.VIEW)
    async def get(self, kind: str) -> None:
        entries = default_environment().reference()
        self.answer(sorted({entry.name for entry in entries if f"{entry.kind}s" == kind}))


class Render(ApiHandler):
    """`POST /pebble/eval`: what an expression comes to with variables of one's own: `{expression, variables}`."""

    @may(Right.VIEW)
    async def post(self) -> None:
        wanted = read_body(RenderRequest, self.request.body)
        try:
            self.answer({"result": await asyncio.to_thread(render, wanted.expression, wanted.variables)})
        except TemplateError as error:
            self.answer({"error": str(error), "stackTrace": ""})


class Audit(ApiHandler):
    """`GET /audit`: who changed what over REST, newest first."""

    @may(Right.ADMINISTER)
    async def get(self) -> None:
        page = read_page(self.query_values(), default_size=100)
        engine = await self.engine()
        await asyncio.to_thread(self.shared.trail.finish)
        found = await asyncio.to_thread(engine.store.audit.list, page.size, page.offset)
        shapes = [{"at": instant(one.at), "who": one.who, "action": one.action, "what": one.what} for one in found]
        self.answer_page(shapes, await asyncio.to_thread(engine.store.audit.count))


class ConcurrencyLimits(ApiHandler):
    """`GET /concurrency-limit/search`: how many executions of each flow that limits them hold a slot."""

    @may(Right.VIEW)
    async def get(self) -> None:
        engine = await self.engine()
        results = await asyncio.to_thread(_limits, engine)
        self.answer_page(results, len(results))


def _limits(engine: Engine) -> list[JsonValue]:
    found: list[JsonValue] = []
    for stored in engine.store.flows.list():
        if "concurrency" not in stored.source:  # most flows have none, and need not be read
            continue
        flow = engine.flow(stored.namespace, stored.id)
        if flow.concurrency is not None:
            shape: dict[str, JsonValue] = {
                "tenantId": "main",
                "namespace": flow.namespace,
                "flowId": flow.id,
                "running": engine.store.executions.running(flow.namespace, flow.id),
                "limit": flow.concurrency.limit,
            }
            found.append(shape)
    return found


class Unknown(ApiHandler):
    """Every other route below `api/v1`: 404 in JSON, where an HTML page would read as a login page."""

    async def prepare(self) -> None:  # type: ignore[override]  # as in ApiHandler
        await super().prepare()
        raise HTTPError(404, "there is no route %s %s", self.request.method, self.request.path)
