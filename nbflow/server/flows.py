"""Flows over REST: deploy, check, read, search, delete."""

from __future__ import annotations

import asyncio
import re
from operator import attrgetter

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from nbflow.engine import Engine
from nbflow.errors import FlowNotFoundError, Problem
from nbflow.model.flow import Flow
from nbflow.server.errors import RequestError, constraint, problem_entry
from nbflow.server.filters import Condition, Page, read_conditions, read_page, unsupported
from nbflow.server.graph import graph_shape
from nbflow.server.handler import ApiHandler
from nbflow.source.parts import Part, parts_of
from nbflow.types import JsonValue

_FIELDS = {"q": "EQUALS", "namespace": "PREFIX", "labels": "EQUALS", "scope": "IN", "flowId": "EQUALS"}


class Flows(ApiHandler):
    """`POST /flows`: save a new flow."""

    @authenticated
    @authorized
    async def post(self) -> None:
        engine = await self.engine()
        text = self.body_text()
        namespace, flow_id = _address(text)
        if await asyncio.to_thread(engine.store.flows.get, namespace, flow_id) is not None:
            raise RequestError(
                f"the flow {namespace}.{flow_id} exists already",
                path="id",
                hint="change it with PUT, or take another id",
            )
        flow = await engine.adeploy(text)
        self.answer(flow.to_dict(with_source=True))


class OneFlow(ApiHandler):
    """`/flows/{namespace}/{id}`: read, change, delete."""

    @authenticated
    @authorized
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        flow = await engine.aflow(namespace, flow_id, self.query_int("revision"))
        self.answer(flow.to_dict(with_source=self.query_flag("source")))

    @authenticated
    @authorized
    async def put(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        text = self.body_text()
        await engine.aflow(namespace, flow_id)  # an update of what does not exist is a 404
        named = _address(text)
        if named != (namespace, flow_id) and all(named):
            raise RequestError(
                f"the source is of {'.'.join(filter(None, named))}, the address of {namespace}.{flow_id}", path="id"
            )
        flow = await engine.adeploy(text)
        self.answer(flow.to_dict(with_source=True))

    @authenticated
    @authorized
    async def delete(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        await engine.adelete_flow(namespace, flow_id)
        self.answer_nothing()


class FlowRevisions(ApiHandler):
    """`GET /flows/{namespace}/{id}/revisions`: every version, oldest first, with its source."""

    @authenticated
    @authorized
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        stored = await asyncio.to_thread(engine.store.flows.revisions, namespace, flow_id)
        if not stored:
            raise FlowNotFoundError(f"there is no flow `{namespace}.{flow_id}`")
        flows = [await engine.aflow(namespace, flow_id, each.revision) for each in stored]
        self.answer([flow.to_dict(with_source=True) for flow in flows])


class FlowGraph(ApiHandler):
    """`GET /flows/{namespace}/{id}/graph`: the tasks and their order."""

    @authenticated
    @authorized
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        self.answer(graph_shape(await engine.aflow(namespace, flow_id, self.query_int("revision"))))


class FlowsOfNamespace(ApiHandler):
    """`GET /flows/{namespace}`: all flows of exactly this namespace."""

    @authenticated
    @authorized
    async def get(self, namespace: str) -> None:
        engine = await self.engine()
        self.answer([flow.to_dict() for flow in await engine.aflows(namespace)])


class FlowSearch(ApiHandler):
    """`GET /flows/search`: a page of flows."""

    @authenticated
    @authorized
    async def get(self) -> None:
        query = self.query_values()
        page, conditions = read_page(query), read_conditions(query, _FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, conditions)
        self.answer({"results": results, "total": total})


class DistinctNamespaces(ApiHandler):
    """`GET /flows/distinct-namespaces`: the namespaces that hold flows."""

    @authenticated
    @authorized
    async def get(self) -> None:
        engine = await self.engine()
        wanted = (self.query("q") or "").lower()
        found = await asyncio.to_thread(engine.store.flows.namespaces)
        self.answer([namespace for namespace in found if wanted in namespace.lower()])


class ValidateFlows(ApiHandler):
    """`POST /flows/validate`: one entry for each document, whether valid or not."""

    @authenticated
    @authorized
    async def post(self) -> None:
        engine = await self.engine()
        texts = [(file.filename, _decoded(file.body)) for files in self.request.files.values() for file in files]
        if not texts:
            texts = [("", _decoded(value)) for values in self.request.body_arguments.values() for value in values]
        if not texts:
            texts = [("", self.body_text())]
        parts = [(name, part) for name, text in texts for part in parts_of(text)]
        self.answer([await self._check(engine, index, name, part) for index, (name, part) in enumerate(parts)])

    async def _check(self, engine: Engine, index: int, file_name: str, part: Part) -> dict[str, JsonValue]:
        problems = [part.in_whole(problem) for problem in await engine.avalidate(part.text)]
        return violation(part.text, problems, index, file_name)


def violation(text: str, problems: list[Problem], index: int, file_name: str = "") -> dict[str, JsonValue]:
    """Kestra's ValidateConstraintViolation with our list of problems; `constraints` is there only if it is invalid."""
    namespace, flow_id = _address(text)
    errors = [constraint(problem) for problem in problems if problem.is_error]
    shape: dict[str, JsonValue] = {
        "index": index,
        "outdated": False,
        "deprecationPaths": [
            problem.path for problem in problems if not problem.is_error and "deprecated" in problem.message
        ],
        "warnings": [constraint(problem) for problem in problems if problem.is_warning],
        "infos": [constraint(problem) for problem in problems if problem.severity == "info"],
        "problems": [problem_entry(problem) for problem in problems],
    }
    optional = {
        "flow": flow_id,
        "namespace": namespace,
        "constraints": "\n".join(errors),
        "filename": file_name,
    }
    shape.update({key: value for key, value in optional.items() if value})
    return shape


def _search(engine: Engine, page: Page, conditions: list[Condition]) -> tuple[list[JsonValue], int]:
    namespace, prefix, q = None, False, None
    flow_id, labels = None, {}
    for each in conditions:
        match each.field, each.operation:
            case "namespace", "EQUALS" | "PREFIX":
                namespace, prefix = each.value, each.operation == "PREFIX"
            case "flowId", "EQUALS":
                flow_id = each.value
            case "q", "EQUALS" | "CONTAINS":
                q = each.value
            case "labels", "EQUALS" if each.key:
                labels[each.key] = each.value
            case "scope", "EQUALS" | "IN":
                pass  # there are no system flows to tell apart
            case _:
                raise unsupported(each)
    stored = [each for each in engine.store.flows.list(namespace, prefix, q) if flow_id in (None, each.id)]
    for name, is_descending in reversed(page.sort):
        if name not in ("id", "namespace"):
            raise RequestError(f"flows cannot be sorted by `{name}`", path="sort", hint="there are id and namespace")
        stored.sort(key=attrgetter(name), reverse=is_descending)
    if not labels:  # only the flows of the page need to be read
        chosen = [engine.flow(each.namespace, each.id) for each in stored[page.offset : page.offset + page.size]]
        return [flow.to_dict() for flow in chosen], len(stored)
    flows = [flow for each in stored if _has(flow := engine.flow(each.namespace, each.id), labels)]
    return [flow.to_dict() for flow in flows[page.offset : page.offset + page.size]], len(flows)


def _has(flow: Flow, labels: dict[str, str]) -> bool:
    return all(flow.label_map.get(key) == value for key, value in labels.items())


def _address(text: str) -> tuple[str, str]:
    """Namespace and id that a source names, also when it is not valid; empty where it does not."""
    found = {
        key: match.group(1)
        for key in ("namespace", "id")
        if (match := re.search(rf"^{key}\s*:\s*[\"']?([^\s\"'#]+)", text, re.MULTILINE))
    }
    return found.get("namespace", ""), found.get("id", "")


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise RequestError(f"a part of the body is not UTF-8 text: {cause.reason}") from cause
