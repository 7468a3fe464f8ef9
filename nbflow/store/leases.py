"""Who does what only one may do at a time: a lease by name, held while its holder says time and again that it lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from nbflow.store import tables
from nbflow.store.database import Database, hold_flow
from nbflow.store.records import from_micros, object_from_json, object_to_json, to_micros
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_leases, _engines = tables.leases, tables.engines


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds a lease and since when, when it was seen last, and what it says of itself.

    `watched_since`: since when somebody has held it, without a break that is worth the name.
    """

    name: str
    holder: str
    since: datetime
    seen: datetime
    watched_since: datetime
    info: Mapping[str, JsonValue]


class LeaseStore:
    """Takes, renews and gives back leases."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def get(self, name: str) -> Lease | None:
        """A lease as it stands, whether its holder lives or not."""
        with self._database.read() as connection:
            return _read(connection, name)

    def is_abandoned(self, lease: Lease) -> bool:
        """Whether the holder has stopped, or was found dead by another engine of its machine."""
        return self._database.first(select(_engines.c.id).where(_engines.c.id == lease.holder)) is None

    def renew(self, name: str, holder: str, now: datetime, watched_since: datetime) -> bool:
        """Say that the holder lives; False when it holds the lease no longer."""
        mine = (_leases.c.name == name, _leases.c.holder == holder)
        renewal = update(_leases).where(*mine).values(seen=to_micros(now), watched_since=to_micros(watched_since))
        return self._writer.call(lambda connection: bool(connection.execute(renewal).rowcount))

    def take(
        self,
        name: str,
        holder: str,
        now: datetime,
        former: Lease | None,
        info: Mapping[str, JsonValue],
        break_worth_the_name: timedelta,
    ) -> Lease | None:
        """Take a lease that was found free, or held by `former` and given up; None when somebody was quicker."""

        def work(connection: Connection) -> Lease | None:
            hold_flow(connection, "leases", name)
            present = _read(connection, name)
            seen = None if former is None else (former.holder, former.seen)
            if present is not None and (present.holder, present.seen) != seen:
                return None
            is_handover = former is not None and now - former.seen <= break_worth_the_name
            since = former.watched_since if former is not None and is_handover else now
            connection.execute(delete(_leases).where(_leases.c.name == name))
            connection.execute(
                _leases.insert().values(
                    name=name,
                    holder=holder,
                    since=to_micros(now),
                    seen=to_micros(now),
                    watched_since=to_micros(since),
                    info=object_to_json(info, f"the info of the lease {name}"),
                )
            )
            return Lease(name, holder, now, now, since, info)

        return self._writer.call(work)


def _read(connection: Connection, name: str) -> Lease | None:
    row = connection.execute(select(_leases).where(_leases.c.name == name)).first()
    if row is None:
        return None
    return Lease(
        row.name,
        row.holder,
        from_micros(row.since),
        from_micros(row.seen),
        from_micros(row.watched_since),
        object_from_json(row.info),
    )
