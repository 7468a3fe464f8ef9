"""Who changed what, and when."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from nbflow.store import tables
from nbflow.store.database import Database
from nbflow.store.records import from_micros, storable, to_micros
from nbflow.store.writer import Writer

_audit = tables.audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did."""

    at: datetime
    who: str
    action: str
    what: str


class AuditStore:
    """A record that only grows."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def append(self, now: datetime, who: str, action: str, what: str) -> None:
        values = {"at": to_micros(now), "who": storable(who), "action": action, "what": storable(what)}
        self._writer.call(lambda connection: connection.execute(_audit.insert().values(values)))

    def extend(self, entries: Sequence[AuditEntry]) -> None:
        """Keep several entries with one commit."""
        rows = [
            {"at": to_micros(one.at), "who": storable(one.who), "action": one.action, "what": storable(one.what)}
            for one in entries
        ]
        self._writer.call(lambda connection: connection.execute(_audit.insert(), rows))

    def count(self) -> int:
        """How many entries there are."""
        row = self._database.first(select(func.count()).select_from(_audit))
        return 0 if row is None else int(row[0])

    def list(self, limit: int = 100, offset: int = 0) -> builtins.list[AuditEntry]:
        """The latest entries, newest first."""
        query = select(_audit).order_by(_audit.c.id.desc()).limit(limit).offset(offset)
        return [AuditEntry(from_micros(row.at), row.who, row.action, row.what) for row in self._database.all(query)]
