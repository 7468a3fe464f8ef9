"""Values that flows keep by key, over REST."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from nbflow.engine import Engine
from nbflow.errors import NotFoundError
from nbflow.model.durations import parse_duration
from nbflow.model.execution import instant
from nbflow.model.namespace import lineage
from nbflow.server.errors import RequestError
from nbflow.server.filters import Filter, Page, read_filter, read_page
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.matching import matcher
from nbflow.server.requests import Keys
from nbflow.server.rights import Right, may
from nbflow.store import KvEntry, KvType
from nbflow.types import JsonValue

_FIELDS = {"q": "EQUALS", "namespace": "PREFIX"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*")
_DURATION = re.compile(r"[-+]?P(?=.)[\dTYMWDHS.,+-]+", re.IGNORECASE)


class ExpiredError(RequestError):
    """A value that has expired."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the value of `{key}` has expired", status=410, path=key)


class KvValueOfKey(ApiHandler):
    """`/namespaces/{namespace}/kv/{key}`: read, keep, delete a value."""

    @may(Right.VIEW)
    async def get(self, namespace: str, key: str) -> None:
        engine = await self.engine()
        now = datetime.now(UTC)
        found = await asyncio.to_thread(engine.store.kv.get, namespace, key, now, even_expired=True)
        if found is None:
            raise NotFoundError(f"{namespace} has no key `{key}`")
        if found.expires is not None and found.expires <= now:
            raise ExpiredError(key)
        self.answer(
            {
                "type": str(found.type),
                "value": found.value,
                "revision": found.revision,
                "updated": instant(found.updated),
            }
        )

    @may(Right.EDIT)
    async def put(self, namespace: str, key: str) -> None:
        kind, value = read_value(self.body_text())
        ttl = _ttl(self.request.headers.get("ttl"))
        description = self.request.headers.get("description")
        engine = await self.engine()
        await asyncio.to_thread(
            engine.store.kv.put, namespace, key, value, datetime.now(UTC), type=kind, description=description, ttl=ttl
        )
        self.answer_nothing(200)

    @may(Right.EDIT)
    async def delete(self, namespace: str, key: str) -> None:
        engine = await self.engine()
        self.answer(await asyncio.to_thread(engine.store.kv.delete, namespace, key, datetime.now(UTC)))


class KvOfNamespace(ApiHandler):
    """`/namespaces/{namespace}/kv`: the keys of a namespace; DELETE takes a list of them away."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        found = await asyncio.to_thread(engine.store.kv.list, namespace, datetime.now(UTC))
        self.answer([entry_shape(entry) for entry in found])

    @may(Right.EDIT)
    async def delete(self, namespace: str) -> None:
        keys = read_body(Keys, self.request.body).keys
        engine = await self.engine()
        now = datetime.now(UTC)
        gone = [key for key in keys if await asyncio.to_thread(engine.store.kv.delete, namespace, key, now)]
        self.answer({"keys": gone})


class KvInherited(ApiHandler):
    """`GET /namespaces/{namespace}/kv/inheritance`: the keys of a namespace and those around it."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer([entry_shape(entry) for entry in await asyncio.to_thread(_inherited, engine, namespace)])


class KvSearch(ApiHandler):
    """`GET /kv`: a page of the keys of all namespaces."""

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, wanted = read_page(query), read_filter(query, _FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, wanted)
        self.answer_page(results, total)


def entry_shape(entry: KvEntry) -> dict[str, JsonValue]:
    """Kestra's JSON of a key, without its value."""
    shape: dict[str, JsonValue] = {
        "namespace": entry.namespace,
        "key": entry.key,
        "type": str(entry.type),
        "revision": entry.revision,
        "version": entry.revision,
        "creationDate": instant(entry.created),
        "updateDate": instant(entry.updated),
    }
    if entry.description is not None:
        shape["description"] = entry.description
    if entry.expires is not None:
        shape["expirationDate"] = instant(entry.expires)
    return shape


def read_value(text: str) -> tuple[KvType, JsonValue]:
    """The type and the value of a body: JSON, or a date, date-time or duration as it stands. Raises: RequestError."""
    plain = text.strip()
    try:
        value = json.loads(plain)
    except RecursionError:
        raise RequestError("the value is nested too deep", status=400) from None
    except ValueError as cause:
        for pattern, kind in ((_DATE, KvType.DATE), (_INSTANT, KvType.DATETIME), (_DURATION, KvType.DURATION)):
            if pattern.fullmatch(plain):
                return kind, plain
        raise RequestError(
            f"the value is neither JSON nor a date, date-time or duration: {cause}", hint='a text is written "text"'
        ) from None
    return KvType.of(value), value


def _ttl(text: str | None) -> timedelta | None:
    if not text:
        return None
    try:
        return parse_duration(text)
    except (ValueError, OverflowError):
        raise RequestError(f"`ttl` must be an ISO 8601 duration, got `{text}`", path="ttl") from None


def _inherited(engine: Engine, namespace: str) -> list[KvEntry]:
    """The nearest of each key."""
    now = datetime.now(UTC)
    found = {entry.key: entry for one in lineage(namespace) for entry in engine.store.kv.list(one, now)}
    return [found[key] for key in sorted(found)]


def _search(engine: Engine, page: Page, wanted: Filter) -> tuple[list[JsonValue], int]:
    fits = matcher(wanted)
    found = [
        entry
        for entry in engine.store.kv.list(None, datetime.now(UTC))
        if fits({"namespace": entry.namespace, "id": entry.key})
    ]
    names = {"key": "key", "namespace": "namespace", "creationDate": "created", "updateDate": "updated", "name": "key"}
    for name, is_descending in reversed(page.sort):
        if name not in names:
            raise RequestError(f"keys cannot be sorted by `{name}`", path="sort", hint=f"there are {', '.join(names)}")
        found.sort(key=attrgetter(names[name]), reverse=is_descending)
    return [entry_shape(entry) for entry in found[page.offset : page.offset + page.size]], len(found)
