"""Namespaces over REST: finding them, and what is set for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from nbflow.engine import Engine
from nbflow.errors import NotFoundError
from nbflow.server.dependencies import topology
from nbflow.server.errors import RequestError
from nbflow.server.filters import Filter, Page, read_filter, read_page
from nbflow.server.handler import ApiHandler, read_body
from nbflow.server.matching import matcher
from nbflow.server.requests import Autocomplete, NamespaceRequest
from nbflow.server.rights import Right, may
from nbflow.store import StoredNamespace
from nbflow.types import JsonValue

_FIELDS = {"q": "EQUALS", "namespace": "PREFIX"}


class NamespaceSearch(ApiHandler):
    """`GET /namespaces/search`: a page of namespaces, the parents of those that hold something included."""

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, wanted = read_page(query), read_filter(query, _FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, wanted, self.query_flag("existing"))
        self.answer_page(results, total)


class NamespaceAutocomplete(ApiHandler):
    """`POST /namespaces/autocomplete`: the names that go on what was typed."""

    @may(Right.VIEW)
    async def post(self) -> None:
        asked = read_body(Autocomplete, self.request.body or b"{}")
        engine = await self.engine()
        found = await asyncio.to_thread(engine.store.namespaces.list)
        part, ids = (asked.q or "").lower(), asked.ids
        self.answer(
            [one.id for one in found if part in one.id.lower() and (ids is None or one.id in ids or bool(part))]
        )


class Namespaces(ApiHandler):
    """`POST /namespaces`: save the settings of a new namespace."""

    @may(Right.ADMINISTER)
    async def post(self) -> None:
        wanted = read_body(NamespaceRequest, self.request.body)
        if not wanted.id:
            raise RequestError("the body must name `id`", path="id")
        engine = await self.engine()
        if await asyncio.to_thread(engine.store.namespaces.get, wanted.id) is not None:
            raise RequestError(f"the namespace {wanted.id} exists already", path="id", hint="change it with PUT")
        self.answer(namespace_shape(await asyncio.to_thread(_save, engine, wanted.id, wanted)))


class OneNamespace(ApiHandler):
    """`/namespaces/{namespace}`: what is set for a namespace."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer(namespace_shape(await asyncio.to_thread(_find, engine, namespace)))

    @may(Right.ADMINISTER)
    async def put(self, namespace: str) -> None:
        wanted = read_body(NamespaceRequest, self.request.body)
        if wanted.id not in (None, namespace):
            raise RequestError(f"the body is of {wanted.id}, the address of {namespace}", path="id")
        engine = await self.engine()
        self.answer(namespace_shape(await asyncio.to_thread(_save, engine, namespace, wanted)))

    @may(Right.ADMINISTER)
    async def delete(self, namespace: str) -> None:
        engine = await self.engine()
        if not await asyncio.to_thread(engine.store.namespaces.delete, namespace):
            raise NotFoundError(f"nothing is set for the namespace `{namespace}`")
        self.answer_nothing()


class InheritedVariables(ApiHandler):
    """`GET /namespaces/{namespace}/inherited-variables`: the variables that hold in a namespace."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer(await asyncio.to_thread(engine.store.namespaces.variables, namespace))


class NamespaceDependencies(ApiHandler):
    """`GET /namespaces/{namespace}/dependencies`: which flows of a namespace start which others."""

    @may(Right.VIEW)
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer(await asyncio.to_thread(topology, engine, namespace, None, expand=True))


def namespace_shape(found: StoredNamespace) -> dict[str, JsonValue]:
    """Kestra's JSON of a namespace."""
    shape: dict[str, JsonValue] = {"id": found.id, "deleted": False, "disabled": False}
    if found.description is not None:
        shape["description"] = found.description
    if found.variables:
        shape["variables"] = dict(found.variables)
    if found.plugin_defaults:
        shape["pluginDefaults"] = [dict(default) for default in found.plugin_defaults]
    return shape


def _find(engine: Engine, namespace: str) -> StoredNamespace:
    for known in engine.store.namespaces.list():
        if known.id == namespace:
            return known
    if engine.store.namespace_files.list(namespace):
        return StoredNamespace(namespace)
    raise NotFoundError(f"there is no namespace `{namespace}`")


def _save(engine: Engine, namespace: str, wanted: NamespaceRequest) -> StoredNamespace:
    return engine.store.namespaces.save(
        namespace,
        datetime.now(UTC),
        description=wanted.description,
        variables=wanted.variables,
        plugin_defaults=wanted.plugin_defaults or (),
    )


def _search(engine: Engine, page: Page, wanted: Filter, is_existing: bool) -> tuple[list[JsonValue], int]:
    fits = matcher(wanted)
    found = [one for one in engine.store.namespaces.list() if fits({"namespace": one.id, "id": one.id})]
    if is_existing:  # not those that are there for what lies below them alone
        holds = set(engine.store.flows.namespaces())
        found = [one for one in found if one.created is not None or one.id in holds]
    for name, is_descending in reversed(page.sort):
        if name != "id":
            raise RequestError(f"namespaces cannot be sorted by `{name}`", path="sort", hint="there is id")
        found.sort(key=lambda one: one.id, reverse=is_descending)
    return [namespace_shape(one) for one in found[page.offset : page.offset + page.size]], len(found)
