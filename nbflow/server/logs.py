"""Log lines and metrics over REST."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from nbflow.engine import Engine
from nbflow.model.execution import Execution, LogEntry, instant
from nbflow.model.task import LogLevel
from nbflow.server.filters import Condition, Page, read_conditions, read_instant, read_page, read_range, unsupported
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may
from nbflow.server.sse import read_level
from nbflow.types import JsonValue

_FIELDS = {
    "q": "EQUALS",
    "namespace": "PREFIX",
    "flowId": "EQUALS",
    "executionId": "EQUALS",
    "taskId": "EQUALS",
    "taskRunId": "EQUALS",
    "triggerId": "EQUALS",
    "level": "EQUALS",
    "minLevel": "EQUALS",
    "startDate": "GREATER_THAN_OR_EQUAL_TO",
    "endDate": "LESS_THAN_OR_EQUAL_TO",
    "timeRange": "EQUALS",
    "scope": "IN",
}

_OF_EXECUTION = {name: "EQUALS" for name in ("minLevel", "level", "taskId", "taskRunId")}


class Logs(ApiHandler):
    """`GET /logs/{id}`: the log of an execution, by time."""

    @may(Right.VIEW)
    async def get(self, execution_id: str) -> None:
        engine = await self.engine()
        execution = await engine.aexecution(execution_id)
        self.answer([entry.to_dict(execution.record) for entry in await self.entries(engine, execution_id)])

    async def entries(self, engine: Engine, execution_id: str) -> list[LogEntry]:
        """The lines that the query asks for, flat or by filters."""
        wanted = {each.field: each.value for each in read_conditions(self.query_values(), _OF_EXECUTION)}
        return await asyncio.to_thread(
            engine.store.logs.list,
            execution_id,
            min_level=read_level(wanted.get("minLevel") or wanted.get("level")),
            task_id=wanted.get("taskId"),
            task_run_id=wanted.get("taskRunId"),
            attempt=self.query_int("attempt"),
        )

    @may(Right.ADMINISTER)
    async def delete(self, execution_id: str) -> None:
        engine = await self.engine()
        await engine.aexecution(execution_id)
        found = await self.entries(engine, execution_id)
        await asyncio.to_thread(engine.store.logs.delete, execution_id, [entry.seq for entry in found])
        self.answer_nothing(200)


class LogDownload(Logs):
    """`GET /logs/{id}/download`: the log as text; empty when there is none."""

    @may(Right.VIEW)
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

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, conditions = read_page(query), read_conditions(query, _FIELDS)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_search, engine, page, conditions)
        self.answer({"results": results, "total": total, "type": "OFFSET"})


class _Asked(TypedDict, total=False):
    """What the history can be asked for."""

    namespace: str
    namespace_prefix: str
    flow_id: str
    execution_id: str
    task_id: str
    task_run_id: str
    trigger_id: str
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
            case "taskRunId", "EQUALS":
                asked["task_run_id"] = each.value
            case "triggerId", "EQUALS":
                asked["trigger_id"] = each.value
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
