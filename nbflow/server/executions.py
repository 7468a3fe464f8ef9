"""Executions over REST: start, read, search, kill, and their files."""

from __future__ import annotations

import asyncio
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlencode

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from nbflow.engine import Engine, Execution
from nbflow.errors import ExecutionNotFoundError, StoredFileNotFoundError
from nbflow.model.state import State
from nbflow.server.errors import RequestError
from nbflow.server.filters import Condition, read_conditions, read_instant, read_page, read_range, unsupported
from nbflow.server.handler import ApiHandler
from nbflow.server.multipart import (
    check_labels,
    given_inputs,
    is_json,
    read_labels,
    read_start,
    refuse_local_paths,
)
from nbflow.types import JsonValue

FIELDS = {
    "q": "EQUALS",
    "namespace": "PREFIX",
    "flowId": "EQUALS",
    "state": "IN",
    "labels": "EQUALS",
    "startDate": "GREATER_THAN_OR_EQUAL_TO",
    "endDate": "LESS_THAN_OR_EQUAL_TO",
    "timeRange": "EQUALS",
    "triggerId": "EQUALS",
    "triggerExecutionId": "EQUALS",
    "parentId": "EQUALS",
    "scope": "IN",
}
_IN_EXECUTION = re.compile(r"/executions/([0-9A-Za-z]{16,})/")
_SORTS = {
    "id": "id",
    "state.startDate": "start",
    "startDate": "start",
    "state.endDate": "end",
    "endDate": "end",
    "state.current": "state",
    "state": "state",
    "namespace": "namespace",
    "flowId": "flow_id",
}


class Start(ApiHandler):
    """Start executions: `POST /executions/{namespace}/{flow}`, or `POST /executions` with a JSON body."""

    @authenticated
    @authorized
    async def post(self, namespace: str = "", flow_id: str = "") -> None:
        labels = read_labels(self.get_query_arguments("labels"))
        revision, wait = self.query_int("revision"), self.query_flag("wait")
        start = read_start(self.request) if is_json(self.request) else None
        if start is not None:
            namespace, flow_id = namespace or start.namespace, flow_id or start.flow_id
            labels = {**check_labels(start.labels), **labels}
            revision, wait = revision or start.revision, wait or start.wait
        if not namespace or not flow_id:
            raise RequestError("the body must name `namespace` and `flowId`", path="flowId")
        engine = await self.engine()
        flow = await engine.aflow(namespace, flow_id, revision)
        with tempfile.TemporaryDirectory(prefix="nbflow-upload-") as folder:
            inputs: dict[str, object] = {}
            if start is not None:
                inputs.update(start.inputs)
                refuse_local_paths(flow, inputs)
            else:
                texts = {name: _last(values) for name, values in self.request.body_arguments.items()}
                refuse_local_paths(flow, texts)
                inputs.update(await asyncio.to_thread(given_inputs, flow, self.request, Path(folder)))
            execution = await engine.arun(
                namespace, flow_id, inputs, labels=labels, revision=revision, kind=self.query("kind")
            )
        if wait:
            execution = await engine.await_(execution.id)
        self.answer(await asyncio.to_thread(self.created, execution))

    def created(self, execution: Execution) -> dict[str, JsonValue]:
        """The execution, with the address of its page."""
        page = url_path_join(self.base_url, "lab") + "?" + urlencode({"nbflow-execution": execution.id})
        return {**execution.to_dict(), "url": f"{self.request.protocol}://{self.request.host}{page}"}


class OneExecution(ApiHandler):
    """`GET /executions/{id}`, and the longer spelling `/executions/{namespace}/{flow}/{id}`."""

    @authenticated
    @authorized
    async def get(self, *address: str) -> None:
        engine = await self.engine()
        execution = await engine.aexecution(address[-1])
        if len(address) == 3 and address[:2] != (execution.namespace, execution.flow_id):
            raise ExecutionNotFoundError(f"the execution `{execution.id}` is not of {address[0]}.{address[1]}")
        self.answer(await asyncio.to_thread(execution.to_dict))

    @authenticated
    @authorized
    async def delete(self, *address: str) -> None:
        engine = await self.engine()
        await engine.adelete_execution(address[-1])
        self.answer_nothing()


class Kill(ApiHandler):
    """`DELETE /executions/{id}/actions/kill`, and the older `/executions/{id}/kill`."""

    @authenticated
    @authorized
    async def delete(self, execution_id: str) -> None:
        engine = await self.engine()
        execution = await engine.akill(execution_id)
        self.answer(await asyncio.to_thread(execution.to_dict))


class ExecutionSearch(ApiHandler):
    """`GET /executions/search`, and `GET /executions?namespace=&flowId=`: a page of executions."""

    @authenticated
    @authorized
    async def get(self) -> None:
        query = self.query_values()
        page = read_page(query)
        wanted = _Wanted(read_conditions(query, FIELDS))
        sort = "-id"
        for name, is_descending in page.sort[:1]:
            if name not in _SORTS:
                raise RequestError(
                    f"executions cannot be sorted by `{name}`", path="sort", hint=f"there are {', '.join(_SORTS)}"
                )
            sort = ("-" if is_descending else "") + _SORTS[name]
        engine = await self.engine()
        results, total = await asyncio.to_thread(wanted.find, engine, page.size, page.offset, sort)
        self.answer({"results": results, "total": total})


class Executions(ExecutionSearch, Start):
    """`/executions` without more: a search by GET, a start by POST."""


class ExecutionFile(ApiHandler):
    """`GET /executions/{id}/file?path=kestra://…`: a file that the execution was given or has produced."""

    @authenticated
    @authorized
    async def get(self, execution_id: str, metas: str | None = None) -> None:
        uri = self.get_query_argument("path")
        engine = await self.engine()
        execution = await engine.aexecution(execution_id)
        if not await asyncio.to_thread(_owns, execution, uri):
            await self._send_to_owner(engine, execution_id, uri, metas)
            return
        content = await engine.aread_file(uri)
        if metas:
            self.answer({"size": len(content)})
        else:
            self.answer_file(content, PurePosixPath(unquote(uri)).name)

    async def _send_to_owner(self, engine: Engine, execution_id: str, uri: str, metas: str | None) -> None:
        """Redirect to the execution that a file lies below. Raises: StoredFileNotFoundError when there is none."""
        named = _IN_EXECUTION.search(uri)
        if named is not None and named[1] != execution_id:
            owner = await engine.aexecution(named[1])
            if await asyncio.to_thread(_owns, owner, uri):
                path = url_path_join(self.base_url, "api/v1/executions", owner.id, "file", metas or "")
                self.redirect(f"{path.rstrip('/')}?{urlencode({'path': uri})}")
                return
        raise StoredFileNotFoundError(f"the execution `{execution_id}` has no file {uri}")


def _owns(execution: Execution, uri: str) -> bool:
    """Whether a URI lies in the execution's own folder, or is named by its inputs or by an output of it."""
    if ".." in unquote(uri):
        return False
    folder = f"{execution.namespace.replace('.', '/')}/{execution.flow_id}/executions/{execution.id}/"
    if unquote(uri).removeprefix("kestra:///").removeprefix("nbflow:///").startswith(folder):
        return True
    return (
        _names(execution.inputs, uri)
        or _names(execution.outputs, uri)
        or any(_names(run.outputs, uri) for run in execution.task_runs)
    )


def _names(value: object, uri: str) -> bool:
    if isinstance(value, dict):
        return any(_names(item, uri) for item in value.values())
    return any(_names(item, uri) for item in value) if isinstance(value, list) else value == uri


def _last(values: list[bytes]) -> str:
    return values[-1].decode("utf-8", "replace")


class _Wanted:
    """The conditions of a search, as the history can be asked for them."""

    def __init__(self, conditions: list[Condition]) -> None:
        self.namespace: str | None = None
        self.prefix: str | None = None
        self.flow_id: str | None = None
        self.parent_id: str | None = None
        self.trigger_id: str | None = None
        self.q: str | None = None
        self.labels: dict[str, str] = {}
        self.states: set[State] = set(State)
        self.after: datetime | None = None
        self.before: datetime | None = None
        for condition in conditions:
            self._take(condition)

    def find(self, engine: Engine, limit: int, offset: int, sort: str) -> tuple[list[JsonValue], int]:
        """The executions of a page, without their task runs, and how many there are in all."""
        now = datetime.now(UTC)
        states = tuple(self.states) if len(self.states) < len(State) else ()
        if not self.states:
            return [], 0
        found = engine.store.executions.list(
            namespace=self.namespace,
            namespace_prefix=self.prefix,
            flow_id=self.flow_id,
            states=states,
            labels=self.labels,
            start_after=self.after,
            start_before=self.before,
            parent_id=self.parent_id,
            trigger_id=self.trigger_id,
            q=self.q,
            limit=limit,
            offset=offset,
            sort=sort,
        )
        total = engine.store.executions.count(
            namespace=self.namespace,
            namespace_prefix=self.prefix,
            flow_id=self.flow_id,
            states=states,
            labels=self.labels,
            start_after=self.after,
            start_before=self.before,
            parent_id=self.parent_id,
            trigger_id=self.trigger_id,
            q=self.q,
        )
        return [execution.to_dict(now) for execution in found], total

    def _take(self, condition: Condition) -> None:
        match condition.field, condition.operation:
            case "namespace", "EQUALS":
                self.namespace = condition.value
            case "namespace", "PREFIX":
                self.prefix = condition.value
            case "flowId", "EQUALS":
                self.flow_id = condition.value
            case "state", "EQUALS" | "IN":
                self.states &= _states(condition)
            case "state", "NOT_EQUALS" | "NOT_IN":
                self.states -= _states(condition)
            case "labels", "EQUALS" if condition.key:
                self.labels[condition.key] = condition.value
            case "startDate", "GREATER_THAN_OR_EQUAL_TO" | "GREATER_THAN":
                self._not_before(read_instant(condition))
            case "startDate" | "endDate", "LESS_THAN_OR_EQUAL_TO" | "LESS_THAN":
                self.before = read_instant(condition) + timedelta(microseconds=1)
            case "timeRange", "EQUALS":
                self._not_before(datetime.now(UTC) - read_range(condition))
            case "triggerId", "EQUALS":
                self.trigger_id = condition.value
            case "triggerExecutionId" | "parentId", "EQUALS":
                self.parent_id = condition.value
            case "q", "EQUALS" | "CONTAINS":
                self.q = condition.value
            case "scope", "EQUALS" | "IN":
                pass  # there are no system flows to tell apart
            case _:
                raise unsupported(condition)

    def _not_before(self, moment: datetime) -> None:
        self.after = moment if self.after is None else max(self.after, moment)


def _states(condition: Condition) -> set[State]:
    try:
        return {State(name.strip().upper()) for name in condition.values}
    except ValueError:
        raise RequestError(
            f"there is no state `{condition.value}`", path="state", hint=f"there are {', '.join(State)}"
        ) from None
