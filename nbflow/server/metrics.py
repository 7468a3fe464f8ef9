"""Numbers that tasks reported, over REST: of an execution, and summed up over the executions of a flow."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from nbflow.engine import Engine
from nbflow.model.execution import Execution, Metric, instant
from nbflow.server.errors import RequestError
from nbflow.server.filters import read_page
from nbflow.server.handler import ApiHandler
from nbflow.server.multipart import read_date
from nbflow.server.rights import Right, may
from nbflow.types import JsonValue

_AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
}
_GROUPS = (("HOUR", timedelta(hours=1), timedelta(days=1)), ("DAY", timedelta(days=1), timedelta(days=366)))
_DAYS = 30


class Metrics(ApiHandler):
    """`GET /metrics/{id}`: a page of the numbers that the tasks of an execution reported."""

    @may(Right.VIEW)
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
        for name, is_descending in reversed(page.sort):
            if name not in ("name", "timestamp", "value", "taskId"):
                raise RequestError(f"metrics cannot be sorted by `{name}`", path="sort")
            found.sort(key=attrgetter("task_id" if name == "taskId" else name), reverse=is_descending)
        chosen = found[page.offset : page.offset + page.size]
        self.answer_page([_metric(metric, execution.record) for metric in chosen], len(found))


class MetricNames(ApiHandler):
    """`GET /metrics/names/{namespace}/{flow}`, of a task as well: what the executions of a flow reported."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str, task_id: str | None = None) -> None:
        engine = await self.engine()
        found = await asyncio.to_thread(engine.store.metrics.of_flow, namespace, flow_id, task_id=task_id)
        self.answer(sorted({metric.name for metric in found}))


class MetricTasks(ApiHandler):
    """`GET /metrics/tasks/{namespace}/{flow}`: the tasks that reported something."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str) -> None:
        engine = await self.engine()
        found = await asyncio.to_thread(engine.store.metrics.of_flow, namespace, flow_id)
        self.answer(sorted({metric.task_id for metric in found}))


class MetricAggregates(ApiHandler):
    """`GET /metrics/aggregates/{namespace}/{flow}/{metric}`, or of a task: one number an hour, day or week."""

    @may(Right.VIEW)
    async def get(self, namespace: str, flow_id: str, *rest: str) -> None:
        task_id, name = rest if len(rest) == 2 else (None, rest[0])
        end = read_date(self.query("endDate"), "endDate") or datetime.now(UTC)
        start = read_date(self.query("startDate"), "startDate") or end - timedelta(days=_DAYS)
        aggregation = (self.query("aggregation") or "sum").lower()
        if aggregation not in _AGGREGATIONS:
            raise RequestError(
                f"there is no aggregation `{aggregation}`",
                path="aggregation",
                hint=f"there are {', '.join(_AGGREGATIONS)}",
            )
        engine = await self.engine()
        found = await asyncio.to_thread(_found, engine, namespace, flow_id, task_id, name, start, end)
        group, step = next(
            ((name, step) for name, step, most in _GROUPS if end - start <= most), ("WEEK", timedelta(7))
        )
        buckets: dict[datetime, list[float]] = defaultdict(list)
        for metric in found:
            buckets[_floor(metric.timestamp, step)].append(metric.value)
        aggregations: list[JsonValue] = []
        for date in sorted(buckets):
            value = _AGGREGATIONS[aggregation](buckets[date])
            aggregations.append({"name": name, "value": value, "date": instant(date)})
        self.answer({"groupBy": group.lower(), "aggregations": aggregations})


def _found(
    engine: Engine, namespace: str, flow_id: str, task_id: str | None, name: str, start: datetime, end: datetime
) -> list[Metric]:
    return engine.store.metrics.of_flow(namespace, flow_id, task_id=task_id, name=name, after=start, before=end)


def _floor(moment: datetime, step: timedelta) -> datetime:
    if step >= timedelta(days=7):  # weeks begin on Monday
        moment -= timedelta(days=moment.weekday())
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if step >= timedelta(days=1) else moment.replace(minute=0, second=0, microsecond=0)


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
