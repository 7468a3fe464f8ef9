"""Webhooks over REST: open to everybody who knows the key, which the engine compares in constant time."""

from __future__ import annotations

import asyncio

from nbflow.errors import NotFoundError
from nbflow.server.executions import Start
from nbflow.server.rights import Right, may


class Webhook(Start):
    """`GET|POST|PUT /executions/webhook/{namespace}/{flow}/{key}`, with or without a path behind it."""

    takes_uploads = False

    @may(Right.OPEN)
    async def get(self, namespace: str, flow_id: str, key: str, path: str | None = None) -> None:
        await self._call(namespace, flow_id, key)

    @may(Right.OPEN)
    async def post(self, namespace: str, flow_id: str, key: str, path: str | None = None) -> None:  # type: ignore[override]  # another route
        await self._call(namespace, flow_id, key)

    @may(Right.OPEN)
    async def put(self, namespace: str, flow_id: str, key: str, path: str | None = None) -> None:
        await self._call(namespace, flow_id, key)

    async def _call(self, namespace: str, flow_id: str, key: str) -> None:
        engine = await self.engine()
        headers: dict[str, list[str]] = {}
        for name, value in self.request.headers.get_all():
            if name.lower() not in ("authorization", "cookie"):  # whoever is logged in shows that to nobody's flow
                headers.setdefault(name, []).append(value)
        parameters = {name: values for name, values in self.query_values().items() if name != "token"}
        try:
            execution = await engine.awebhook(
                namespace, flow_id, key, body=self.request.body or None, parameters=parameters, headers=headers
            )
        except NotFoundError:  # a stranger learns neither which flows there are nor that only the key is wrong
            raise NotFoundError("there is no webhook at this address") from None
        if execution is None:
            self.answer_nothing()
            return
        flow = await engine.aflow(namespace, flow_id, execution.flow_revision)
        fired = (execution.trigger or {}).get("id")
        if any(getattr(trigger, "wait", False) for trigger in flow.triggers if trigger.id == fired):
            execution = await engine.await_(execution.id)
            shape = await asyncio.to_thread(execution.to_dict)
        else:
            shape = execution.snapshot()
        self.answer({**shape, "url": self.page_of(execution.id)})
