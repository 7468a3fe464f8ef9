"""How a page of executions is found: which index serves a filter, so that a million executions cost what ten do.

Each index of executions ends in `started`. A page newest first is therefore one backward range of an index when all
other columns are fixed. Several states or namespaces become one such range each, and are merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    exists,
    func,
    select,
)

from nbflow.errors import StoreError
from nbflow.model.state import State
from nbflow.store import tables
from nbflow.store.criteria import AllOf, to_sql
from nbflow.store.database import contains, within_namespace
from nbflow.store.records import to_micros

_executions = tables.executions
_label = tables.execution_labels

_SORTS = {
    "id": "started",
    "start": "started",
    "end": "ended",
    "state": "state",
    "namespace": "namespace",
    "flow_id": "flow_id",
}

_ALL_STATES = tuple(str(state) for state in State)
_MOST_RANGES = 100  # with more, going through everything newest first is as quick
_NEWEST_FIRST = (_executions.c.started.desc(), _executions.c.id.desc())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which executions are wanted; what is None or empty does not matter."""

    namespace: str | None = None
    namespace_prefix: str | None = None
    flow_id: str | None = None
    states: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    start_after: datetime | None = None
    start_before: datetime | None = None
    parent_id: str | None = None
    trigger_id: str | None = None
    q: str | None = None
    more: AllOf | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """All conditions but those on states and labels."""
        columns = _executions.c
        found: list[ColumnElement[bool]] = []
        for column, value in (
            (columns.namespace, self.namespace),
            (columns.flow_id, self.flow_id),
            (columns.parent_id, self.parent_id),
            (columns.trigger_id, self.trigger_id),
        ):
            if value is not None:
                found.append(column == value)
        if self.namespace_prefix is not None:
            found.append(within_namespace(columns.namespace, self.namespace_prefix, prefix=True))
        if self.more is not None:
            found.append(to_sql(self.more))
        if self.start_after is not None:
            found.append(columns.started >= to_micros(self.start_after))
        if self.start_before is not None:
            found.append(columns.started < to_micros(self.start_before))
        if self.q:
            found.append(
                contains(columns.namespace, self.q) | contains(columns.flow_id, self.q) | (columns.id == self.q)
            )
        return found

    def has_label(self, key: str, value: str) -> ColumnElement[bool]:
        other = _label.alias()  # a label beside the one that a query may begin with
        return exists().where(other.c.execution_id == _executions.c.id, other.c.key == key, other.c.value == value)


def count_query(wanted: Filter) -> Select[Any]:  # Any: the columns of a Table have no static types
    """How many executions a filter lets pass."""
    conditions = wanted.conditions()
    if wanted.states:
        conditions.append(_executions.c.state.in_(wanted.states))
    if not wanted.labels:
        return select(func.count()).select_from(_executions).where(*conditions)
    (key, value), *others = wanted.labels.items()
    query = select(func.count()).select_from(_label).where(_label.c.key == key, _label.c.value == value)
    if not (conditions or others):
        return query
    query = query.join(_executions, _executions.c.id == _label.c.execution_id).where(*conditions)
    return query.where(*(wanted.has_label(*other) for other in others))


def page(
    connection: Connection, wanted: Filter, *, limit: int, before_id: str | None, offset: int, sort: str
) -> Sequence[Row[Any]]:  # Any: as above
    """The rows of one page of executions. Raises: StoreError for a column that nothing is sorted by."""
    name = sort.removeprefix("-")
    if name not in _SORTS:
        raise StoreError(f"executions cannot be sorted by `{name}`", hint=f"there are {', '.join(_SORTS)}")
    conditions = wanted.conditions()
    if before_id is not None:
        conditions.append(_before(connection, before_id))
    if sort not in ("-id", "-start"):
        query = _sorted_query(wanted, conditions, _SORTS[name], sort.startswith("-"))
        return connection.execute(query.limit(limit).offset(offset)).all()
    if wanted.labels:
        return connection.execute(_labelled_query(wanted, conditions).limit(limit).offset(offset)).all()
    ranges = _ranges(connection, wanted)
    if wanted.namespace is None and wanted.namespace_prefix is not None:
        # The ranges say it already: said twice, it misleads the planner once it knows how the rows are spread.
        conditions = replace(wanted, namespace_prefix=None).conditions()
        if before_id is not None:
            conditions.append(_before(connection, before_id))
    if len(ranges) == 1:
        query = select(_executions).where(*conditions, *ranges[0]).order_by(*_NEWEST_FIRST)
        return connection.execute(query.limit(limit).offset(offset)).all()
    # One short query for each range, merged here: a UNION of them takes SQLAlchemy far longer to put together.
    parts: list[tuple[int, str]] = []
    for fixed in ranges:
        query = select(_executions.c.started, _executions.c.id).where(*conditions, *fixed).order_by(*_NEWEST_FIRST)
        parts += [(row.started, row.id) for row in connection.execute(query.limit(limit + offset))]
    return _rows_of(connection, [id for _, id in sorted(parts, reverse=True)[offset : offset + limit]])


def _rows_of(connection: Connection, ids: list[str]) -> list[Row[Any]]:
    """The rows of these executions, in this order."""
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(ids), 500):  # what fits the parameters of one statement
        some = select(_executions).where(_executions.c.id.in_(ids[start : start + 500]))
        found.update((row.id, row) for row in connection.execute(some))
    return [found[id] for id in ids]


def _before(connection: Connection, id: str) -> ColumnElement[bool]:
    """What comes after an execution in a list, newest first."""
    columns = _executions.c
    started = connection.execute(select(columns.started).where(columns.id == id)).scalar()
    if started is None:  # it was deleted meanwhile; ids sort by the time of creation as well
        return columns.id < id
    return and_(columns.started <= started, (columns.started < started) | (columns.id < id))


def _labelled_query(wanted: Filter, conditions: list[ColumnElement[bool]]) -> Select[Any]:
    """A query that goes along the index of the first label."""
    (key, value), *others = wanted.labels.items()
    query = (
        select(_executions)
        .join(_label, _executions.c.id == _label.c.execution_id)
        .where(_label.c.key == key, _label.c.value == value, *conditions)
        .where(*(wanted.has_label(*other) for other in others))
        .order_by(_label.c.started.desc(), _label.c.execution_id.desc())
    )
    return query.where(_executions.c.state.in_(wanted.states)) if wanted.states else query


def _ranges(connection: Connection, wanted: Filter) -> list[list[ColumnElement[bool]]]:
    """Conditions, each a range of one index, that give all that is wanted when put together."""
    columns, states = _executions.c, wanted.states
    below = (
        [] if wanted.namespace_prefix is None else [within_namespace(columns.namespace, wanted.namespace_prefix, True)]
    )
    if wanted.parent_id is not None:
        return [[*below, columns.state.in_(states)] if states else below]
    ranges: list[list[ColumnElement[bool]]] = [[]]
    if wanted.namespace is not None or wanted.namespace_prefix is not None:
        states = states or _ALL_STATES  # the indexes that begin with the namespace go on with the state
    if wanted.namespace is None and wanted.namespace_prefix is not None:
        ranges = [[columns.namespace == name] for name in _namespaces_below(connection, wanted.namespace_prefix)]
    if len(ranges) * len(states) > _MOST_RANGES:
        return [[*below, columns.state.in_(states)]]
    if states:
        ranges = [[*fixed, columns.state == state] for fixed in ranges for state in states]
    return ranges


def _namespaces_below(connection: Connection, prefix: str) -> list[str]:
    """A namespace and those with executions below it: one step in an index for each, not one for each row."""
    column = _executions.c.namespace
    found, last = [prefix], f"{prefix}."
    while len(found) <= _MOST_RANGES:
        step = select(func.min(column)).where(column > last, column < f"{prefix}/")
        following = connection.execute(step).scalar()
        if following is None:
            break
        found.append(following)
        last = following
    return found


def _sorted_query(
    wanted: Filter, conditions: list[ColumnElement[bool]], column_name: str, descending: bool
) -> Select[Any]:
    """A query in any other order, which may have to look at everything that is wanted."""
    query = select(_executions).where(*conditions)
    query = query.where(*(wanted.has_label(key, value) for key, value in wanted.labels.items()))
    if wanted.states:
        query = query.where(_executions.c.state.in_(wanted.states))
    columns = (_executions.c[column_name], _executions.c.id)
    return query.order_by(*(column.desc() if descending else column.asc() for column in columns))
