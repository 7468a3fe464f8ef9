"""The numbers that task runs reported."""

from __future__ import annotations

import builtins

from sqlalchemy import select

from nbflow.model.execution import Metric
from nbflow.store import tables
from nbflow.store.database import Database
from nbflow.store.records import metric_from_row


class MetricStore:
    """Reads metrics."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, execution_id: str) -> builtins.list[Metric]:
        """All metrics of an execution, in the order they were reported."""
        metrics = tables.metrics
        query = select(metrics).where(metrics.c.execution_id == execution_id).order_by(metrics.c.id)
        return [metric_from_row(row) for row in self._database.all(query)]
