"""Which engines live: each holds a lease that its heartbeat renews, and an engine without one has died."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from nbflow.store import tables
from nbflow.store.database import Database
from nbflow.store.records import object_to_json, to_micros
from nbflow.store.writer import Writer
from nbflow.types import JsonValue

_engines = tables.engines


class EngineStore:
    """The leases of the engines that share this history."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def beat(self, engine_id: str, now: datetime, ttl: timedelta, info: Mapping[str, JsonValue]) -> None:
        """Say that an engine lives, and will for `ttl` unless it beats again."""
        lease = {
            "beat": to_micros(now),
            "expires": to_micros(now + ttl),
            "info": object_to_json(info, f"the info of engine {engine_id}"),
        }

        def work(connection: Connection) -> None:
            renewed = connection.execute(update(_engines).where(_engines.c.id == engine_id).values(lease))
            if not renewed.rowcount:
                connection.execute(_engines.insert().values(id=engine_id, **lease))

        self._writer.call(work)

    def remove(self, engine_id: str) -> None:
        """Give a lease back: the engine has stopped, and others may take over at once."""
        self._writer.call(lambda connection: connection.execute(delete(_engines).where(_engines.c.id == engine_id)))

    def bury(self, host: str, is_running: Callable[[int], bool]) -> None:
        """Take back the leases of engines on this host whose process is gone: nobody need wait for them to run out."""
        gone = []
        for row in self._database.all(select(_engines.c.id, _engines.c.info)):
            info = json.loads(row.info)
            pid = info.get("pid")
            if info.get("host") == host and isinstance(pid, int) and not is_running(pid):
                gone.append(row.id)
        if gone:
            self._writer.call(lambda connection: connection.execute(delete(_engines).where(_engines.c.id.in_(gone))))

    def alive(self, now: datetime) -> list[str]:
        """The engines whose lease has not run out, sorted."""
        query = select(_engines.c.id).where(_engines.c.expires > to_micros(now)).order_by(_engines.c.id)
        return [row.id for row in self._database.all(query)]
