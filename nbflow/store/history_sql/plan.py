"""What a query reads of the history, found in DuckDB's own plan for it: tables, columns, simple conditions.

The plan is made over empty tables. What is taken from it may be too much, never too little: DuckDB applies every
condition again to the rows that were read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nbflow.store.history_sql.tables import HISTORY, Column, HistoryTable

_OFF = ("statistics_propagation", "empty_result_pullup", "compressed_materialization", "late_materialization", "top_n")
"""Optimizers that would see the tables empty, or hide what is read."""

_CONDITION = re.compile(
    r"""(?:optional:\s*)?\(?\s*(\w+)\s*(=|>=|<=|>|<)\s*'((?:[^']|'')*)'(?:::[\w ]+)?\s*\)?""",
)
_ONE_OF = re.compile(r"""(?:optional:\s*)?\(?\s*(\w+)\s+IN\s+\(('(?:[^']|'')*'(?:,\s*'(?:[^']|'')*')*)\)\s*\)?""")
_TEXT = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True, slots=True)
class Condition:
    """That a column stands to a value as the operator says: one of `=`, `>=`, `<=`, `>`, `<`, `IN`."""

    column: Column
    operator: str
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class First:
    """That only so many rows are wanted: any, or the first by a column."""

    count: int
    column: Column | None = None
    direction: str = ""


@dataclass(slots=True)
class Reading:
    """What is read of one table; `conditions` are one list for each time that the query reads it."""

    table: HistoryTable
    columns: set[str] = field(default_factory=set)
    conditions: list[list[Condition]] = field(default_factory=list)
    first: First | None = None


_Wanted = tuple[int, str]
"""How many rows, and by which order: `#2 DESC`, or none."""

_NEVER_NULL = {("executions", "started"), ("logs", "timestamp"), ("metrics", "timestamp")}
"""Where databases agree on the order; they place NULL differently."""


def readings(connection: Any, query: str) -> dict[str, Reading]:  # Any: DuckDB has no static types
    """What the query reads of the tables, which are there and empty. Raises: duckdb.Error for a query that is wrong."""
    known = {name for (name,) in connection.execute("FROM duckdb_optimizers()").fetchall()}
    connection.execute(f"SET disabled_optimizers = '{','.join(name for name in _OFF if name in known)}'")
    try:
        ((_, plan),) = connection.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()
    finally:
        connection.execute("RESET disabled_optimizers")
    found: dict[str, Reading] = {}
    scans = list(_scans(json.loads(plan), None))
    for scan, wanted in scans:
        info = scan.get("extra_info") or {}
        table = HISTORY.get(str(info.get("Table", "")).rpartition(".")[2].strip('"'))
        if table is None:
            continue
        reading = found.setdefault(table.name, Reading(table))
        shown, filters = _texts(info.get("Projections")), _texts(info.get("Filters"))
        words = {word for text in (*shown, *filters) for word in re.findall(r"\w+", text)}
        reading.columns.update(words & {column.name for column in table.columns})
        parts = [_conditions(table, text) for text in filters]
        reading.conditions.append([condition for some in parts for condition in some])
        if wanted is not None and len(scans) == 1 and all(parts):  # every condition is put to the store
            reading.first = _first_rows(table, wanted, shown)
    return found


def _scans(nodes: list[dict[str, Any]], wanted: _Wanted | None) -> Iterator[tuple[Mapping[str, Any], _Wanted | None]]:
    """The nodes that read a table, each with what a LIMIT right above it wants."""
    for node in nodes:
        name, info = str(node.get("name", "")).strip(), node.get("extra_info") or {}
        if "Table" in info:
            yield node, wanted
        yield from _scans(node.get("children") or [], _wanted_below(name, info, wanted))


def _wanted_below(name: str, info: Mapping[str, Any], wanted: _Wanted | None) -> _Wanted | None:
    limit, offset = str(info.get("Limit", "")), str(info.get("Offset", "0"))
    if name in ("STREAMING_LIMIT", "LIMIT") and limit.isdecimal() and offset.isdecimal():
        return int(limit) + int(offset), ""
    if wanted is None or wanted[1]:
        return None  # an order must lie right above the table: a projection may give a column's name to something else
    if name == "PROJECTION":
        return wanted
    keys = _texts(info.get("Order By"))
    return (wanted[0], keys[0]) if name == "ORDER_BY" and len(keys) == 1 else None


def _first_rows(table: HistoryTable, wanted: _Wanted, columns: list[str]) -> First | None:
    """How the store picks the rows: any, or the first by an instant that every row has."""
    count, key = wanted
    if not key:
        return First(count)
    match = re.fullmatch(r"(?:#(\d+)|(\w+)) (ASC|DESC)", key)
    if match is None:
        return None
    name = match[2] or (columns[int(match[1])] if int(match[1]) < len(columns) else "")
    column = table.column(name)
    return First(count, column, match[3]) if column is not None and (table.name, name) in _NEVER_NULL else None


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(item) for item in value]
    return [str(value)] if value else []


def _conditions(table: HistoryTable, text: str) -> list[Condition]:
    """The conditions that a filter consists of, when the store can be asked for all of them; none otherwise."""
    parts = text.removeprefix("(").removesuffix(")").split(") AND (") if ") AND (" in text else [text]
    found = [_condition(table, f"({part.strip('()')})" if len(parts) > 1 else part) for part in parts]
    return [condition for condition in found if condition is not None] if all(found) else []


def _condition(table: HistoryTable, text: str) -> Condition | None:
    """A condition that the store can be asked too; None for any other."""
    one = _CONDITION.fullmatch(text.strip())
    several = None if one else _ONE_OF.fullmatch(text.strip())
    match = one or several
    column = table.column(match[1]) if match else None
    if match is None or column is None or not column.sought:
        return None
    given = [match[3]] if one else _TEXT.findall(match[2])
    values: list[object] = [value.replace("''", "'") for value in given]
    if column.type == "TIMESTAMPTZ":
        try:
            values = [_micros(str(value)) for value in values]
        except ValueError:  # infinity, or a year that Python does not have
            return None
    elif match[2] not in ("=",) and one:
        return None  # the order of texts is each database's own
    return Condition(column, "IN" if several else match[2], tuple(values))


def _micros(text: str) -> int:
    from nbflow.store.records import to_micros

    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone")
    return to_micros(moment)
