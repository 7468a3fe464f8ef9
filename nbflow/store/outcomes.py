"""What tasks put out when they succeeded, under a hash of what they were told: for task runs told the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select

from nbflow.store import tables
from nbflow.store.database import Database, hold_flow
from nbflow.store.records import from_micros, object_from_json, object_to_json, optional_micros, to_micros
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_outcomes = tables.outcomes


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """The task of a flow that an outcome is kept for."""

    namespace: str
    flow_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task put out, in which execution, and when that was."""

    execution_id: str
    outputs: Mapping[str, JsonValue]
    kept: datetime


class OutcomeStore:
    """Keeps the outcomes of tasks; those that have expired go when the next one of their task comes."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def get(self, place: TaskPlace, hash: str, now: datetime, ttl: timedelta | None) -> Outcome | None:
        """The outcome under a hash, unless it is older than `ttl`."""
        row = self._database.first(select(_outcomes).where(_of(place), _outcomes.c.hash == hash))
        if row is None or (ttl is not None and from_micros(row.kept) + ttl <= now):
            return None
        return Outcome(row.execution_id, object_from_json(row.outputs), from_micros(row.kept))

    async def put(
        self,
        place: TaskPlace,
        hash: str,
        execution_id: str,
        outputs: Mapping[str, JsonValue],
        now: datetime,
        ttl: timedelta | None,
    ) -> None:
        """Keep an outcome in place of the one before."""
        row = {
            "namespace": place.namespace,
            "flow_id": place.flow_id,
            "task_id": place.task_id,
            "hash": hash,
            "execution_id": execution_id,
            "outputs": object_to_json(outputs, f"the outputs of task {place.task_id}"),
            "kept": to_micros(now),
            "expires": optional_micros(None if ttl is None else now + ttl),
        }

        def work(connection: Connection) -> None:
            hold_flow(connection, place.namespace, place.flow_id)
            replaced = or_(_outcomes.c.hash == hash, _outcomes.c.expires <= to_micros(now))
            connection.execute(delete(_outcomes).where(_of(place), replaced))
            connection.execute(_outcomes.insert().values(row))

        await self._writer.acall(work)


def _of(place: TaskPlace) -> ColumnElement[bool]:
    return and_(
        _outcomes.c.namespace == place.namespace,
        _outcomes.c.flow_id == place.flow_id,
        _outcomes.c.task_id == place.task_id,
    )
