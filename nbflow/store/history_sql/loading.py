"""Reads from the store what a query needs, into tables of DuckDB: through a file of text, all in one transaction."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, bindparam, text

from nbflow.store.history_sql.plan import Condition, Reading, readings
from nbflow.store.history_sql.tables import HISTORY

_NULL = "\\N"


def load(history: Connection, connection: Any, query: str) -> None:  # Any: DuckDB has no static types
    """Make the tables and fill them with what the query reads. Raises: duckdb.Error for a query that is wrong."""
    for table in HISTORY.values():
        connection.execute(table.create())
    with tempfile.TemporaryDirectory(prefix="nbflow-sql-") as folder:
        for reading in readings(connection, query).values():
            _copy(history, connection, reading, Path(folder) / f"{reading.table.name}.csv")


def _copy(history: Connection, connection: Any, reading: Reading, file: Path) -> None:
    """Copy what is read of a table: the store's text into a file, the file into DuckDB."""
    table = reading.table
    columns = [column for column in table.columns if column.name in reading.columns] or [table.columns[0]]
    sources = list(dict.fromkeys(column.source for column in columns))
    where, parameters = _where(reading)
    needed = " ".join((*sources, where))
    joined = table.joined if "e." in needed and table.joined else ""
    selected = ", ".join(_as_text(source) for source in sources)
    first = reading.first
    order = (
        f"ORDER BY {first.column.source} {first.direction}" if first is not None and first.column is not None else ""
    )
    limit = f"LIMIT {first.count}" if first is not None else ""
    statement = text(f"SELECT {selected} FROM {table.source} {joined} {where} {order} {limit}").bindparams(
        *(bindparam(name, value, expanding=isinstance(value, list)) for name, value in parameters.items())
    )
    rows = history.execution_options(stream_results=True).execute(statement)
    with file.open("w", encoding="utf-8", newline="") as target:
        # SQLite's own cursor is twice as fast; behind a stream of PostgreSQL SQLAlchemy has read ahead.
        found = rows.cursor if history.dialect.name == "sqlite" else rows
        csv.writer(target, lineterminator="\n").writerows(cast("Iterable[Sequence[object]]", found))
    rows.close()
    names = [f"c{number}" for number in range(len(sources))]
    values = ", ".join(column.reading(names[sources.index(column.source)]) for column in columns)
    into = ", ".join(f'"{column.name}"' for column in columns)
    kinds = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
    connection.execute(
        f'INSERT INTO "{table.name}" ({into}) SELECT {values} FROM read_csv(?, header = false, auto_detect = false, '
        f"columns = {{{kinds}}}, delim = ',', quote = '\"', escape = '\"', nullstr = '{_NULL}', new_line = '\\n', "
        "max_line_size = 100000000, parallel = false)",
        [str(file)],
    )


def _as_text(source: str) -> str:
    """A source with a text for NULL. What is never NULL stays as it is: a float would lose digits as text."""
    return source if source in ("m.value", "e.id", "r.history") else f"COALESCE(CAST({source} AS TEXT), '{_NULL}')"


def _where(reading: Reading) -> tuple[str, dict[str, object]]:
    """The WHERE clause for the store: what holds for any of the times that the query reads the table."""
    if not all(reading.conditions):  # once it is read without a condition
        return "", {}
    parameters: dict[str, object] = {}

    def written(condition: Condition) -> str:
        name = f"p{len(parameters)}"
        several = condition.operator == "IN"
        parameters[name] = list(condition.values) if several else condition.values[0]
        return f"{condition.column.source} {condition.operator} :{name}"

    cases = [" AND ".join(map(written, conditions)) for conditions in reading.conditions]
    return "WHERE " + " OR ".join(f"({case})" for case in cases), parameters
