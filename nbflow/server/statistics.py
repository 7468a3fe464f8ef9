"""Numbers about what has run, over REST: executions by state and day, how long a flow takes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from nbflow.engine import Engine
from nbflow.model.durations import format_duration
from nbflow.model.execution import instant
from nbflow.model.state import State
from nbflow.server.execution_search import Asked, read_asked
from nbflow.server.filters import read_page
from nbflow.server.handler import ApiHandler
from nbflow.server.rights import Right, may
from nbflow.types import JsonValue

_RECENT = 100
_MOST = 20_000
_DAYS = 30


class StatesOfExecutions(ApiHandler):
    """`GET /stats/executions`: how many executions are in each state; filters as in a search."""

    @may(Right.VIEW)
    async def get(self) -> None:
        asked = read_asked(self.query_values())
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_by_state, engine, asked))


class DailyExecutions(ApiHandler):
    """`GET /stats/executions/daily`: for each day, how many executions began, by the state they are in."""

    @may(Right.VIEW)
    async def get(self) -> None:
        asked = read_asked(self.query_values())
        asked.setdefault("start_after", datetime.now(UTC) - timedelta(days=_DAYS))
        engine = await self.engine()
        self.answer(await asyncio.to_thread(_by_day, engine, asked))


class AverageDuration(ApiHandler):
    """`GET /executions/namespaces/{namespace}/flows/{flow}/average-duration`: of the latest that ended well."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        await engine.aflow(namespace, flow_id)
        self.answer(await asyncio.to_thread(_average, engine, namespace, flow_id))


class TaskRunSearch(ApiHandler):
    """`GET /taskruns/search`: a page of the task runs of the executions that are found, newest executions first."""

    @may(Right.VIEW)
    async def get(self) -> None:
        query = self.query_values()
        page, asked = read_page(query), read_asked(query)
        engine = await self.engine()
        results, total = await asyncio.to_thread(_task_runs, engine, asked, page.offset, page.size)
        self.answer_page(results, total)


def _by_state(engine: Engine, asked: Asked) -> JsonValue:
    states = asked.get("states") or tuple(State)
    counts: dict[str, JsonValue] = {}
    for state in states:
        asked["states"] = (state,)
        found = engine.store.executions.count(**asked)
        if found:
            counts[str(state)] = found
    return {"counts": counts, "total": sum(number for number in counts.values() if isinstance(number, int))}


def _by_day(engine: Engine, asked: Asked) -> JsonValue:
    days: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    found = engine.store.executions.list(**asked, limit=_MOST)
    for one in found:
        day = one.start.replace(hour=0, minute=0, second=0, microsecond=0)
        days[day][str(one.state)] += 1
    shapes: list[JsonValue] = [
        {"startDate": instant(day), "groupBy": "day", "executionCounts": dict(days[day])} for day in sorted(days)
    ]
    return {"days": shapes, "truncated": len(found) == _MOST}


def _average(engine: Engine, namespace: str, flow_id: str) -> JsonValue:
    now = datetime.now(UTC)
    found = engine.store.executions.list(
        namespace=namespace, flow_id=flow_id, states=(State.SUCCESS, State.WARNING), limit=_RECENT
    )
    took = [one.history.duration(now) for one in found]
    if not took:
        return {"count": 0}
    return {"count": len(took), "averageDuration": format_duration(sum(took, timedelta()) / len(took))}


def _task_runs(engine: Engine, asked: Asked, offset: int, size: int) -> tuple[list[JsonValue], int]:
    now = datetime.now(UTC)
    results: list[JsonValue] = []
    seen = 0
    for execution in engine.store.executions.list(**asked, limit=1000):
        for run in engine.store.executions.task_runs(execution.id):
            if offset <= seen < offset + size:
                results.append(run.to_dict(execution, now))
            seen += 1
    return results, seen
