"""The numbers that task runs reported."""

from __future__ import annotations

import builtins
from datetime import datetime

from sqlalchemy import select

from nbflow.model.execution import Metric
from nbflow.store import tables
from nbflow.store.database import Database
from nbflow.store.records import metric_from_row, to_micros


class MetricStore:
    """Reads metrics."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, execution_id: str) -> builtins.list[Metric]:
        """All metrics of an execution, in the order they were reported."""
        metrics = tables.metrics
        query = select(metrics).where(metrics.c.execution_id == execution_id).order_by(metrics.c.id)
        return [metric_from_row(row) for row in self._database.all(query)]

    def of_flow(
        self,
        namespace: str,
        flow_id: str,
        *,
        task_id: str | None = None,
        name: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> builtins.list[Metric]:
        """The metrics of all executions of a flow, oldest first; `after` is included, `before` is not."""
        metrics, executions = tables.metrics, tables.executions
        query = select(metrics).join(executions, executions.c.id == metrics.c.execution_id)
        query = query.where(executions.c.namespace == namespace, executions.c.flow_id == flow_id)
        if task_id is not None:
            query = query.where(metrics.c.task_id == task_id)
        if name is not None:
            query = query.where(metrics.c.name == name)
        if after is not None:
            query = query.where(metrics.c.at >= to_micros(after))
        if before is not None:
            query = query.where(metrics.c.at < to_micros(before))
        return [metric_from_row(row) for row in self._database.all(query.order_by(metrics.c.at, metrics.c.id))]
