"""What one commit writes: rows that have gathered, and the SQL that writes them, compiled once.

Rows go through the driver's own `executemany`: SQLAlchemy writes the SQL, and takes no part in each row.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Column, Connection, Engine, Table, delete, or_, select
from sqlalchemy.dialects import sqlite

from nbflow.store import tables
from nbflow.store.changes import AddMetric, AppendLog, Change, NoteStateChange, SaveExecution, SaveTaskRun
from nbflow.store.prepared import positional
from nbflow.store.records import Row, execution_to_row, log_to_row, metric_to_row, storable, task_run_to_row, to_micros

_EXECUTION, _TASK_RUN, _LOG, _METRIC, _STATE_CHANGE = range(5)
_LABELS, _STARTED = (list(tables.executions.c.keys()).index(name) for name in ("labels", "started"))

_numbers = itertools.count()


class Cursor(Protocol):
    """What this module needs of a driver's cursor."""

    def execute(self, statement: str, row: Sequence[object] = ..., /) -> object: ...
    def executemany(self, statement: str, rows: Iterable[Sequence[object]], /) -> object: ...
    def fetchall(self) -> Iterable[Any]: ...  # Any: rows are what the statement makes them


class Entry:
    """A change as a row: of which table, and under which key a later one replaces it."""

    __slots__ = ("key", "row", "table")

    def __init__(self, change: Change) -> None:
        self.key: object
        if type(change) is SaveTaskRun:
            self.table, self.key = _TASK_RUN, (change.task_run.execution_id, change.task_run.id)
            self.row = task_run_to_row(change.task_run, change.seq)
        elif type(change) is AppendLog:
            self.table, self.key = _LOG, (change.entry.execution_id, change.entry.seq)
            self.row = log_to_row(change.entry)
        elif type(change) is SaveExecution:
            self.table, self.key = _EXECUTION, change.execution.id
            self.row = execution_to_row(change.execution, change.seq, change.owner)
        elif type(change) is AddMetric:
            self.table, self.key, self.row = _METRIC, next(_numbers), metric_to_row(change.metric)
        elif type(change) is NoteStateChange:
            self.table, self.key = _STATE_CHANGE, (change.execution_id, change.number)
            self.row = (change.execution_id, change.number, to_micros(change.at), change.engine)
        else:
            raise TypeError(f"{type(change).__name__} is no change")


class Rows:
    """Rows that share a commit; of those under the same key the last one counts."""

    __slots__ = ("by_table",)

    def __init__(self) -> None:
        self.by_table: tuple[dict[object, Row], ...] = ({}, {}, {}, {}, {})

    def add(self, entry: Entry) -> None:
        self.by_table[entry.table][entry.key] = entry.row

    def after(self, earlier: Rows) -> Rows:
        """These rows together with earlier ones, which they replace."""
        merged = Rows()
        for into, old, new in zip(merged.by_table, earlier.by_table, self.by_table, strict=True):
            into.update(old)
            into.update(new)
        return merged

    def __len__(self) -> int:
        return sum(map(len, self.by_table))

    def __bool__(self) -> bool:
        return any(self.by_table)


class Statements:
    """The SQL that writes rows, for one kind of database."""

    def __init__(self, engine: Engine) -> None:
        self._upserts = tuple(
            _upsert(engine, table)
            for table in (tables.executions, tables.task_runs, tables.logs, tables.metrics, tables.state_changes)
        )
        self._add_labels = _upsert(engine, tables.execution_labels)
        label, dialect = tables.execution_labels, positional(engine)
        of_one = label.c.execution_id == ""
        self._read_labels = str(select(label.c.key, label.c.value).where(of_one).compile(dialect=dialect))
        self._forget_labels = str(delete(label).where(of_one).compile(dialect=dialect))

    def write(self, cursor: Cursor, rows: Rows) -> None:
        """Write the rows into the open transaction of a cursor."""
        for statement, found in zip(self._upserts, rows.by_table, strict=True):
            if found:
                cursor.executemany(statement, list(found.values()))
        for id, row in rows.by_table[_EXECUTION].items():
            self._write_labels(cursor, id, row)

    def _write_labels(self, cursor: Cursor, id: object, row: Row) -> None:
        """Bring the search table of labels up to date. Most changes of an execution leave its labels alone."""
        text = row[_LABELS]
        wanted = {storable(key): storable(value) for key, value in json.loads(text)} if isinstance(text, str) else {}
        cursor.execute(self._read_labels, (id,))
        present = dict(cursor.fetchall())
        if present == wanted:
            return
        if present:
            cursor.execute(self._forget_labels, (id,))
        if wanted:
            cursor.executemany(self._add_labels, [(id, key, value, row[_STARTED]) for key, value in wanted.items()])


def cursor_of(connection: Connection) -> Any:  # Any: each driver has types of its own
    """A cursor of the driver, on the connection and in the transaction that SQLAlchemy has open."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    return driver.cursor()


def _insert(engine: Engine, table: Table) -> Any:  # Any: the inserts of dialects have no common type with upserts
    if engine.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _upsert(engine: Engine, table: Table) -> str:
    """SQL that inserts a row of values in the order of the columns, or replaces the one of the same key.

    Columns that count by themselves are left out.
    """
    columns: list[Column[Any]] = [  # Any: the columns of a Table have no static types
        column for column in table.columns if column is not table.autoincrement_column
    ]
    insert = _insert(engine, table)
    key = [column for column in columns if column.primary_key]
    if key:
        present, given = table.c.get("owner"), insert.excluded
        insert = insert.on_conflict_do_update(
            index_elements=key,
            set_={column.name: given[column.name] for column in columns if not column.primary_key},
            # An engine that has lost its lease, such as one of a laptop that slept, must not write over the new owner.
            where=None if present is None else or_(present.is_(None), given.owner.is_(None), present == given.owner),
        )
    return str(insert.values({column.name: None for column in columns}).compile(dialect=positional(engine)))
