"""Executions over REST: start, read, search, kill, and their files."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlencode

from jupyter_server.utils import url_path_join

from nbflow.engine import Engine
from nbflow.errors import ExecutionNotFoundError
from nbflow.model.execution import instant
from nbflow.server.errors import RequestError, encode
from nbflow.server.execution_search import Asked, find, read_asked, read_sort
from nbflow.server.filters import Page, read_page
from nbflow.server.graph import graph_shape
from nbflow.server.handler import ApiHandler
from nbflow.server.multipart import (
    check_labels,
    form_inputs,
    is_json,
    read_date,
    read_labels,
    read_start,
    with_zone,
)
from nbflow.server.requests import FlowName, read_list
from nbflow.server.rights import Right, may
from nbflow.types import JsonValue


class Start(ApiHandler):
    """Start executions: `POST /executions/{namespace}/{flow}`, or `POST /executions` with a JSON body."""

    takes_uploads = True

    @may(Right.RUN)
    async def post(self, namespace: str = "", flow_id: str = "") -> None:
        labels = read_labels(self.get_query_arguments("labels"))
        revision, wait = self.query_int("revision"), self.query_flag("wait")
        kind, date = self.query("kind"), read_date(self.query("scheduleDate"), "scheduleDate")
        start = read_start(self.request) if is_json(self.request) else None
        if start is not None:
            namespace, flow_id = namespace or start.namespace, flow_id or start.flow_id
            labels = {**check_labels(start.labels), **labels}
            revision, wait = revision or start.revision, wait or start.wait
            kind, date = kind or start.kind, date or with_zone(start.schedule_date)
        if not namespace or not flow_id:
            raise RequestError("the body must name `namespace` and `flowId`", path="flowId")
        engine = await self.engine()
        inputs: dict[str, object] = dict(start.inputs) if start is not None else {}
        if inputs or self.form.texts or self.form.uploads:
            flow = await engine.aflow(namespace, flow_id, revision)
            inputs.update(form_inputs(flow.inputs, self.form, inputs, flow.uid))
        execution = await engine.arun(
            namespace, flow_id, inputs, labels=labels, revision=revision, kind=kind, schedule_date=date
        )
        self.subject = f"executions/{namespace}/{flow_id}/{execution.id}"
        if wait:
            execution = await engine.await_(execution.id)
            shape = await asyncio.to_thread(execution.to_dict)
        else:
            shape = execution.snapshot()
        self.answer({**shape, "url": self.page_of(execution.id)})

    def page_of(self, execution_id: str) -> str:
        """The address of an execution's page."""
        page = url_path_join(self.base_url, "lab") + "?" + urlencode({"nbflow-execution": execution_id})
        return f"{self.request.protocol}://{self.request.host}{page}"


class CheckInputs(ApiHandler):
    """`POST /executions/{namespace}/{flow}/validate`: what would become of these inputs; nothing is started."""

    takes_uploads = True

    @may(Right.VIEW)
    async def post(self, namespace: str, flow_id: str) -> None:
        read_labels(self.get_query_arguments("labels"))
        engine = await self.engine()
        flow = await engine.aflow(namespace, flow_id, self.query_int("revision"))
        given: dict[str, object] = dict(read_start(self.request).inputs) if is_json(self.request) else {}
        given.update(form_inputs(flow.inputs, self.form, given, flow.uid))
        inputs = await engine.atry_inputs(flow, given)
        self.answer({"id": flow.id, "namespace": flow.namespace, "inputs": inputs, "checks": []})


class OneExecution(ApiHandler):
    """`GET /executions/{id}`, and the longer spelling `/executions/{namespace}/{flow}/{id}`."""

    @may(Right.VIEW)
    async def get(self, *address: str) -> None:
        engine = await self.engine()
        execution = await engine.aexecution(address[-1])
        if len(address) == 3 and address[:2] != (execution.namespace, execution.flow_id):
            raise ExecutionNotFoundError(f"the execution `{execution.id}` is not of {address[0]}.{address[1]}")
        self.answer(await asyncio.to_thread(execution.to_dict))

    @may(Right.ADMINISTER)
    async def delete(self, *address: str) -> None:
        engine = await self.engine()
        await engine.adelete_execution(address[-1])
        self.answer_nothing()


class Kill(ApiHandler):
    """`DELETE /executions/{id}/actions/kill`, and the older `/executions/{id}/kill`."""

    @may(Right.RUN)
    async def delete(self, execution_id: str) -> None:
        engine = await self.engine()
        execution = await engine.akill(execution_id)
        self.answer(await asyncio.to_thread(execution.to_dict))


class ExecutionSearch(ApiHandler):
    """`GET /executions/search`, and `GET /executions?namespace=&flowId=`: a page of executions."""

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, asked = read_page(query), read_asked(query)
        sort = read_sort(page)
        engine = await self.engine()
        key = (page, sort, tuple(sorted((name, tuple(values)) for name, values in query.items() if name != "token")))
        work = partial(asyncio.to_thread, self._page, engine, asked, page, sort)
        self.finish(await self.shared.lists.get(key, work))

    def _page(self, engine: Engine, asked: Asked, page: Page, sort: str) -> str:
        found, total = find(engine, asked, page, sort, self.shared.counts)
        now = datetime.now(UTC)
        return encode({"results": [one.to_dict(now) for one in found], "total": total})


class Executions(ExecutionSearch, Start):
    """`/executions` without more: a search by GET, a start by POST."""


class FlowOfExecution(ApiHandler):
    """`GET /executions/{id}/flow`, and `GET /executions/flows/{namespace}/{flow}`: what an execution ran, or would."""

    @may(Right.VIEW)
    async def get(self, *address: str) -> None:
        engine = await self.engine()
        if len(address) == 2:
            flow = await engine.aflow(*address, self.query_int("revision"))
        else:
            run = await engine.aexecution(address[0])
            flow = await engine.aflow(run.namespace, run.flow_id, run.flow_revision)
        self.answer(flow.to_dict())


class ExecutionGraph(ApiHandler):
    """`GET /executions/{id}/graph`: the graph of its flow, each node with the last run of its task."""

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        engine = await self.engine()
        run = await engine.aexecution(execution_id)
        flow = await engine.aflow(run.namespace, run.flow_id, run.flow_revision)
        runs = await asyncio.to_thread(lambda: list(run.task_runs))
        now = datetime.now(UTC)
        self.answer(graph_shape(flow, {one.task_id: one.to_dict(run.record, now) for one in runs}))


class Latest(ApiHandler):
    """`POST /executions/latest`: the newest execution of each of some flows."""

    @may(Right.VIEW)
    async def post(self) -> None:
        wanted = read_list(FlowName, self.request.body)
        engine = await self.engine()
        self.answer(await asyncio.to_thread(self._latest, engine, wanted))

    def _latest(self, engine: Engine, wanted: list[FlowName]) -> list[JsonValue]:
        found: list[JsonValue] = []
        for name in wanted:
            for run in engine.store.executions.list(namespace=name.namespace, flow_id=name.id, limit=1):
                found.append(
                    {
                        "id": run.id,
                        "flowId": run.flow_id,
                        "namespace": run.namespace,
                        "startDate": instant(run.start),
                        "status": str(run.state),
                    }
                )
        return found


class ExecutableNamespaces(ApiHandler):
    """`GET /executions/namespaces`, and `/executions/namespaces/{namespace}/flows`: what can be executed."""

    @may(Right.VIEW)
    async def get(self, namespace: str | None = None) -> None:
        engine = await self.engine()
        if namespace is None:
            self.answer(await asyncio.to_thread(engine.store.flows.namespaces))
            return
        flows = [flow for flow in await engine.aflows(namespace) if not flow.disabled]
        self.answer([flow.to_dict() for flow in flows])
