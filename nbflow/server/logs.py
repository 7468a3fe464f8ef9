"""Log lines and metrics over REST."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from nbflow.engine import Engine
from nbflow.model.execution import Execution, LogEntry, Metric, instant
from nbflow.model.task import LogLevel
from nbflow.server.filters import Condition, Page, read_conditions, read_instant, read_page, read_range, unsupported
from nbflow.server.handler import ApiHandler
from nbflow.server.sse import read_level
from nbflow.types import JsonValue

_FIELDS = {
    "q": "EQUALS",
    "namespace": "PREFIX",
    "flowId": "EQUALS",
    "executionId": "EQUALS",
    "taskId": "EQUALS",
    "level": "EQUALS",
    "minLevel": "EQUALS",
    "startDate": "GREATER_THAN_OR_EQUAL_TO",
    "endDate": "LESS_THAN_OR_EQUAL_TO",
    "timeRange": "EQUALS",
    "scope": "IN",
}


class Logs(ApiHandler):
    """`GET /logs/{id}`: the log of an execution, by time."""

    @authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        engine = await self.engine()
        execution = await engine.aexecution(execution_id)
        self.answer([entry.to_dict(execution.record) for entry in await self.entries(engine, execution_id)])

    async def entries(self, engine: Engine, execution_id: str) -> list[LogEntry]:
        """The lines that the query asks for."""
        return await asyncio.to_thread(
            engine.store.logs.list,
            execution_id,
            min_level=read_level(self.query("minLevel")),
            task_id=self.query("taskId"),
            task_run_id=self.query("taskRunId"),
            attempt=self.query_int("attempt"),
        )


class LogDownload(Logs):
    """`GET /logs/{id}/download`: the log as text; empty when there is none."""

    @authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        engine = await self.engine()
        await engine.aexecution(execution_id)
        lines = [
            f"{instant(entry.timestamp)} {entry.level} {entry.message}\n"
            for entry in await self.entries(engine, execution_id)
        ]
        self.answer_text("".join(lines))


class LogSearch(ApiHandler):
    """`GET /logs/search`: a page of log lines of all executions, newest first."""

    @authenticated
    @authorized
    async def get(self) -> None:
        query = self.query_values()
        page, conditions = read_page(query), read_conditions(query, _FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, conditions)
        self.answer({"results": results, "total": total, "type": "OFFSET"})


class Metrics(ApiHandler):
    """`GET /metrics/{id}`: a page of the numbers that the tasks of an execution reported."""

    @authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        page = read_page(self.query_values())
        engine = await self.engine()
        execution = await engine.aexecution(execution_id)
        task_id, task_run_id = self.query("taskId"), self.query("taskRunId")
        found = [
            metric
            for metric in await asyncio.to_thread(engine.store.metrics.list, execution_id)
            if task_id in (None, metric.task_id) and task_run_id in (None, metric.task_run_id)
        ]
        chosen = found[page.offset : page.offset + page.size]
        self.answer({"results": [_metric(metric, execution.record) for metric in chosen], "total": len(found)})


def _metric(metric: Metric, execution: Execution) -> dict[str, JsonValue]:
    return {
        "tenantId": "main",
        "namespace": execution.namespace,
        "flowId": execution.flow_id,
        "executionId": metric.execution_id,
        "taskId": metric.task_id,
        "taskRunId": metric.task_run_id,
        "type": metric.type,
        "name": metric.name,
        "value": metric.value,
        "timestamp": instant(metric.timestamp),
        "tags": dict(metric.tags),
    }


class _Asked(TypedDict, total=False):
    """What the history can be asked for."""

    namespace: str
    namespace_prefix: str
    flow_id: str
    execution_id: str
    task_id: str
    min_level: LogLevel
    after: datetime
    before: datetime
    q: str


def _search(engine: Engine, page: Page, conditions: list[Condition]) -> tuple[list[JsonValue], int]:
    """The lines of a page, newest first, and how many there are in all."""
    asked = _asked(conditions)
    executions: dict[str, Execution] = {}
    results: list[JsonValue] = []
    for entry in engine.store.logs.search(**asked, limit=page.size, offset=page.offset):
        if entry.execution_id not in executions:
            executions[entry.execution_id] = engine.record(entry.execution_id)
        results.append(entry.to_dict(executions[entry.execution_id]))
    return results, engine.store.logs.count(**asked)


def _asked(conditions: list[Condition]) -> _Asked:
    asked: _Asked = {}
    for each in conditions:
        match each.field, each.operation:
            case "namespace", "EQUALS":
                asked["namespace"] = each.value
            case "namespace", "PREFIX":
                asked["namespace_prefix"] = each.value
            case "flowId", "EQUALS":
                asked["flow_id"] = each.value
            case "executionId", "EQUALS":
                asked["execution_id"] = each.value
            case "taskId", "EQUALS":
                asked["task_id"] = each.value
            case "level" | "minLevel", "EQUALS" | "GREATER_THAN_OR_EQUAL_TO":
                asked["min_level"] = read_level(each.value)
            case "startDate", "GREATER_THAN_OR_EQUAL_TO" | "GREATER_THAN":
                asked["after"] = read_instant(each)
            case "endDate", "LESS_THAN_OR_EQUAL_TO" | "LESS_THAN":
                asked["before"] = read_instant(each) + timedelta(microseconds=1)
            case "timeRange", "EQUALS":
                asked["after"] = datetime.now(UTC) - read_range(each)
            case "q", "EQUALS" | "CONTAINS":
                asked["q"] = each.value
            case "scope", "EQUALS" | "IN":
                pass  # there are no system flows to tell apart
            case _:
                raise unsupported(each)
    return asked
