"""Which executions a query asks for: the fields of Kestra's filters, and how the history is asked for them.

What an index serves goes to the history as such; everything else, groups of `or` among them, as a criterion beside it.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from nbflow.engine import Engine
from nbflow.model.execution import Execution
from nbflow.model.state import State
from nbflow.server.counting import Counts
from nbflow.server.errors import RequestError
from nbflow.server.filters import Condition, Filter, Page, Query, read_filter, read_instant, read_range, unsupported
from nbflow.store import AllOf, AnyOf, Criterion, Match

FIELDS = {
    "q": "EQUALS",
    "id": "EQUALS",
    "namespace": "PREFIX",
    "flowId": "EQUALS",
    "state": "IN",
    "labels": "EQUALS",
    "startDate": "GREATER_THAN_OR_EQUAL_TO",
    "endDate": "LESS_THAN_OR_EQUAL_TO",
    "timeRange": "EQUALS",
    "triggerId": "EQUALS",
    "triggerExecutionId": "EQUALS",
    "parentId": "EQUALS",
    "childFilter": "EQUALS",
    "kind": "EQUALS",
    "scope": "IN",
}
"""Field → the operation of its flat form."""

SORTS = {
    "id": "id",
    "state.startDate": "start",
    "startDate": "start",
    "state.endDate": "end",
    "endDate": "end",
    "state.current": "state",
    "state": "state",
    "namespace": "namespace",
    "flowId": "flow_id",
}

_COLUMNS = {
    "id": "id",
    "namespace": "namespace",
    "flowId": "flow_id",
    "state": "state",
    "triggerId": "trigger_id",
    "triggerExecutionId": "parent_id",
    "parentId": "parent_id",
    "kind": "kind",
    "startDate": "started",
    "endDate": "ended",
}
_LISTS = ("EQUALS", "NOT_EQUALS", "IN", "NOT_IN", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "NOT_CONTAINS", "PREFIX")
_ORDER = ("EQUALS", "NOT_EQUALS", "GREATER_THAN", "GREATER_THAN_OR_EQUAL_TO", "LESS_THAN", "LESS_THAN_OR_EQUAL_TO")
_NULLS = ("IS_NULL", "IS_NOT_NULL")


class Asked(TypedDict, total=False):
    """What the history can be asked for."""

    namespace: str
    namespace_prefix: str
    flow_id: str
    states: tuple[State, ...]
    labels: dict[str, str]
    start_after: datetime
    start_before: datetime
    parent_id: str
    trigger_id: str
    q: str
    more: AllOf


def read_asked(query: Query) -> Asked:
    """What a query asks for. Raises: RequestError."""
    wanted = read_filter(query, FIELDS)
    asked: Asked = {}
    more: list[Criterion] = [_choice(choice) for choice in wanted.choices]
    for condition in wanted.conditions:
        if not _take(asked, condition):
            more.append(_criterion(condition))
    if more:
        asked["more"] = AllOf(tuple(more))
    return asked


def read_sort(page: Page) -> str:
    """The order of a page, as the history takes it; newest first unless said. Raises: RequestError."""
    for name, is_descending in page.sort[:1]:
        if name not in SORTS:
            raise RequestError(
                f"executions cannot be sorted by `{name}`", path="sort", hint=f"there are {', '.join(SORTS)}"
            )
        return ("-" if is_descending else "") + SORTS[name]
    return "-id"


def find(engine: Engine, asked: Asked, page: Page, sort: str, counts: Counts) -> tuple[list[Execution], int]:
    """The executions of a page, and how many there are in all."""
    if asked.get("states") == ():
        return [], 0
    found = engine.store.executions.list(**asked, limit=page.size, offset=page.offset, sort=sort)
    if page.offset == 0 and len(found) < page.size:
        return found, len(found)
    return found, counts.of(("executions", _key(asked)), lambda: engine.store.executions.count(**asked))


def find_ids(engine: Engine, asked: Asked, limit: int = 100_000) -> list[str]:
    """The ids of all executions that are asked for."""
    if asked.get("states") == ():
        return []
    return [one.id for one in engine.store.executions.list(**asked, limit=limit)]


def _key(asked: Asked) -> Hashable:
    # Instants differ with each call of a `timeRange`: to the second they are the same question.
    parts = []
    for name, value in sorted(asked.items()):
        if isinstance(value, datetime):
            value = value.replace(microsecond=0)
        parts.append((name, repr(value)))
    return tuple(parts)


def _take(asked: Asked, condition: Condition) -> bool:
    """Ask for a condition that an index serves; False when it is none, or there is one of its kind already."""
    value = condition.value
    match condition.field, condition.operation:
        case "namespace", "EQUALS" if "namespace" not in asked:
            asked["namespace"] = value
        case "namespace", "PREFIX" if "namespace_prefix" not in asked:
            asked["namespace_prefix"] = value
        case "flowId", "EQUALS" if "flow_id" not in asked:
            asked["flow_id"] = value
        case "state", "EQUALS" | "IN":
            before = set(asked.get("states", State))
            asked["states"] = tuple(sorted(before & _states(condition)))
        case "state", "NOT_EQUALS" | "NOT_IN":
            before = set(asked.get("states", State))
            asked["states"] = tuple(sorted(before - _states(condition)))
        case "labels", "EQUALS" if condition.key and condition.key not in asked.get("labels", {}):
            asked.setdefault("labels", {})[condition.key] = value
        case "startDate", "GREATER_THAN_OR_EQUAL_TO":
            _not_before(asked, read_instant(condition))
        case "timeRange", "EQUALS":
            _not_before(asked, datetime.now(UTC) - read_range(condition))
        case "startDate", "LESS_THAN" if "start_before" not in asked:
            asked["start_before"] = read_instant(condition)
        case "startDate", "LESS_THAN_OR_EQUAL_TO" if "start_before" not in asked:
            asked["start_before"] = read_instant(condition) + timedelta(microseconds=1)
        case "triggerId", "EQUALS" if "trigger_id" not in asked:
            asked["trigger_id"] = value
        case (("triggerExecutionId" | "parentId"), "EQUALS") if "parent_id" not in asked:
            asked["parent_id"] = value
        case "q", "EQUALS" | "CONTAINS" if "q" not in asked:
            asked["q"] = value
        case "scope", "EQUALS" | "IN":
            pass  # there are no system flows to tell apart
        case _:
            return False
    return True


def _not_before(asked: Asked, moment: datetime) -> None:
    asked["start_after"] = max(moment, asked.get("start_after", moment))


def _choice(members: tuple[Filter, ...]) -> Criterion:
    return AnyOf(tuple(_all(member) for member in members))


def _all(wanted: Filter) -> Criterion:
    return AllOf((*map(_criterion, wanted.conditions), *map(_choice, wanted.choices)))


def _criterion(condition: Condition) -> Criterion:
    """A condition as the history takes one of any kind. Raises: RequestError."""
    field, operation = condition.field, condition.operation
    if field == "scope":
        return AllOf(())
    if field == "timeRange" and operation == "EQUALS":
        return Match("started", "GREATER_THAN_OR_EQUAL_TO", (datetime.now(UTC) - read_range(condition),))
    if field == "childFilter" and operation == "EQUALS":
        is_child = {"CHILD": "IS_NOT_NULL", "MAIN": "IS_NULL"}.get(condition.value.upper())
        if is_child is None:
            raise RequestError("`childFilter` is CHILD or MAIN", path="childFilter")
        return Match("parent_id", is_child)
    if field == "q" and operation in ("EQUALS", "CONTAINS"):
        parts = [Match(name, "CONTAINS", (condition.value,)) for name in ("namespace", "flow_id", "id")]
        return AnyOf(tuple(parts))
    if field == "labels" and operation in (*_LISTS, *_NULLS):
        return _label(condition)
    if field in ("startDate", "endDate") and operation in _ORDER:
        return Match(_COLUMNS[field], operation, (read_instant(condition),))
    if field in ("startDate", "endDate") and operation in _NULLS:
        return Match(_COLUMNS[field], operation)
    if field == "state" and operation in ("EQUALS", "NOT_EQUALS", "IN", "NOT_IN"):
        is_in = "NOT_IN" if operation.startswith("NOT") else "IN"
        return Match("state", is_in, tuple(sorted(map(str, _states(condition)))))
    if field in _COLUMNS and operation in (*_LISTS, *_NULLS):
        is_list = operation in ("IN", "NOT_IN")
        values = tuple(condition.value.split(",")) if is_list else (condition.value,)
        return Match(_COLUMNS[field], operation, values)
    raise unsupported(condition)


def _label(condition: Condition) -> Criterion:
    key, values = condition.key, tuple(condition.values)
    if not key:  # `filters[labels][EQUALS]=key:value` is written as well
        key, separator, value = condition.value.partition(":")
        if not separator:
            raise RequestError(
                "a label is `key:value`, or names its key: `filters[labels][EQUALS][key]`", path="labels"
            )
        values = (value,)
    return Match("label", condition.operation, values, key)


def _states(condition: Condition) -> set[State]:
    try:
        return {State(name.strip().upper()) for name in condition.values}
    except ValueError:
        raise RequestError(
            f"there is no state `{condition.value}`", path="state", hint=f"there are {', '.join(State)}"
        ) from None
