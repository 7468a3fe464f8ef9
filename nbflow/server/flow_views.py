"""Looking into flows over REST: graphs, one task, what depends on what, sources that hold a text, differences."""

from __future__ import annotations

import asyncio
import re

from nbflow.engine import Engine
from nbflow.errors import NotFoundError
from nbflow.nearest import did_you_mean
from nbflow.server.dependencies import topology
from nbflow.server.errors import RequestError
from nbflow.server.filters import Page, read_page
from nbflow.server.flows import violation
from nbflow.server.graph import graph_shape
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may
from nbflow.types import JsonValue

_SECTIONS = {"TASKS": "tasks", "TRIGGERS": "triggers"}
_FRAGMENTS = 10


class FlowGraph(ApiHandler):
    """`GET /flows/{namespace}/{id}/graph`: the tasks and their order; `POST /flows/graph` of a source."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        self.answer(graph_shape(await engine.aflow(namespace, flow_id, self.query_int("revision"))))

    @may(Right.VIEW)
    async def post(self) -> None:
        engine = await self.engine()
        self.answer(graph_shape(await engine.aread_flow(self.body_text())))


class FlowDependencies(ApiHandler):
    """`GET /flows/{namespace}/{id}/dependencies`: the flows that it starts, and that start it."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        await engine.aflow(namespace, flow_id)
        only, every = self.query_flag("destinationOnly"), self.query_flag("expandAll")
        self.answer(await asyncio.to_thread(topology, engine, namespace, flow_id, destination_only=only, expand=every))


class TaskOfFlow(ApiHandler):
    """`GET /flows/{namespace}/{id}/tasks/{task}`: one task as it was written."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str, task_id: str) -> None:
        engine = await self.engine()
        flow = await engine.aflow(namespace, flow_id, self.query_int("revision"))
        found = _written(flow.to_dict(), task_id)
        if found is None:
            hint = did_you_mean(task_id, [task.id for task in flow.all_tasks()])
            raise NotFoundError(f"the flow {flow.uid} has no task `{task_id}`", hint=hint)
        self.answer(found)


class FlowDiff(ApiHandler):
    """`GET /flows/{namespace}/{id}/diff?left=1&right=2`: what changed from one revision to another, line by line."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        newest = await engine.aflow(namespace, flow_id)
        right = self.query_int("right") or newest.revision or 1
        left = self.query_int("left") or max(right - 1, 1)
        before, after = await engine.aflow(namespace, flow_id, left), await engine.aflow(namespace, flow_id, right)
        self.answer({"left": left, "right": right, "diff": _diff(before.source, after.source, newest.uid, left, right)})


class SourceSearch(ApiHandler):
    """`GET /flows/source?q=`: a page of the flows whose source holds a text."""

    @may(Right.VIEW)
    async def get(self) -> None:
        page = read_page(self.query_values())
        q = self.query("q") or ""
        engine = await self.engine()
        results, total = await asyncio.to_thread(self._search, engine, page, q, self.query("namespace"))
        self.answer_page(results, total)

    def _search(self, engine: Engine, page: Page, q: str, namespace: str | None) -> tuple[list[JsonValue], int]:
        found = [
            (stored, matches)
            for stored in engine.store.flows.list(namespace, True)
            if (matches := self._matches(stored.source, q))
        ]
        results: list[JsonValue] = []
        for stored, matches in found[page.offset : page.offset + page.size]:
            flow = engine.flow(stored.namespace, stored.id)
            results.append(
                {
                    "namespace": stored.namespace,
                    "id": stored.id,
                    "editable": True,
                    "model": flow.to_dict(),
                    "fragments": [line for _, line in matches[:_FRAGMENTS]],
                    "matches": [{"lineNumber": number, "line": line} for number, line in matches[:_FRAGMENTS]],
                }
            )
        return results, len(found)

    def _matches(self, source: str, q: str) -> list[tuple[int, str]]:
        flags = 0 if self.query_flag("caseSensitive") else re.IGNORECASE
        pattern = re.compile(rf"\b{re.escape(q)}\b" if self.query_flag("wholeWord") else re.escape(q), flags)
        lines = [(number, line) for number, line in enumerate(source.splitlines(), 1) if pattern.search(line)]
        if lines or pattern.search(source) is None:
            return lines
        return [(1, source.partition("\n")[0])]  # the text goes over several lines


class DeprecatedFlows(ApiHandler):
    """`GET /flows/deprecated`: the flows that use older spellings, with what they use."""

    @may(Right.VIEW)
    async def get(self) -> None:
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_deprecated, engine, self.query("namespace")))


class ValidatePart(ApiHandler):
    """`POST /flows/validate/task` and `/trigger`: whether one task or trigger is valid, written in YAML or JSON."""

    @may(Right.VIEW)
    async def post(self, kind: str) -> None:
        section = "triggers" if kind == "trigger" else _SECTIONS.get((self.query("section") or "TASKS").upper())
        if section is None:
            raise RequestError(f"`section` must be {' or '.join(_SECTIONS)}", path="section")
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_check_part, engine, section, self.body_text()))


def _check_part(engine: Engine, section: str, text: str) -> dict[str, JsonValue]:
    lines = text.strip("\n").splitlines() or ["{}"]
    part = "\n".join(["  -", *(f"    {line}" for line in lines)])
    tasks = "tasks:\n  - {id: x0, type: io.kestra.plugin.core.debug.Return}\n" if section != "tasks" else ""
    problems = engine.validate(f"id: part\nnamespace: part\n{tasks}{section}:\n{part}\n")
    found = violation("", [problem for problem in problems if not problem.at_run], 0)
    return found


def _deprecated(engine: Engine, namespace: str | None) -> list[JsonValue]:
    found: list[JsonValue] = []
    for stored in engine.store.flows.list(namespace, True):
        problems = [one for one in engine.validate(stored.source) if not one.is_error and "deprecated" in one.message]
        if problems:
            entry: dict[str, JsonValue] = {
                "namespace": stored.namespace,
                "id": stored.id,
                "deprecationPaths": [one.path for one in problems],
                "warnings": [str(one) for one in problems],
            }
            found.append(entry)
    return found


def _written(value: JsonValue, task_id: str) -> JsonValue:
    """The task of an id, wherever in a flow it is written; None when there is none."""
    if isinstance(value, dict):
        if value.get("id") == task_id and "type" in value and "tenantId" not in value:
            return value
        inner: list[JsonValue] = list(value.values())
    elif isinstance(value, list):
        inner = value
    else:
        return None
    return next((found for item in inner if (found := _written(item, task_id)) is not None), None)


def _diff(before: str, after: str, name: str, left: int, right: int) -> str:
    import difflib

    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{name} r{left}", f"{name} r{right}", lineterm=""
    )
    return "\n".join(lines)
