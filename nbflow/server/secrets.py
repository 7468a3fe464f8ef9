"""Secrets over REST: their names, never a value; who administers may keep and delete them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from nbflow.engine import Engine
from nbflow.errors import NotFoundError
from nbflow.model.namespace import lineage
from nbflow.server.filters import Filter, Page, read_filter, read_page
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.matching import matcher
from nbflow.server.requests import SecretRequest
from nbflow.server.rights import Right, may
from nbflow.store import SecretEntry
from nbflow.types import JsonValue

_FIELDS = {"q": "EQUALS", "namespace": "PREFIX"}


class SecretSearch(ApiHandler):
    """`GET /secrets`, and `GET /namespaces/{namespace}/secrets`: a page of names."""

    @may(Right.VIEW)
    async def get(self, namespace: str | None = None) -> None:
        query = self.query_values()
        page, wanted = read_page(query), read_filter(query, _FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, wanted, namespace)
        self.answer({"readOnly": True, "results": results, "total": total})

    @may(Right.ADMINISTER)
    async def put(self, namespace: str) -> None:
        secret = read_body(SecretRequest, self.request.body)
        engine = await self.engine()
        self.subject = f"namespaces/{namespace}/secrets/{secret.key}"
        await asyncio.to_thread(
            engine.store.secrets.put, namespace, secret.key, secret.value, datetime.now(UTC), secret.description
        )
        self.answer([_shape(entry) for entry in await asyncio.to_thread(engine.store.secrets.list, namespace)])


class OneSecret(ApiHandler):
    """`DELETE /namespaces/{namespace}/secrets/{key}`."""

    @may(Right.ADMINISTER)
    async def delete(self, namespace: str, key: str) -> None:
        engine = await self.engine()
        if not await asyncio.to_thread(engine.store.secrets.delete, namespace, key):
            raise NotFoundError(f"{namespace} has no secret `{key}`")
        self.answer_nothing()


class InheritedSecrets(ApiHandler):
    """`GET /namespaces/{namespace}/inherited-secrets`: the names in a namespace and in those around it."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_inherited, engine, namespace))


def _inherited(engine: Engine, namespace: str) -> dict[str, list[str]]:
    names = {one: [entry.name for entry in engine.store.secrets.list(one)] for one in lineage(namespace)}
    return {one: found for one, found in names.items() if found or one == namespace}


def _search(engine: Engine, page: Page, wanted: Filter, namespace: str | None) -> tuple[list[JsonValue], int]:
    fits = matcher(wanted)
    entries = engine.store.secrets.list(namespace)
    found = [entry for entry in entries if fits({"namespace": entry.namespace, "id": entry.name})]
    return [_shape(entry) for entry in found[page.offset : page.offset + page.size]], len(found)


def _shape(entry: SecretEntry) -> dict[str, JsonValue]:
    shape: dict[str, JsonValue] = {"key": entry.name, "namespace": entry.namespace, "tags": []}
    return shape if entry.description is None else {**shape, "description": entry.description}
