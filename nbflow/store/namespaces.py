"""What is set for a namespace: its description, variables and plugin defaults, handed down to the namespaces in it."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Connection, Select, String, bindparam, delete, select, union, update

from nbflow.errors import NbflowError
from nbflow.model.namespace import lineage
from nbflow.store import tables
from nbflow.store.database import Database, hold_flow
from nbflow.store.prepared import Prepared
from nbflow.store.records import from_micros, object_from_json, object_to_json, storable, to_json, to_micros
from nbflow.store.writer import Writer
from nbflow.types import NAMESPACE, JsonValue

_namespaces = tables.namespaces


class InvalidNameError(NbflowError, ValueError):
    """A namespace, a key, the name of a secret or the path of a namespace file cannot be what it is."""

    code: ClassVar[str] = "name-invalid"


@dataclass(frozen=True, slots=True)
class StoredNamespace:
    """What is set for one namespace itself, without what it has from its parents.

    `plugin_defaults`: one map per default, such as `{"type": …, "forced": false, "values": {…}}`. `created` and
    `updated` are None for a namespace that nobody saved.
    """

    id: str
    description: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    plugin_defaults: Sequence[Mapping[str, JsonValue]] = ()
    created: datetime | None = None
    updated: datetime | None = None


class NamespaceStore:
    """Saves and finds the settings of namespaces. A namespace that nobody saved exists by what lies in it."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._defaults_of: dict[int, Prepared] = {}

    def get(self, namespace: str) -> StoredNamespace | None:
        """What was saved for a namespace; None when nothing was."""
        row = self._database.first(select(_namespaces).where(_namespaces.c.id == namespace))
        return None if row is None else _namespace_from_row(row)

    def save(
        self,
        namespace: str,
        now: datetime,
        *,
        description: str | None = None,
        variables: Mapping[str, JsonValue] | None = None,
        plugin_defaults: Sequence[Mapping[str, JsonValue]] = (),
    ) -> StoredNamespace:
        """Keep settings in place of all those before. Raises: InvalidNameError; StoreError for what is no JSON."""
        id = checked_namespace(namespace)
        moment = to_micros(now)
        values: dict[str, Any] = {  # Any: each column has a type of its own
            "description": None if description is None else storable(description),
            "variables": object_to_json(variables or {}, f"the variables of {id}"),
            "plugin_defaults": to_json(list(plugin_defaults), f"the plugin defaults of {id}")
            if plugin_defaults
            else None,
            "updated": moment,
        }

        def work(connection: Connection) -> StoredNamespace:
            hold_flow(connection, "", "namespaces")  # two machines must not both find that it is a new one
            found = connection.execute(update(_namespaces).where(_namespaces.c.id == id).values(values))
            if not found.rowcount:
                connection.execute(_namespaces.insert().values(id=id, created=moment, **values))
            return _namespace_from_row(connection.execute(select(_namespaces).where(_namespaces.c.id == id)).one())

        return self._writer.call(work)

    def delete(self, namespace: str) -> bool:
        """Forget the settings of a namespace; False when there were none. What lies in the namespace stays."""
        forget = delete(_namespaces).where(_namespaces.c.id == namespace)
        return self._writer.call(lambda connection: bool(connection.execute(forget).rowcount))

    def list(self) -> builtins.list[StoredNamespace]:
        """Every namespace that a flow, a stored value, a secret or settings name, and its parents; sorted by id."""
        flows, kv, secrets = tables.flows, tables.kv, tables.secrets
        named = union(
            select(flows.c.namespace).where(flows.c.deleted.is_(None)),
            select(kv.c.namespace),
            select(secrets.c.namespace),
        )
        with self._database.read() as connection:
            saved = {row.id: _namespace_from_row(row) for row in connection.execute(select(_namespaces))}
            found = {row.namespace for row in connection.execute(named)}
        everyone = {one for namespace in {*found, *saved} for one in lineage(namespace)}
        return [saved.get(id) or StoredNamespace(id) for id in sorted(everyone)]

    def variables(self, namespace: str) -> dict[str, JsonValue]:
        """The variables that hold in a namespace: its parents' and its own, merged deep; the nearest wins."""
        merged: dict[str, JsonValue] = {}
        for one in self._saved_around(namespace):
            merged = _merged(merged, one.variables)
        return merged

    def plugin_defaults(self, namespace: str) -> builtins.list[Mapping[str, JsonValue]]:
        """The plugin defaults that hold in a namespace: its own first, those of the outermost parent last."""
        names = lineage(namespace)
        query = self._defaults_of.get(len(names))
        if query is None:
            query = self._defaults_of[len(names)] = Prepared(self._database, _plugin_defaults_of(len(names)))
        found = query.all(**{f"name{number}": name for number, name in enumerate(names)})
        found.sort(key=lambda row: len(row.id), reverse=True)
        return [default for row in found for default in json.loads(row.plugin_defaults)]

    def _saved_around(self, namespace: str) -> builtins.list[StoredNamespace]:
        """What was saved for a namespace and its parents, the outermost first."""
        query = select(_namespaces).where(_namespaces.c.id.in_(lineage(namespace)))
        return sorted(map(_namespace_from_row, self._database.all(query)), key=lambda one: len(one.id))


def _plugin_defaults_of(number: int) -> Select[tuple[str, str | None]]:
    """Asks for the plugin defaults of as many namespaces, called name0, name1, …"""
    id, defaults = _namespaces.c.id, _namespaces.c.plugin_defaults
    names = [bindparam(f"name{each}", type_=String) for each in range(number)]
    return select(id, defaults).where(id.in_(names), defaults.is_not(None))


def checked_namespace(namespace: str) -> str:
    """The namespace itself. Raises: InvalidNameError when no namespace can be called so."""
    if not NAMESPACE.fullmatch(namespace) or not all(namespace.split(".")):
        raise InvalidNameError(
            f"`{namespace}` is no namespace",
            hint="one such as company.team: letters, digits, `_` and `-`, with single dots between",
        )
    return namespace


def _merged(below: Mapping[str, JsonValue], above: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Two trees in one; `above` wins."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _namespace_from_row(row: Any) -> StoredNamespace:  # Any: SQLAlchemy names a row's columns as attributes
    return StoredNamespace(
        row.id,
        description=row.description,
        variables=object_from_json(row.variables),
        plugin_defaults=() if row.plugin_defaults is None else tuple(json.loads(row.plugin_defaults)),
        created=from_micros(row.created),
        updated=from_micros(row.updated),
    )
