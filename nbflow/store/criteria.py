"""Conditions on executions beyond those that an index serves: any operation on any column, and any mix of those."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true

from nbflow.errors import StoreError
from nbflow.store import tables
from nbflow.store.database import contains, within_namespace
from nbflow.store.records import to_micros

_executions, _label = tables.executions, tables.execution_labels

COLUMNS: dict[str, ColumnElement[Any]] = {  # Any: the columns of a Table have no static types
    "id": _executions.c.id,
    "namespace": _executions.c.namespace,
    "flow_id": _executions.c.flow_id,
    "state": _executions.c.state,
    "started": _executions.c.started,
    "ended": _executions.c.ended,
    "parent_id": _executions.c.parent_id,
    "trigger_id": _executions.c.trigger_id,
    "kind": _executions.c.kind,
}


@dataclass(frozen=True, slots=True)
class Match:
    """One condition: a column, or `label` with its `key`; an operation in Kestra's words; what it is compared with."""

    column: str
    operation: str
    values: tuple[str | datetime, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of these hold; true when there are none."""

    members: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds; false when there are none."""

    members: tuple[Criterion, ...]


Criterion = Match | AllOf | AnyOf


def to_sql(criterion: Criterion) -> ColumnElement[bool]:
    """The condition in SQL. Raises: StoreError for an operation that is not known."""
    match criterion:
        case AllOf(members):
            return and_(true(), *map(to_sql, members))
        case AnyOf(members):
            return or_(false(), *map(to_sql, members))
        case Match(column="label"):
            return _label_condition(criterion)
    values = [to_micros(value) if isinstance(value, datetime) else value for value in criterion.values]
    return _condition(COLUMNS[criterion.column], criterion.operation, values)


def _label_condition(wanted: Match) -> ColumnElement[bool]:
    """Whether the label of a key is as wanted; a negation holds also where there is no such label."""
    positive = wanted.operation.removeprefix("NOT_").replace("IS_NULL", "IS_NOT_NULL")
    conditions = [_label.c.key == wanted.key]
    if positive != "IS_NOT_NULL":
        conditions.append(_condition(_label.c.value, positive, list(wanted.values)))
    # IN with a list: SQLite goes along the index of labels once, instead of once for each execution.
    found = _executions.c.id.in_(select(_label.c.execution_id).where(*conditions))
    return found if positive == wanted.operation else not_(found)


def _condition(column: ColumnElement[Any], operation: str, values: list[Any]) -> ColumnElement[bool]:
    value = values[0] if values else ""
    match operation:
        case "EQUALS":
            return column == value
        case "NOT_EQUALS":
            return or_(column != value, column.is_(None))
        case "IN":
            return column.in_(values)
        case "NOT_IN":
            return or_(column.not_in(values), column.is_(None))
        case "CONTAINS":
            return contains(column, value)
        case "NOT_CONTAINS":
            return or_(not_(contains(column, value)), column.is_(None))
        case "STARTS_WITH":
            return column.istartswith(value, autoescape=True)
        case "ENDS_WITH":
            return column.iendswith(value, autoescape=True)
        case "PREFIX":
            return within_namespace(column, value, prefix=True)
        case "GREATER_THAN":
            return column > value
        case "GREATER_THAN_OR_EQUAL_TO":
            return column >= value
        case "LESS_THAN":
            return column < value
        case "LESS_THAN_OR_EQUAL_TO":
            return column <= value
        case "IS_NULL":
            return column.is_(None)
        case "IS_NOT_NULL":
            return column.is_not(None)
    raise StoreError(f"there is no operation `{operation}`")
