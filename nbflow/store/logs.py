"""The log lines of executions."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select

from nbflow.model.execution import LogEntry
from nbflow.model.task import LogLevel
from nbflow.store import tables
from nbflow.store.database import Database, contains, within_namespace
from nbflow.store.records import log_from_row, to_micros
from nbflow.store.writer import Writer

_logs, _executions = tables.logs, tables.executions


class LogStore:
    """Reads log lines: of one execution in their order, or across executions, newest first."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def delete(self, execution_id: str, seqs: builtins.list[int]) -> int:
        """Delete lines of an execution by their `seq`; returns how many there were."""

        def work(connection: Connection) -> int:
            gone = 0
            for start in range(0, len(seqs), 500):
                some = _logs.c.seq.in_(seqs[start : start + 500])
                gone += connection.execute(delete(_logs).where(_logs.c.execution_id == execution_id, some)).rowcount
            return gone

        return self._writer.call(work)

    def list(
        self,
        execution_id: str,
        min_level: LogLevel | None = None,
        task_id: str | None = None,
        task_run_id: str | None = None,
        attempt: int | None = None,
        after_seq: int = 0,
        limit: int | None = None,
        last: int | None = None,
    ) -> builtins.list[LogEntry]:
        """Lines of one execution, in order; at most the first `limit`, or the `last` so many."""
        query = select(_logs).where(_logs.c.execution_id == execution_id)
        if min_level is not None:
            query = query.where(_logs.c.level >= min_level.rank)
        if task_id is not None:
            query = query.where(_logs.c.task_id == task_id)
        if task_run_id is not None:
            query = query.where(_logs.c.task_run_id == task_run_id)
        if attempt is not None:
            query = query.where(_logs.c.attempt_number == attempt)
        if after_seq:
            query = query.where(_logs.c.seq > after_seq)
        if last is not None:
            rows = self._database.all(query.order_by(_logs.c.seq.desc()).limit(last))
            return [log_from_row(row) for row in reversed(rows)]
        query = query.order_by(_logs.c.seq)
        if limit is not None:
            query = query.limit(limit)
        return [log_from_row(row) for row in self._database.all(query)]

    def search(
        self,
        *,
        namespace: str | None = None,
        namespace_prefix: str | None = None,
        flow_id: str | None = None,
        execution_id: str | None = None,
        task_id: str | None = None,
        task_run_id: str | None = None,
        trigger_id: str | None = None,
        min_level: LogLevel | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        q: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> builtins.list[LogEntry]:
        """Lines across executions, newest first; `after` is included, `before` is not."""
        query = select(_logs)
        found = _narrowed(
            query, namespace, namespace_prefix, flow_id, execution_id, task_id, min_level, after, before, q
        )
        found = _of_run(found, task_run_id, trigger_id)
        newest_first = (_logs.c.at.desc(), _logs.c.execution_id.desc(), _logs.c.seq.desc())
        rows = self._database.all(found.order_by(*newest_first).limit(limit).offset(offset))
        return [log_from_row(row) for row in rows]

    def count(
        self,
        *,
        namespace: str | None = None,
        namespace_prefix: str | None = None,
        flow_id: str | None = None,
        execution_id: str | None = None,
        task_id: str | None = None,
        task_run_id: str | None = None,
        trigger_id: str | None = None,
        min_level: LogLevel | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
        q: str | None = None,
    ) -> int:
        """How many lines `search` would find in all."""
        query = select(func.count()).select_from(_logs)
        found = _narrowed(
            query, namespace, namespace_prefix, flow_id, execution_id, task_id, min_level, after, before, q
        )
        row = self._database.first(_of_run(found, task_run_id, trigger_id))
        return 0 if row is None else int(row[0])


def _of_run(query: Select[Any], task_run_id: str | None, trigger_id: str | None) -> Select[Any]:  # Any: as below
    if task_run_id is not None:
        query = query.where(_logs.c.task_run_id == task_run_id)
    if trigger_id is not None:
        started = select(_executions.c.id).where(_executions.c.trigger_id == trigger_id)
        query = query.where(_logs.c.execution_id.in_(started))
    return query


def _narrowed(
    query: Select[Any],  # Any: the columns of a Table have no static types
    namespace: str | None,
    namespace_prefix: str | None,
    flow_id: str | None,
    execution_id: str | None,
    task_id: str | None,
    min_level: LogLevel | None,
    after: datetime | None,
    before: datetime | None,
    q: str | None,
) -> Select[Any]:
    """The query with a condition for each thing that is asked for."""
    if namespace is not None or namespace_prefix is not None or flow_id is not None:
        query = query.join(_executions, _executions.c.id == _logs.c.execution_id)
    if namespace is not None:
        query = query.where(_executions.c.namespace == namespace)
    if namespace_prefix is not None:
        query = query.where(within_namespace(_executions.c.namespace, namespace_prefix, prefix=True))
    if flow_id is not None:
        query = query.where(_executions.c.flow_id == flow_id)
    if execution_id is not None:
        query = query.where(_logs.c.execution_id == execution_id)
    if task_id is not None:
        query = query.where(_logs.c.task_id == task_id)
    if min_level is not None:
        query = query.where(_logs.c.level >= min_level.rank)
    if after is not None:
        query = query.where(_logs.c.at >= to_micros(after))
    if before is not None:
        query = query.where(_logs.c.at < to_micros(before))
    return query.where(contains(_logs.c.message, q)) if q else query
