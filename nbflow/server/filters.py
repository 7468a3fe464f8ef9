"""What a search asks for: pages, sorting, and filters in all the spellings that Kestra's clients use.

?namespace=a.b&state=FAILED                      flat, version 0.21
?filters[state][IN]=FAILED,KILLED                one key for each condition, version 1
?filters[labels][EQUALS][team]=qa                a map has one level more
?filters[or][0][flowId][EQUALS]=a                groups, one in another if need be, version 2
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nbflow.model.durations import parse_duration
from nbflow.server.errors import RequestError

OPERATIONS = frozenset(
    {
        *("EQUALS", "NOT_EQUALS", "IN", "NOT_IN", "CONTAINS", "NOT_CONTAINS", "STARTS_WITH", "ENDS_WITH", "REGEX"),
        *("PREFIX", "GREATER_THAN", "GREATER_THAN_OR_EQUAL_TO", "LESS_THAN", "LESS_THAN_OR_EQUAL_TO"),
        *("IS_NULL", "IS_NOT_NULL"),
    }
)
MAX_SIZE = 1000
_DEEPEST = 4  # groups in groups

_BLANK_ZONE = re.compile(r"(:\S+) (\d\d:?\d\d)$")  # a `+` that was not encoded arrives as a blank
_KEY = re.compile(r"filters((?:\[[^\[\]]*\])+)")


@dataclass(frozen=True, slots=True)
class Condition:
    """One leaf of a filter: `field operation values`; `key` is the level more that a map such as labels has."""

    field: str
    operation: str
    values: tuple[str, ...]
    key: str = ""

    @property
    def value(self) -> str:
        """All values as the one text they came from."""
        return ",".join(self.values)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for; `number` counts from 1. `sort` is empty or `field:asc|desc` pairs."""

    number: int
    size: int
    sort: tuple[tuple[str, bool], ...] = ()

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


Query = Mapping[str, Iterable[str]]
"""The decoded query of a request: name → values."""


def read_page(query: Query, default_size: int = 10) -> Page:
    """`page`, `size` and `sort` of a query. Raises: RequestError."""
    number, size = _natural(query, "page", 1), _natural(query, "size", default_size)
    if size > MAX_SIZE:
        raise RequestError(f"`size` must be at most {MAX_SIZE}, got {size}", path="size", hint="ask for more pages")
    sort = []
    for text in query.get("sort", ()):
        name, _, direction = text.partition(":")
        if not name or direction.lower() not in ("asc", "desc"):
            raise RequestError(f"`sort` must be `field:asc` or `field:desc`, got `{text}`", path="sort")
        sort.append((name, direction.lower() == "desc"))
    return Page(number, size, tuple(sort))


def _natural(query: Query, name: str, default: int) -> int:
    text = next(iter(query.get(name, ())), "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < 1:
        raise RequestError(f"`{name}` must be a whole number from 1, got `{text}`", path=name)
    return int(text)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search asks for: all of the `conditions` hold, and of each of the `choices` at least one filter does."""

    conditions: tuple[Condition, ...] = ()
    choices: tuple[tuple[Filter, ...], ...] = ()

    def __iter__(self) -> Iterator[Condition]:
        """Every condition, those of the choices included."""
        yield from self.conditions
        for choice in self.choices:
            for member in choice:
                yield from member


def read_filter(query: Query, fields: Mapping[str, str]) -> Filter:
    """What a query asks for, in any spelling; `fields` maps a known field to the operation of its flat form.

    Raises: RequestError for a field, an operation or a group that is not known here.
    """
    root = _Node()
    for name, values in query.items():
        if name.startswith("filters"):
            for value in values:
                _place(root, name, value, fields)
        elif name in fields:
            root.leaves += [_flat(name, values, fields[name])] if name != "labels" else list(map(_label, values))
    return root.filter()


def read_conditions(query: Query, fields: Mapping[str, str]) -> list[Condition]:
    """The conditions of a query where groups of `or` are not served. Raises: RequestError."""
    wanted = read_filter(query, fields)
    if wanted.choices:
        raise RequestError("groups of `or` are not served here", path="filters[or]", hint="ask once for each")
    return list(wanted.conditions)


class _Node:
    """A group while it is read: its own conditions, and the groups in it by kind and number."""

    def __init__(self) -> None:
        self.leaves: list[Condition] = []
        self.groups: dict[str, dict[int, _Node]] = {}

    def group(self, kind: str, number: int) -> _Node:
        return self.groups.setdefault(kind, {}).setdefault(number, _Node())

    def filter(self) -> Filter:
        conditions = list(self.leaves)
        choices: list[tuple[Filter, ...]] = []
        for each in self.groups.get("and", {}).values():
            inner = each.filter()
            conditions += inner.conditions
            choices += inner.choices
        if "or" in self.groups:
            choices.append(tuple(each.filter() for each in self.groups["or"].values()))
        return Filter(tuple(conditions), tuple(choices))


def _place(node: _Node, name: str, value: str, fields: Mapping[str, str]) -> None:
    """Put a condition where its name says, such as `filters[and][1][or][0][state][EQUALS]`."""
    match = _KEY.fullmatch(name)
    if match is None:
        raise RequestError(f"`{name}` is no filter: it is written `filters[field][OPERATION]`", path=name)
    parts = match.group(1)[1:-1].split("][")
    depth = 0
    while len(parts) > 2 and parts[0] in ("and", "or") and parts[1].isdecimal():
        depth += 1
        if depth > _DEEPEST or len(parts[1]) > 4:
            raise RequestError(f"the groups of `{name}` are nested too deep", path=name)
        node, parts = node.group(parts[0], int(parts[1])), parts[2:]
    node.leaves.append(_leaf(name, parts, value, fields))


def _flat(name: str, values: Iterable[str], operation: str) -> Condition:
    parts = tuple(part for value in values for part in (value.split(",") if operation == "IN" else [value]) if part)
    return Condition(name, operation, parts)


def _label(text: str) -> Condition:
    key, separator, value = text.partition(":")
    if not separator:
        raise RequestError(f"a label is `key:value`, got `{text}`", path="labels")
    return Condition("labels", "EQUALS", (value,), key)


def _leaf(name: str, parts: list[str], value: str, fields: Mapping[str, str]) -> Condition:
    field, operation, key = (*parts, "", "")[:3]
    if field not in fields or len(parts) > 3:
        raise RequestError(f"there is no filter `{field}` here", path=name, hint=f"there are {', '.join(fields)}")
    if operation not in OPERATIONS:
        raise RequestError(
            f"there is no operation `{operation}`", path=name, hint=f"there are {', '.join(sorted(OPERATIONS))}"
        )
    is_list = operation in ("IN", "NOT_IN") or field in ("state", "kind", "scope")
    return Condition(field, operation, tuple(value.split(",")) if is_list else (value,), key)


def unsupported(condition: Condition) -> RequestError:
    """The error for a condition that is well written and not served."""
    return RequestError(
        f"`{condition.field}` cannot be asked for with {condition.operation}", path=f"filters[{condition.field}]"
    )


def read_instant(condition: Condition) -> datetime:
    """The instant of a date condition; one without a zone is UTC. Raises: RequestError."""
    try:
        moment = datetime.fromisoformat(_BLANK_ZONE.sub(r"\1+\2", condition.value.strip()))
    except ValueError:
        raise RequestError(
            f"`{condition.field}` must be an ISO 8601 date, got `{condition.value}`", path=condition.field
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_range(condition: Condition) -> timedelta:
    """The length of a `timeRange`. Raises: RequestError."""
    try:
        return parse_duration(condition.value)
    except (ValueError, OverflowError):
        raise RequestError(
            f"`timeRange` must be an ISO 8601 duration, got `{condition.value}`", path="timeRange"
        ) from None
