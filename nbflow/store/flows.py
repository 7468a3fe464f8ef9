"""The flows of a history: their sources, one row a revision."""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, func, select, update

from nbflow.store import tables
from nbflow.store.database import Database, contains, hold_flow, within_namespace
from nbflow.store.prepared import Prepared
from nbflow.store.records import from_micros, to_micros
from nbflow.store.writer import Writer

_flows = tables.flows


@dataclass(frozen=True, slots=True)
class StoredFlow:
    """One revision of a flow, as it was deployed."""

    namespace: str
    id: str
    revision: int
    source: str
    created: datetime
    disabled: bool = False


class FlowStore:
    """Saves and finds flows. A flow that was deleted can be saved again; its revisions go on counting."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        flow = select(_flows).where(_flows.c.namespace == bindparam("namespace"), _flows.c.id == bindparam("id"))
        self._newest = Prepared(database, flow.order_by(_flows.c.revision.desc()).limit(1))
        self._one = Prepared(database, flow.where(_flows.c.revision == bindparam("revision")))

    def save(self, namespace: str, id: str, source: str, now: datetime, disabled: bool = False) -> tuple[int, bool]:
        """Keep a source; returns its revision, and whether it is a new one (the text differs from the newest)."""

        def work(connection: Connection) -> tuple[int, bool]:
            hold_flow(connection, namespace, id)  # two machines must not count the same revision
            newest = connection.execute(_newest_of(namespace, id)).first()
            if newest is not None and newest.deleted is None and newest.source == source:
                return newest.revision, False
            revision = 1 if newest is None else newest.revision + 1
            connection.execute(
                _flows.insert().values(
                    namespace=namespace,
                    id=id,
                    revision=revision,
                    source=source,
                    hash=hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest(),
                    disabled=disabled,
                    created=to_micros(now),
                )
            )
            return revision, True

        return self._writer.call(work)

    def get(self, namespace: str, id: str, revision: int | None = None) -> StoredFlow | None:
        """The newest revision, None when there is none or the flow is deleted.

        A revision that is asked for by its number is found even then: old executions need it.
        """
        if revision is None:
            row = self._newest.first(namespace=namespace, id=id)
        else:
            row = self._one.first(namespace=namespace, id=id, revision=revision)
        if row is None or (revision is None and row.deleted is not None):
            return None
        return _flow_from_row(row)

    def list(
        self, namespace: str | None = None, prefix: bool = False, q: str | None = None
    ) -> builtins.list[StoredFlow]:
        """The newest revisions, sorted by namespace and id.

        `prefix` takes the namespaces below `namespace` in as well; `q` is looked for in namespace and id.
        """
        newest = select(_flows.c.namespace, _flows.c.id, func.max(_flows.c.revision).label("revision"))
        if namespace is not None:
            newest = newest.where(within_namespace(_flows.c.namespace, namespace, prefix))
        if q:
            newest = newest.where(contains(_flows.c.namespace, q) | contains(_flows.c.id, q))
        latest = newest.group_by(_flows.c.namespace, _flows.c.id).subquery()
        query = (
            select(_flows)
            .join(
                latest,
                and_(
                    _flows.c.namespace == latest.c.namespace,
                    _flows.c.id == latest.c.id,
                    _flows.c.revision == latest.c.revision,
                ),
            )
            .where(_flows.c.deleted.is_(None))
            .order_by(_flows.c.namespace, _flows.c.id)
        )
        return [_flow_from_row(row) for row in self._database.all(query)]

    def revisions(self, namespace: str, id: str) -> builtins.list[StoredFlow]:
        """All revisions, oldest first; those of a deleted flow as well."""
        query = select(_flows).where(_is(namespace, id)).order_by(_flows.c.revision)
        return [_flow_from_row(row) for row in self._database.all(query)]

    def delete(self, namespace: str, id: str, now: datetime) -> bool:
        """Delete a flow; False when there is none. Its revisions stay, for the executions that they ran."""
        gone = update(_flows).where(_is(namespace, id), _flows.c.deleted.is_(None)).values(deleted=to_micros(now))
        return self._writer.call(lambda connection: bool(connection.execute(gone).rowcount))

    def set_disabled(self, namespace: str, id: str, disabled: bool) -> bool:
        """Switch a flow off or on, without a new revision; False when there is no such flow."""
        switch = update(_flows).where(_is(namespace, id), _flows.c.deleted.is_(None)).values(disabled=disabled)
        return self._writer.call(lambda connection: bool(connection.execute(switch).rowcount))

    def fingerprint(self) -> tuple[int | None, ...]:
        """Numbers that change with every revision that is saved, deleted or switched off or on."""
        switched_off = func.sum(case((_flows.c.disabled, 1), else_=0))
        newest, deleted = func.max(_flows.c.created), (func.count(_flows.c.deleted), func.max(_flows.c.deleted))
        row = self._database.first(select(func.count(), newest, *deleted, switched_off).select_from(_flows))
        return () if row is None else tuple(row)

    def namespaces(self) -> builtins.list[str]:
        """The namespaces that hold flows, sorted."""
        query = select(_flows.c.namespace).where(_flows.c.deleted.is_(None)).distinct().order_by(_flows.c.namespace)
        return [row.namespace for row in self._database.all(query)]


def _is(namespace: str, id: str) -> ColumnElement[bool]:
    return and_(_flows.c.namespace == namespace, _flows.c.id == id)


def _newest_of(namespace: str, id: str) -> Select[Any]:  # Any: the columns of a Table have no static types
    return select(_flows).where(_is(namespace, id)).order_by(_flows.c.revision.desc()).limit(1)


def _flow_from_row(row: Any) -> StoredFlow:  # Any: SQLAlchemy names a row's columns as attributes
    return StoredFlow(row.namespace, row.id, row.revision, row.source, from_micros(row.created), bool(row.disabled))
