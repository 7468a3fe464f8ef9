"""Writes rows as Parquet, with DuckDB: streamed, so that they need not fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbflow.tasks.sql.text import quoted, quoted_name

_MEMORY = "100MB"
_ROW_GROUP = 20_480
"""Rows that are in memory at once as they are written."""
_OF_POSTGRES = {
    16: "BOOLEAN",
    20: "BIGINT",
    21: "SMALLINT",
    23: "INTEGER",
    25: "VARCHAR",
    700: "REAL",
    701: "DOUBLE",
    1042: "VARCHAR",
    1043: "VARCHAR",
    1082: "DATE",
    1083: "TIME",
    1114: "TIMESTAMP",
    1184: "TIMESTAMPTZ",
    1700: "DOUBLE",
    2950: "UUID",
}
"""Types of DuckDB for those of PostgreSQL, by their numbers. Source: catalog `pg_type`."""


def write_parquet(lines: Path, target: Path, names: Sequence[str], description: Any) -> int:
    """Write JSON Lines as Parquet; how many rows there are. `description` is that of the cursor they come from.

    Types are those of PostgreSQL's columns, or what the values look like.
    """
    import duckdb

    known = [_OF_POSTGRES.get(code) if isinstance(code := column[1], int) else None for column in description]
    reading = f"read_json({quoted(str(lines))}, format = 'newline_delimited'"
    if not names:
        chosen = "SELECT NULL AS none WHERE false"  # a file of Parquet has at least one column
    elif any(known) or not lines.stat().st_size:
        types = ", ".join(f"{quoted(name)}: '{kind or 'VARCHAR'}'" for name, kind in zip(names, known, strict=True))
        chosen = f"SELECT * FROM {reading}, columns = {{{types}}})"
    else:
        chosen = f"SELECT {', '.join(map(quoted_name, names))} FROM {reading}, sample_size = -1)"
    with duckdb.connect(config={"memory_limit": _MEMORY, "threads": "1"}) as connection:
        connection.execute(f"COPY ({chosen}) TO {quoted(str(target))} (FORMAT parquet, ROW_GROUP_SIZE {_ROW_GROUP})")
        counted = connection.execute(f"SELECT count(*) FROM read_parquet({quoted(str(target))})").fetchone()
    return int(counted[0]) if counted else 0
