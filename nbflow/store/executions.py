"""The executions of a history and their task runs: finding, counting, following, taking over."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, union_all, update

from nbflow.model.execution import Execution, LogEntry, TaskRun
from nbflow.model.state import TERMINAL, State
from nbflow.store import tables
from nbflow.store.batch import Entry, Rows, Statements, cursor_of
from nbflow.store.changes import Change, SaveExecution, SaveTaskRun
from nbflow.store.criteria import AllOf
from nbflow.store.database import Database, hold_flow
from nbflow.store.listing import Filter, count_query, page
from nbflow.store.prepared import Prepared
from nbflow.store.records import execution_from_row, log_from_row, task_run_from_row, to_micros
from nbflow.store.writer import Writer

_executions, _task_runs, _logs = tables.executions, tables.task_runs, tables.logs

UNFINISHED = tuple(sorted(str(state) for state in State if state not in TERMINAL))
HOLDS_SLOT = tuple(state for state in UNFINISHED if state not in ("CREATED", "QUEUED"))
"""States in which an execution counts against its flow's concurrency limit; a paused one does."""


DETACHED = "detached"
"""The owner of an execution that waits for an engine that serves: those of notebooks leave it alone."""


class ExecutionStore:
    """Reads executions, on connections of its own: it never waits for the writer."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._statements = Statements(database.writing)
        self._by_id = Prepared(database, select(_executions).where(_executions.c.id == bindparam("id")))

    def get(self, id: str) -> Execution | None:
        row = self._by_id.first(id=id)
        return None if row is None else execution_from_row(row)

    def task_runs(self, execution_id: str, after_seq: int = 0) -> list[TaskRun]:
        """The task runs of an execution in the order of their creation; only those changed after `after_seq`."""
        query = select(_task_runs).where(_task_runs.c.execution_id == execution_id)
        if after_seq:
            query = query.where(_task_runs.c.seq > after_seq)
        return [task_run_from_row(row) for row in self._database.all(query.order_by(_task_runs.c.id))]

    def changes(self, execution_id: str, after_seq: int) -> list[tuple[int, Execution | TaskRun | LogEntry]]:
        """What changed after `after_seq`, each record once as it now is, sorted by the `seq` of its last change."""
        found: list[tuple[int, Execution | TaskRun | LogEntry]] = []
        with self._database.read() as connection:
            of_execution = select(_executions).where(_executions.c.id == execution_id, _executions.c.seq > after_seq)
            found += [(row.seq, execution_from_row(row)) for row in connection.execute(of_execution)]
            of_runs = select(_task_runs).where(_task_runs.c.execution_id == execution_id, _task_runs.c.seq > after_seq)
            found += [(row.seq, task_run_from_row(row)) for row in connection.execute(of_runs)]
            of_logs = select(_logs).where(_logs.c.execution_id == execution_id, _logs.c.seq > after_seq)
            found += [(row.seq, log_from_row(row)) for row in connection.execute(of_logs)]
        found.sort(key=lambda change: change[0])
        return found

    def last_seq(self, execution_id: str) -> int:
        """The highest `seq` of an execution, its task runs and its log lines; 0 when there is none."""
        newest = union_all(
            select(_executions.c.seq).where(_executions.c.id == execution_id),
            select(func.max(_task_runs.c.seq)).where(_task_runs.c.execution_id == execution_id),
            select(func.max(_logs.c.seq)).where(_logs.c.execution_id == execution_id),
        )
        return max((row[0] or 0 for row in self._database.all(newest)), default=0)

    def list(
        self,
        *,
        namespace: str | None = None,
        namespace_prefix: str | None = None,
        flow_id: str | None = None,
        states: Sequence[State | str] = (),
        labels: dict[str, str] | None = None,
        start_after: datetime | None = None,
        start_before: datetime | None = None,
        parent_id: str | None = None,
        trigger_id: str | None = None,
        q: str | None = None,
        more: AllOf | None = None,
        limit: int = 100,
        before_id: str | None = None,
        offset: int = 0,
        sort: str = "-id",
    ) -> builtins.list[Execution]:
        """Executions, newest first: by the instant they were created, then by id.

        `namespace_prefix` takes a namespace and all below it; `start_after` is included, `start_before` is not;
        `before_id` goes on after the last one of a page; `more` are conditions of any kind. `sort` is `id`, `start`,
        `end`, `state`, `namespace` or `flow_id`, with `-` for descending; `before_id` goes with `-id` alone.
        """
        wanted = Filter(
            namespace=namespace,
            namespace_prefix=namespace_prefix,
            flow_id=flow_id,
            states=tuple(map(str, states)),
            labels=labels or {},
            start_after=start_after,
            start_before=start_before,
            parent_id=parent_id,
            trigger_id=trigger_id,
            q=q,
            more=more,
        )
        with self._database.read() as connection:
            rows = page(connection, wanted, limit=limit, before_id=before_id, offset=offset, sort=sort)
        return [execution_from_row(row) for row in rows]

    def count(
        self,
        *,
        namespace: str | None = None,
        namespace_prefix: str | None = None,
        flow_id: str | None = None,
        states: Sequence[State | str] = (),
        labels: dict[str, str] | None = None,
        start_after: datetime | None = None,
        start_before: datetime | None = None,
        parent_id: str | None = None,
        trigger_id: str | None = None,
        q: str | None = None,
        more: AllOf | None = None,
    ) -> int:
        """How many executions `list` would find in all."""
        wanted = Filter(
            namespace=namespace,
            namespace_prefix=namespace_prefix,
            flow_id=flow_id,
            states=tuple(map(str, states)),
            labels=labels or {},
            start_after=start_after,
            start_before=start_before,
            parent_id=parent_id,
            trigger_id=trigger_id,
            q=q,
            more=more,
        )
        row = self._database.first(count_query(wanted))
        return 0 if row is None else int(row[0])

    def owner(self, execution_id: str) -> str | None:
        """The engine that moves an execution; None when nobody does."""
        row = self._database.first(select(_executions.c.owner).where(_executions.c.id == execution_id))
        return None if row is None else row.owner

    def running(self, namespace: str, flow_id: str) -> int:
        """How many executions of a flow hold a slot of its concurrency limit: begun and not ended."""
        return self.count(namespace=namespace, flow_id=flow_id, states=HOLDS_SLOT)

    async def take_slot(self, namespace: str, flow_id: str, execution_id: str, limit: int) -> bool:
        """Let an execution run if fewer than `limit` of its flow hold a slot and none queued before it; atomically."""
        of_flow = (_executions.c.namespace == namespace, _executions.c.flow_id == flow_id)

        def work(connection: Connection) -> bool:
            hold_flow(connection, namespace, flow_id)
            holders = select(func.count()).where(
                *of_flow, _executions.c.state.in_(HOLDS_SLOT), _executions.c.id != execution_id
            )
            earlier = select(func.count()).where(
                *of_flow, _executions.c.state == str(State.QUEUED), _executions.c.id < execution_id
            )
            taken = connection.execute(holders).scalar_one()
            if taken + connection.execute(earlier).scalar_one() >= limit:
                return False
            running = update(_executions).where(_executions.c.id == execution_id).values(state=str(State.RUNNING))
            connection.execute(running)
            return True

        return await self._writer.acall(work)

    def has_detached(self) -> bool:
        """Whether an execution waits for an engine that serves."""
        waits = select(_executions.c.id).where(_executions.c.state.in_(UNFINISHED), _executions.c.owner == DETACHED)
        return self._database.first(waits.limit(1)) is not None

    def claim_orphans(
        self,
        engine_id: str,
        now: datetime,
        exclude: Collection[str] = (),
        only: str | None = None,
        *,
        serves: bool = True,
    ) -> builtins.list[str]:
        """Make the unfinished executions that no living engine owns ours; returns their ids, oldest first.

        `only` names the one that is wanted. An engine that does not serve leaves those alone that wait for a server.
        """
        alive = select(tables.engines.c.id).where(tables.engines.c.expires > to_micros(now))
        owner = _executions.c.owner
        orphaned = select(_executions.c.id).where(
            _executions.c.state.in_(UNFINISHED), owner.is_(None) | owner.not_in(alive)
        )
        if not serves and only is None:
            orphaned = orphaned.where(owner.is_(None) | (owner != DETACHED))
        if only is not None:
            orphaned = orphaned.where(_executions.c.id == only)
        if exclude:
            orphaned = orphaned.where(_executions.c.id.not_in(list(exclude)))
        if self._database.first(orphaned.limit(1)) is None:  # the usual case costs no commit
            return []

        def work(connection: Connection) -> builtins.list[str]:
            ids = [row.id for row in connection.execute(orphaned.with_for_update(skip_locked=True))]
            for some in _portions(ids):
                connection.execute(update(_executions).where(_executions.c.id.in_(some)).values(owner=engine_id))
            return sorted(ids)

        return self._writer.call(work)

    async def reopen(
        self,
        execution: Execution,
        seq: int,
        owner: str,
        task_runs: Sequence[TaskRun],
        dropped: Collection[str],
        beside: Sequence[Change] = (),
    ) -> bool:
        """Let an engine go on with an execution that had ended, unless somebody else did so just now; atomically.

        `task_runs` are those that change with it, numbered from `seq` on; those of `dropped` are deleted.
        What is `beside` is written with it.
        """

        def work(connection: Connection) -> bool:
            ended = _executions.c.state.in_([str(state) for state in TERMINAL])
            ours = update(_executions).where(_executions.c.id == execution.id, ended).values(owner=owner)
            if not connection.execute(ours).rowcount:
                return False
            rows = Rows()
            rows.add(Entry(SaveExecution(execution, seq, owner)))
            for number, run in enumerate(task_runs, seq + 1):
                rows.add(Entry(SaveTaskRun(run, number)))
            for change in beside:
                rows.add(Entry(change))
            self._statements.write(cursor_of(connection), rows)
            for some in _portions(list(dropped)):
                of_them = (_task_runs.c.execution_id == execution.id, _task_runs.c.id.in_(some))
                connection.execute(delete(_task_runs).where(*of_them))
            return True

        return await self._writer.acall(work)

    async def drop_task_runs(self, execution_id: str, ids: Collection[str]) -> None:
        """Delete some task runs of an execution."""
        if not ids:
            return

        def work(connection: Connection) -> None:
            for some in _portions(list(ids)):
                of_them = (_task_runs.c.execution_id == execution_id, _task_runs.c.id.in_(some))
                connection.execute(delete(_task_runs).where(*of_them))

        await self._writer.acall(work)

    async def create(self, execution: Execution, owner: str, task_runs: Sequence[TaskRun] = ()) -> None:
        """Record a new execution with the task runs it starts from; it is durable when this returns."""
        self._writer.defer(SaveExecution(execution, 1, owner))
        for number, run in enumerate(task_runs, 2):
            self._writer.defer(SaveTaskRun(run, number))
        await self._writer.committed()

    def delete(self, ids: Collection[str]) -> int:
        """Delete executions with their task runs, log lines, metrics and labels; returns how many there were."""

        def work(connection: Connection) -> int:
            deleted = 0
            for some in _portions(list(ids)):
                for table in (_task_runs, _logs, tables.metrics, tables.execution_labels, tables.commands):
                    connection.execute(delete(table).where(table.c.execution_id.in_(some)))
                deleted += connection.execute(delete(_executions).where(_executions.c.id.in_(some))).rowcount
            return deleted

        return self._writer.call(work)


def _portions(ids: list[str], size: int = 500) -> list[list[str]]:
    """The ids in portions that fit the parameters of one statement."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]
