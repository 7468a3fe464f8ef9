"""Deletes what a history need not keep: ended executions and what belongs to them, log lines, values under keys.

    find ids ─► portion ─► BEGIN · still ended? · delete · COMMIT ─► its files
                   ▲                                                     │
                   └─────────────────────────────────────────────────────┘

Ids are looked for without the writer, and a transaction takes a portion of them: whoever writes meanwhile waits for one
portion at most. Files go after the rows: a process that dies between leaves files that `collect_garbage` finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Delete, Table, delete, exists, func, or_, select

from nbflow.model.state import TERMINAL, State
from nbflow.model.task import LogLevel
from nbflow.plugins.home import Purged
from nbflow.plugins.storages import FileStorage
from nbflow.settings import Settings
from nbflow.store import tables
from nbflow.store.database import Database, hold_flow, within_namespace
from nbflow.store.executions import UNFINISHED
from nbflow.store.garbage import IN_USE, Garbage, GarbageCollector
from nbflow.store.records import to_micros
from nbflow.store.writer import Writer

_executions, _task_runs, _logs, _metrics = tables.executions, tables.task_runs, tables.logs, tables.metrics
_kv = tables.kv

_ENDED = frozenset(map(str, TERMINAL))
_AT_ONCE = 20_000  # ids that are looked up together: a query may have to go through the whole history
_KEYS = 500  # what fits the parameters of one statement


@dataclass(frozen=True, slots=True)
class _Ended:
    """An execution that may go."""

    id: str
    namespace: str
    flow_id: str

    @property
    def folder(self) -> str:
        return f"{self.namespace.replace('.', '/')}/{self.flow_id}/executions/{self.id}"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What goes of an execution."""

    execution: bool
    log: bool
    metric: bool
    storage: bool

    @property
    def counted(self) -> list[Table]:
        """The tables whose rows are counted, and go; with an execution, more go that nobody counts."""
        wanted = ((self.log, _logs), (self.metric, _metrics))
        return [table for is_wanted, table in wanted if is_wanted]


class Purger:
    """Deletes in portions, from any thread; satisfies `nbflow.plugins.context.Upkeep`.

    An execution goes when it has ended and nobody needs it any more: neither do tasks of its own run that come after
    the end, nor the execution that called it, which would run it again if it were taken over and found nothing.
    """

    def __init__(self, database: Database, writer: Writer, files: FileStorage, settings: Settings) -> None:
        self._database = database
        self._writer = writer
        self._files = files
        self._settings = settings
        self._garbage = GarbageCollector(database, writer, files, settings)

    def purge_executions(
        self,
        now: datetime,
        *,
        end_date: datetime | None = None,
        start_date: datetime | None = None,
        namespace: str | None = None,
        flow_id: str | None = None,
        states: Sequence[State | str] = (),
        purge_execution: bool = True,
        purge_log: bool = True,
        purge_metric: bool = True,
        purge_storage: bool = True,
        portion: int = 500,
        dry_run: bool = False,
    ) -> Purged:
        """Delete executions that began at `start_date` or later and had ended by `end_date` (`now` unless said).

        `namespace` means all below it too, unless `flow_id` names one flow. States that end nothing match nothing. With
        `dry_run` nothing is deleted, and what would be is counted.
        """
        parts = _Parts(purge_execution, purge_log, purge_metric, purge_storage)
        conditions = [_executions.c.ended <= to_micros(end_date or now), *_purgeable(now)]
        wanted = _ENDED.intersection(map(str, states)) if states else _ENDED
        conditions.append(_executions.c.state.in_(sorted(wanted)))
        if start_date is not None:
            conditions.append(_executions.c.started >= to_micros(start_date))
        conditions += _of_flow(namespace, flow_id)
        done = Purged()
        for ids in self._portions(conditions, min(portion, _KEYS)):
            done += self._count(ids, parts) if dry_run else self._purge(ids, conditions, parts)
        return done

    def purge_logs(
        self,
        end_date: datetime,
        *,
        start_date: datetime | None = None,
        namespace: str | None = None,
        flow_id: str | None = None,
        execution_id: str | None = None,
        levels: Sequence[LogLevel | str] = (),
        portion: int = 10_000,
        dry_run: bool = False,
    ) -> int:
        """Delete log lines of `start_date` to `end_date`, both included; returns how many these were.

        Lines of an execution under way stay. Those whose execution is deleted belong to no namespace any more.
        `portion` is how many share a transaction; more do if they are of the same instant.
        """
        under_way = select(_executions.c.id).where(_executions.c.state.in_(UNFINISHED))
        conditions = [_logs.c.at <= to_micros(end_date), _logs.c.execution_id.not_in(under_way)]
        if start_date is not None:
            conditions.append(_logs.c.at >= to_micros(start_date))
        if levels:
            conditions.append(_logs.c.level.in_([LogLevel(level).rank for level in levels]))
        if execution_id is not None:
            conditions.append(_logs.c.execution_id == execution_id)
        if namespace is not None or flow_id is not None:
            of_flow = select(_executions.c.id).where(*_of_flow(namespace, flow_id))
            conditions.append(_logs.c.execution_id.in_(of_flow))
        if dry_run:
            return self._number(_logs, conditions)
        deleted, after = 0, list[ColumnElement[bool]]()
        while True:
            step = select(_logs.c.at).where(*conditions, *after).order_by(_logs.c.at).offset(portion - 1).limit(1)
            last = self._database.first(step)
            upto = [] if last is None else [_logs.c.at <= last.at]
            deleted += self._delete(delete(_logs).where(*conditions, *after, *upto))
            if last is None:
                return deleted
            after = [_logs.c.at > last.at]

    def purge_kv(
        self,
        now: datetime,
        *,
        namespaces: Sequence[str] = (),
        namespace_pattern: str | None = None,
        with_children: bool = True,
        key_pattern: str | None = None,
        expired_only: bool = True,
        dry_run: bool = False,
    ) -> int:
        """Delete values that have expired, or all; everywhere, or in some namespaces, with those below or without.

        In patterns `*` stands for any characters and `?` for one.
        """
        conditions = [_kv.c.expires <= to_micros(now)] if expired_only else []
        if namespaces:
            conditions.append(or_(*(within_namespace(_kv.c.namespace, one, with_children) for one in namespaces)))
        keys: dict[str, list[str]] = {}
        of_namespace, of_key = _wildcard(namespace_pattern), _wildcard(key_pattern)
        for row in self._database.all(select(_kv.c.namespace, _kv.c.key).where(*conditions)):
            if of_namespace.fullmatch(row.namespace) and of_key.fullmatch(row.key):
                keys.setdefault(row.namespace, []).append(row.key)
        if dry_run:
            return sum(map(len, keys.values()))
        deleted = 0
        for namespace, found in keys.items():
            for start in range(0, len(found), _KEYS):
                some = (_kv.c.namespace == namespace, _kv.c.key.in_(found[start : start + _KEYS]))
                deleted += self._delete(delete(_kv).where(*some, *conditions))  # again: it may have been written anew
        return deleted

    def collect_garbage(self, now: datetime, *, older_than: timedelta = IN_USE, dry_run: bool = False) -> Garbage:
        """Remove what nothing refers to any more, and log lines past `logging.retention`; give the space back.

        Files younger than an hour count as in use, whatever `older_than` says: their execution may be about to start.
        """
        lines = 0
        if self._settings.log_retention is not None:
            lines = self.purge_logs(now - self._settings.log_retention, dry_run=dry_run)
        expired = self.purge_kv(now, dry_run=dry_run)
        return self._garbage.collect(now, older_than, logs=lines, kv=expired, dry_run=dry_run)

    def _portions(self, conditions: Sequence[ColumnElement[bool]], size: int) -> Iterator[list[str]]:
        """The ids of executions, in portions. What is deleted meanwhile disturbs nothing."""
        last = ""
        while True:
            query = select(_executions.c.id).where(_executions.c.id > last, *conditions)
            ids = [row.id for row in self._database.all(query.order_by(_executions.c.id).limit(_AT_ONCE))]
            for start in range(0, len(ids), size):
                yield ids[start : start + size]
            if len(ids) < _AT_ONCE:
                return
            last = ids[-1]

    def _purge(self, ids: Sequence[str], conditions: Sequence[ColumnElement[bool]], parts: _Parts) -> Purged:
        query = select(_executions.c.id, _executions.c.namespace, _executions.c.flow_id)
        still = query.where(_executions.c.id.in_(ids), *conditions)

        def work(connection: Connection) -> tuple[list[_Ended], dict[Table, int]]:
            # On PostgreSQL one that is being restarted just now is locked, and passed over.
            found = [
                _Ended(row.id, row.namespace, row.flow_id)
                for row in connection.execute(still.with_for_update(skip_locked=True))
            ]
            these = [each.id for each in found]
            deleted = {table: _delete_of(connection, table, these) for table in parts.counted}
            if parts.execution:
                for table in (_task_runs, tables.execution_labels, tables.commands, tables.pool_runs):
                    _delete_of(connection, table, these)
                connection.execute(delete(_executions).where(_executions.c.id.in_(these)))
            return found, deleted

        found, deleted = self._writer.call(work)
        files = 0
        for each in found if parts.storage else ():
            # One that stays may have been restarted since.
            if parts.execution or self._database.first(still.where(_executions.c.id == each.id)) is not None:
                files += self._files.delete_below(each.folder)
        return Purged(len(found) if parts.execution else 0, deleted.get(_logs, 0), deleted.get(_metrics, 0), files)

    def _delete(self, gone: Delete) -> int:
        def work(connection: Connection) -> int:
            if gone.table is _kv:
                hold_flow(connection, "", "kv")  # the lock of those who write values
            return int(connection.execute(gone).rowcount)

        return self._writer.call(work)

    def _count(self, ids: Sequence[str], parts: _Parts) -> Purged:
        query = select(_executions.c.id, _executions.c.namespace, _executions.c.flow_id)
        found = [
            _Ended(row.id, row.namespace, row.flow_id)
            for row in self._database.all(query.where(_executions.c.id.in_(ids)))
        ]
        rows = {table: self._number(table, [table.c.execution_id.in_(ids)]) for table in parts.counted}
        files = sum(len(self._files.list(each.folder)) for each in found) if parts.storage else 0
        return Purged(len(found) if parts.execution else 0, rows.get(_logs, 0), rows.get(_metrics, 0), files)

    def _number(self, table: Table, conditions: Sequence[ColumnElement[bool]]) -> int:
        row = self._database.first(select(func.count()).select_from(table).where(*conditions))
        return 0 if row is None else int(row[0])


def _purgeable(now: datetime) -> list[ColumnElement[bool]]:
    """That nobody needs an ended execution any more."""
    alive = select(tables.engines.c.id).where(tables.engines.c.expires > to_micros(now))
    runs_on = exists().where(_task_runs.c.execution_id == _executions.c.id, _task_runs.c.state.in_(UNFINISHED))
    caller = _executions.alias("caller")
    is_called = exists().where(caller.c.id == _executions.c.parent_id, caller.c.state.in_(UNFINISHED))
    return [or_(_executions.c.owner.is_(None), _executions.c.owner.not_in(alive), ~runs_on), ~is_called]


def _of_flow(namespace: str | None, flow_id: str | None) -> list[ColumnElement[bool]]:
    """Executions of a namespace and those below it, or of one flow."""
    conditions = []
    if namespace is not None:
        conditions.append(within_namespace(_executions.c.namespace, namespace, prefix=flow_id is None))
    if flow_id is not None:
        conditions.append(_executions.c.flow_id == flow_id)
    return conditions


def _delete_of(connection: Connection, table: Table, execution_ids: list[str]) -> int:
    return int(connection.execute(delete(table).where(table.c.execution_id.in_(execution_ids))).rowcount)


def _wildcard(pattern: str | None) -> re.Pattern[str]:
    """Source: FilenameUtils.wildcardMatch of Apache Commons IO, which Kestra takes."""
    escaped = re.escape(pattern or "*")
    return re.compile(escaped.replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
