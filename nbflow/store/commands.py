"""What other processes ask the owner of an execution to do: pause, resume, kill."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select

from nbflow.store import tables
from nbflow.store.database import Database
from nbflow.store.records import object_from_json, object_to_json, to_micros
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_commands, _executions = tables.commands, tables.executions


@dataclass(frozen=True, slots=True)
class Command:
    """Something an execution's owner shall do; `id` counts the commands of a history."""

    id: int
    execution_id: str
    name: str
    payload: Mapping[str, JsonValue]


class CommandStore:
    """Commands that wait for the engines they concern. Each is taken once."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def send(self, execution_id: str, name: str, payload: Mapping[str, JsonValue], now: datetime) -> None:
        """Leave a command for the engine that owns an execution."""
        values = {
            "execution_id": execution_id,
            "name": name,
            "payload": object_to_json(payload, f"the payload of `{name}`"),
            "created": to_micros(now),
        }
        self._writer.call(lambda connection: connection.execute(_commands.insert().values(values)))

    def take(self, whose: str | Collection[str]) -> list[Command]:
        """Take the commands for an engine's executions (`whose` is its id), or for executions given by their ids."""
        concerned = _concerns(whose)
        waiting = select(_commands.c.id).where(concerned).limit(1)
        if self._database.first(waiting) is None:  # asked often, and mostly in vain: no commit for that
            return []

        def work(connection: Connection) -> list[Command]:
            gone = delete(_commands).where(concerned).returning(_commands)
            taken = [
                Command(row.id, row.execution_id, row.name, object_from_json(row.payload))
                for row in connection.execute(gone)
            ]
            return sorted(taken, key=lambda command: command.id)

        return self._writer.call(work)


def _concerns(whose: str | Collection[str]) -> ColumnElement[bool]:
    if isinstance(whose, str):
        return _commands.c.execution_id.in_(select(_executions.c.id).where(_executions.c.owner == whose))
    return _commands.c.execution_id.in_(list(whose))
