"""Where each trigger stands: when it fired last, when it fires next, and what it remembers."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, select, update

from nbflow.store import tables
from nbflow.store.database import Database, hold_flow
from nbflow.store.records import (
    object_from_json,
    object_to_json,
    optional_instant,
    optional_micros,
)
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_triggers = tables.triggers


@dataclass(frozen=True, slots=True)
class TriggerState:
    """Where a trigger of a flow stands.

    `execution_id` is the execution that it started and that still runs; `data` belongs to the trigger's type. `kind` is
    SCHEDULE, POLLING or REALTIME for those that the scheduler looks after, as they are in `revision` of the flow;
    `evaluated` is when it was looked at last, `error` why that failed.
    """

    namespace: str
    flow_id: str
    trigger_id: str
    disabled: bool = False
    next_date: datetime | None = None
    last_date: datetime | None = None
    execution_id: str | None = None
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    kind: str | None = None
    revision: int | None = None
    updated: datetime | None = None
    evaluated: datetime | None = None
    error: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Namespace, flow and trigger."""
        return self.namespace, self.flow_id, self.trigger_id


class TriggerStore:
    """Reads and writes the states of triggers."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def get(self, namespace: str, flow_id: str, trigger_id: str) -> TriggerState | None:
        row = self._database.first(select(_triggers).where(_is(namespace, flow_id, trigger_id)))
        return None if row is None else state_from_row(row)

    def list(self, namespace: str | None = None, flow_id: str | None = None) -> builtins.list[TriggerState]:
        """All states, or those of one namespace or flow, sorted by namespace, flow and trigger."""
        query = select(_triggers).order_by(_triggers.c.namespace, _triggers.c.flow_id, _triggers.c.trigger_id)
        if namespace is not None:
            query = query.where(_triggers.c.namespace == namespace)
        if flow_id is not None:
            query = query.where(_triggers.c.flow_id == flow_id)
        return [state_from_row(row) for row in self._database.all(query)]

    def switch(self, namespace: str, flow_id: str, trigger_id: str, *, disabled: bool) -> None:
        """Switch a trigger off or on.

        One that is switched on has no next date until the scheduler gives it one: what passed meanwhile is past.
        """
        key = _is(namespace, flow_id, trigger_id)
        names = {"namespace": namespace, "flow_id": flow_id, "trigger_id": trigger_id}

        def work(connection: Connection) -> None:
            hold_flow(connection, namespace, flow_id)  # two machines must not both find that it is a new one
            row = connection.execute(select(_triggers.c.disabled).where(key)).first()
            if row is None:
                connection.execute(_triggers.insert().values(**names, disabled=disabled, data="{}"))
                return
            newest = connection.execute(select(func.max(_triggers.c.updated))).scalar()
            values: dict[str, object] = {"disabled": disabled, "updated": (newest or 0) + 1}
            if row.disabled and not disabled:
                values["next_date"] = None
            connection.execute(update(_triggers).where(key).values(values))

        self._writer.call(work)

    def save(self, state: TriggerState) -> None:
        """Keep a state in place of the one before."""
        key = _is(state.namespace, state.flow_id, state.trigger_id)
        values = {
            "disabled": state.disabled,
            "next_date": optional_micros(state.next_date),
            "last_date": optional_micros(state.last_date),
            "execution_id": state.execution_id,
            "data": object_to_json(state.data, f"the state of trigger {state.trigger_id}"),
            "kind": state.kind,
            "revision": state.revision,
            "updated": optional_micros(state.updated),
            "evaluated": optional_micros(state.evaluated),
            "error": state.error,
        }

        def work(connection: Connection) -> None:
            if not connection.execute(update(_triggers).where(key).values(values)).rowcount:
                names = {"namespace": state.namespace, "flow_id": state.flow_id, "trigger_id": state.trigger_id}
                connection.execute(_triggers.insert().values({**names, **values}))

        self._writer.call(work)

    def delete(self, namespace: str, flow_id: str, trigger_id: str) -> bool:
        """Forget the state of a trigger; False when there was none."""
        forget = delete(_triggers).where(_is(namespace, flow_id, trigger_id))
        return self._writer.call(lambda connection: bool(connection.execute(forget).rowcount))


def _is(namespace: str, flow_id: str, trigger_id: str) -> Any:  # Any: SQLAlchemy's and_ of columns without types
    return and_(
        _triggers.c.namespace == namespace, _triggers.c.flow_id == flow_id, _triggers.c.trigger_id == trigger_id
    )


def state_from_row(row: Any) -> TriggerState:  # Any: SQLAlchemy names a row's columns as attributes
    """A row of `tables.triggers` as a state."""
    return TriggerState(
        row.namespace,
        row.flow_id,
        row.trigger_id,
        disabled=bool(row.disabled),
        next_date=optional_instant(row.next_date),
        last_date=optional_instant(row.last_date),
        execution_id=row.execution_id,
        data=object_from_json(row.data),
        kind=row.kind,
        revision=row.revision,
        updated=optional_instant(row.updated),
        evaluated=optional_instant(row.evaluated),
        error=row.error,
    )
