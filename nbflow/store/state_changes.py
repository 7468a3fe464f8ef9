"""State changes that Flow triggers have not been asked about, and what comes of them: both in one transaction.

note (with the change itself) ─► waiting ─► settle: forget it · keep what triggers remember · record executions
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from nbflow.model.execution import Execution
from nbflow.store import tables
from nbflow.store.batch import Entry, Rows, Statements, cursor_of
from nbflow.store.changes import NoteStateChange, SaveExecution
from nbflow.store.database import Database
from nbflow.store.records import from_micros, object_from_json, object_to_json, to_micros
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_changes, _triggers, _executions = tables.state_changes, tables.triggers, tables.executions

Decide = Callable[[Mapping[str, JsonValue]], tuple[Mapping[str, JsonValue], bool]]
"""From what a trigger remembers: what it is to remember now, and whether it fires."""


@dataclass(frozen=True, slots=True)
class Firing:
    """What a trigger makes of a state change: an execution, None when none can be made.

    `decide` has the last word, for a trigger that remembers what came before; it must be quick and touch nothing.
    """

    namespace: str
    flow_id: str
    trigger_id: str
    execution: Execution | None
    decide: Decide | None = None


class StateChangeStore:
    """Finds the state changes that are still to be looked at, and settles them, each once."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._statements = Statements(database.writing)

    def waiting(self, engine_id: str, now: datetime) -> builtins.list[NoteStateChange]:
        """Those of an engine, and those that no living engine looks after; oldest first."""
        alive = select(tables.engines.c.id).where(tables.engines.c.expires > to_micros(now))
        query = (
            select(_changes)
            .where((_changes.c.engine == engine_id) | _changes.c.engine.not_in(alive))
            .order_by(_changes.c.at, _changes.c.execution_id, _changes.c.number)
        )
        return [
            NoteStateChange(row.execution_id, row.number, from_micros(row.at), row.engine)
            for row in self._database.all(query)
        ]

    async def settle(self, change: NoteStateChange, firings: Sequence[Firing], owner: str) -> builtins.list[Firing]:
        """Forget a state change and record the executions that come of it, owned by an engine; atomically.

        Returns the firings that came to pass; none when somebody else has settled it.
        """
        this = (_changes.c.execution_id == change.execution_id, _changes.c.number == change.number)

        def work(connection: Connection) -> builtins.list[Firing]:
            if not connection.execute(delete(_changes).where(*this)).rowcount:
                return []
            rows, fired = Rows(), []
            for firing in firings:
                if firing.decide is not None and not _decided(connection, firing, firing.decide):
                    continue
                if firing.execution is not None:
                    there = select(_executions.c.id).where(_executions.c.id == firing.execution.id)
                    if connection.execute(there).first() is not None:
                        continue
                    rows.add(Entry(SaveExecution(firing.execution, 1, owner)))
                fired.append(firing)
            self._statements.write(cursor_of(connection), rows)
            return fired

        return await self._writer.acall(work)


def _decided(connection: Connection, firing: Firing, decide: Decide) -> bool:
    """Let a trigger decide, and keep what it is to remember."""
    key = (
        _triggers.c.namespace == firing.namespace,
        _triggers.c.flow_id == firing.flow_id,
        _triggers.c.trigger_id == firing.trigger_id,
    )
    row = connection.execute(select(_triggers.c.data).where(*key).with_for_update()).first()
    data, fires = decide(object_from_json(row.data) if row is not None else {})
    text = object_to_json(data, f"what trigger {firing.trigger_id} remembers")
    if row is not None:
        connection.execute(update(_triggers).where(*key).values(data=text))
    else:
        names = {"namespace": firing.namespace, "flow_id": firing.flow_id, "trigger_id": firing.trigger_id}
        connection.execute(_triggers.insert().values(**names, disabled=False, data=text))
    return fires
