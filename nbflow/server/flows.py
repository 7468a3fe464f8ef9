"""Flows over REST: deploy, check, read, search, delete."""

from __future__ import annotations

import asyncio
import re
from operator import attrgetter

from nbflow.engine import Engine
from nbflow.errors import FlowNotFoundError, Problem
from nbflow.server.errors import RequestError, constraint, problem_entry
from nbflow.server.filters import Filter, Page, read_filter, read_page
from nbflow.server.handler import ApiHandler
from nbflow.server.matching import Value, matcher
from nbflow.server.rights import Right, may
from nbflow.source.parts import Part, parts_of
from nbflow.store import StoredFlow
from nbflow.types import JsonValue

FIELDS = {"q": "EQUALS", "namespace": "PREFIX", "labels": "EQUALS", "scope": "IN", "flowId": "EQUALS"}
_SORTS = {"id": "id", "namespace": "namespace", "revision": "revision", "updated": "created"}


class Flows(ApiHandler):
    """`POST /flows`: save a new flow."""

    @may(Right.EDIT)
    async def post(self) -> None:
        engine = await self.engine()
        text = self.body_text()
        namespace, flow_id = flow_address(text)
        if await asyncio.to_thread(engine.store.flows.get, namespace, flow_id) is not None:
            raise RequestError(
                f"the flow {namespace}.{flow_id} exists already",
                path="id",
                hint="change it with PUT, or take another id",
            )
        flow = await engine.adeploy(text)
        self.subject = f"flows/{flow.namespace}/{flow.id}"
        self.answer(flow.to_dict(with_source=True))


class OneFlow(ApiHandler):
    """`/flows/{namespace}/{id}`: read, change, delete."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        revision = self.query_int("revision")
        if revision is None and self.query_flag("allowDeleted"):
            revisions = await asyncio.to_thread(engine.store.flows.revisions, namespace, flow_id)
            revision = revisions[-1].revision if revisions else None
        flow = await engine.aflow(namespace, flow_id, revision)
        self.answer(flow.to_dict(with_source=self.query_flag("source")))

    @may(Right.EDIT)
    async def put(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        text = self.body_text()
        await engine.aflow(namespace, flow_id)  # an update of what does not exist is a 404
        named = flow_address(text)
        if named != (namespace, flow_id) and all(named):
            raise RequestError(
                f"the source is of {'.'.join(filter(None, named))}, the address of {namespace}.{flow_id}", path="id"
            )
        flow = await engine.adeploy(text)
        self.answer(flow.to_dict(with_source=True))

    @may(Right.EDIT)
    async def delete(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        await engine.adelete_flow(namespace, flow_id)
        self.answer_nothing()


class FlowRevisions(ApiHandler):
    """`GET /flows/{namespace}/{id}/revisions`: every version, oldest first, with its source."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        stored = await asyncio.to_thread(engine.store.flows.revisions, namespace, flow_id)
        if not stored:
            raise FlowNotFoundError(f"there is no flow `{namespace}.{flow_id}`")
        flows = [await engine.aflow(namespace, flow_id, each.revision) for each in stored]
        self.answer([flow.to_dict(with_source=True) for flow in flows])


class FlowSearch(ApiHandler):
    """`GET /flows/search`: a page of flows."""

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, wanted = read_page(query), read_filter(query, FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, wanted)
        self.answer({"results": results, "total": total})


class DistinctNamespaces(ApiHandler):
    """`GET /flows/distinct-namespaces`: the namespaces that hold flows."""

    @may(Right.VIEW)
    async def get(self) -> None:
        engine = await self.engine()
        wanted = (self.query("q") or "").lower()
        found = await asyncio.to_thread(engine.store.flows.namespaces)
        self.answer([namespace for namespace in found if wanted in namespace.lower()])


class ValidateFlows(ApiHandler):
    """`POST /flows/validate`: one entry for each document, whether valid or not."""

    takes_uploads = True

    @may(Right.VIEW)
    async def post(self) -> None:
        engine = await self.engine()
        texts = [(upload.file_name, _decoded(upload.path.read_bytes())) for upload in self.form.uploads]
        texts += [("", _decoded(value)) for values in self.form.texts.values() for value in values]
        if not texts:
            texts = [("", self.body_text())]
        parts = [(name, part) for name, text in texts for part in parts_of(text)]
        self.answer([await self._check(engine, index, name, part) for index, (name, part) in enumerate(parts)])

    async def _check(self, engine: Engine, index: int, file_name: str, part: Part) -> dict[str, JsonValue]:
        problems = [part.in_whole(problem) for problem in await engine.avalidate(part.text)]
        return violation(part.text, problems, index, file_name)


def violation(text: str, problems: list[Problem], index: int, file_name: str = "") -> dict[str, JsonValue]:
    """Kestra's ValidateConstraintViolation with our list of problems; `constraints` is there only if it is invalid."""
    namespace, flow_id = flow_address(text)
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


def found_flows(engine: Engine, wanted: Filter) -> list[StoredFlow]:
    """The newest revisions of the flows that are asked for, sorted by namespace and id. Raises: RequestError."""
    fits = matcher(wanted)
    needs_labels = any(each.field == "labels" for each in wanted)
    found = []
    for stored in engine.store.flows.list():
        row: dict[str, Value] = {"namespace": stored.namespace, "id": stored.id, "flowId": stored.id}
        if needs_labels:
            row["labels"] = engine.flow(stored.namespace, stored.id).label_map
        if fits(row):
            found.append(stored)
    return found


def _search(engine: Engine, page: Page, wanted: Filter) -> tuple[list[JsonValue], int]:
    stored = found_flows(engine, wanted)
    for name, is_descending in reversed(page.sort):
        if name not in _SORTS:
            raise RequestError(
                f"flows cannot be sorted by `{name}`", path="sort", hint=f"there are {', '.join(_SORTS)}"
            )
        stored.sort(key=attrgetter(_SORTS[name]), reverse=is_descending)
    # Only the flows of the page need to be read.
    chosen = [engine.flow(each.namespace, each.id) for each in stored[page.offset : page.offset + page.size]]
    return [flow.to_dict() for flow in chosen], len(stored)


def flow_address(text: str) -> tuple[str, str]:
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
