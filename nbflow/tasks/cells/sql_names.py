"""What a cell of SQL reads and makes: DuckDB's own parser says it, without any table being there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from nbflow.tasks.cells.names import CellNames

_NAME = r'((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))*)'
_MAKES = re.compile(
    rf"\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP(?:ORARY)?\s+)?(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}"
    r"(?:\s+AS\s+(?P<query>.*))?",
    re.I | re.S,
)
_CHANGES = re.compile(
    rf"\s*(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM|TRUNCATE|ALTER\s+TABLE)\s+{_NAME}\s*(?:\([^()]*\)\s*)?"
    r"(?:(?:BY\s+(?:NAME|POSITION)\s+)?(?P<query>(?:SELECT|FROM|WITH|VALUES)\b.*))?",
    re.I | re.S,
)
_DROPS = re.compile(rf"\s*DROP\s+(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?{_NAME}", re.I)
_COPIES = re.compile(r"\s*COPY\s*\((?P<query>.*)\)\s*TO\b", re.I | re.S)
_COPIES_TABLE = re.compile(rf"\s*COPY\s+{_NAME}\s+(?P<way>TO|FROM)\b", re.I)
_GIVES_ROWS = ("SELECT", "EXPLAIN", "CALL", "PRAGMA", "RELATION")


@lru_cache(maxsize=1024)
def sql_names_of(sql: str, result: str = "") -> CellNames:
    """Tables and `$parameters` that SQL reads, and tables that it makes; its last rows get the name `result`.

    Raises: SyntaxError.
    """
    import duckdb

    connection = _parser()
    reads: set[str] = set()
    makes: set[str] = set()
    changes: set[str] = set()
    drops: set[str] = set()
    attaches = has_rows = False
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as wrong:
        raise SyntaxError(str(wrong).split("\n")[0]) from None
    for statement in statements:
        text = statement.query
        reads |= set(statement.named_parameters) - {number for number in statement.named_parameters if number.isdigit()}
        kind = statement.type.name.upper()
        attaches |= kind in ("ATTACH", "LOAD", "EXTENSION")
        query = text
        if found := _MAKES.match(text):
            query = found["query"] or ""
            made = {_plain(found[1])} - {""}
            reads |= _tables(connection, query) - makes
            makes |= made
            continue
        if found := _CHANGES.match(text):
            query = found["query"] or ""
            if (changed := _plain(found[1])) and changed not in makes:
                changes.add(changed)
                reads.add(changed)
        elif found := _DROPS.match(text):
            query = ""
            makes.discard(_plain(found[1]))
            drops.add(_plain(found[1]))
        elif found := _COPIES.match(text):
            query = found["query"]
        elif found := _COPIES_TABLE.match(text):
            query = f"FROM {found[1]}" if found["way"].upper() == "TO" else ""
        has_rows |= kind in _GIVES_ROWS
        reads |= _tables(connection, query) - makes
    if has_rows and result:
        makes.add(result)
    return CellNames(
        reads=frozenset(reads - drops),
        binds=frozenset(makes),
        changes=frozenset(changes),
        own=frozenset(reads if attaches else makes),
    )


@lru_cache(maxsize=1)
def _parser() -> Any:  # Any: duckdb has no types to speak of
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1})


def _tables(connection: Any, query: str) -> set[str]:
    """The tables of a query: those it names itself, without its own CTEs, files and tables of a schema."""
    if not query.strip():
        return set()
    row = connection.cursor().execute("SELECT json_serialize_sql(?::VARCHAR)", [query.rstrip().rstrip(";")]).fetchone()
    tree = json.loads(row[0])
    if tree.get("error"):
        return set()
    return {name for name in _walk(tree, frozenset()) if name.isidentifier()}


def _walk(node: object, hidden: frozenset[str]) -> Iterator[str]:
    if isinstance(node, dict):
        entries = node.get("cte_map", {}).get("map", []) if isinstance(node.get("cte_map"), dict) else []
        hidden = hidden | {str(entry["key"]).lower() for entry in entries}
        if node.get("type") == "BASE_TABLE" and not node.get("schema_name") and not node.get("catalog_name"):
            name = str(node.get("table_name", ""))
            if name.lower() not in hidden:
                yield name
        for part in node.values():
            yield from _walk(part, hidden)
    elif isinstance(node, list):
        for part in node:
            yield from _walk(part, hidden)


def _plain(name: str) -> str:
    """A table's name without quotes; nothing for a table of a schema or of another database."""
    text = name[1:-1] if name.startswith('"') and name.endswith('"') else name
    return text if text.isidentifier() else ""
