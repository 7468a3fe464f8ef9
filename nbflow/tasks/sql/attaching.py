"""Lets DuckDB read an attached PostgreSQL or SQLite also where its own extension for that cannot be had.

DuckDB downloads the extension from its own site. When it cannot, and none is installed, the tables that the SQL names
are copied into a database of DuckDB, which takes the place of the attached one: a picture of the moment, read-only.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.sql.job import message_of
from nbflow.tasks.sql.text import quoted, quoted_name

_GET = re.compile(
    r"^\s*(?:FORCE\s+)?(?P<verb>INSTALL|LOAD)\s+(['\"]?)(?P<name>postgres|sqlite|sqlite3)(?:_scanner)?\2\s*;?\s*$", re.I
)
_ATTACH = re.compile(
    r"""^\s*ATTACH\s+(?:DATABASE\s+)?(?:IF\s+NOT\s+EXISTS\s+)?'(?P<place>(?:[^']|'')*)'
    (?:\s+AS\s+(?P<name>\w+|"(?:[^"]|"")+"))?\s*(?:\((?P<options>[^)]*)\))?\s*;?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_TYPE = re.compile(r"\bTYPE\s+['\"]?(?P<type>\w+)", re.IGNORECASE)
_KINDS = {"postgres": "postgres", "postgresql": "postgres", "sqlite": "sqlite", "sqlite3": "sqlite"}
_EXTENSIONS = {"postgres": "postgres_scanner", "sqlite": "sqlite_scanner"}
_MAGIC = b"SQLite format 3\x00"
_NULL = "\\N"
_BLOCK = 5_000
_OF_POSTGRES = {
    "bool": "BOOLEAN",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "REAL",
    "float8": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "uuid": "UUID",
    "json": "JSON",
    "jsonb": "JSON",
}
_OF_SQLITE = (
    ("INT", "BIGINT"),
    ("CHAR", "VARCHAR"),
    ("CLOB", "VARCHAR"),
    ("TEXT", "VARCHAR"),
    ("REAL", "DOUBLE"),
    ("FLOA", "DOUBLE"),
    ("DOUB", "DOUBLE"),
    ("DEC", "DOUBLE"),
    ("NUM", "DOUBLE"),
    ("DATETIME", "TIMESTAMP"),
    ("TIMESTAMP", "TIMESTAMP"),
    ("DATE", "DATE"),
)
"""Types of DuckDB for what is in the name of a type of SQLite; the first that fits. Source: SQLite, type affinity."""

_not_to_be_had: set[str] = set()
"""Extensions that could not be downloaded: asking again takes seconds each time."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of another database; `columns` are (name, type of DuckDB) pairs."""

    schema: str
    name: str
    columns: Sequence[tuple[str, str]]


class Source(Protocol):
    """Another database, to be copied from."""

    def tables(self) -> Iterator[Table]: ...
    def write(self, table: Table, file: Path) -> None:
        """Write the rows of a table as CSV, `\\N` for NULL."""
        ...

    def close(self) -> None: ...


class Attachments:
    """The databases that a session of DuckDB attaches."""

    def __init__(self, ctx: RunContext) -> None:
        self._ctx = ctx

    def take(self, connection: Any, statement: str, sql: str) -> bool:
        """Whether a statement was about an extension that cannot be had, and has been seen to; `sql` is the whole.

        `connection` is one of DuckDB.
        """
        asked = _GET.match(statement)
        if asked is not None:
            return not self._is_there(connection, _KINDS[asked["name"].lower()])
        match = _ATTACH.match(statement)
        if match is None:
            return False
        place = match["place"].replace("''", "'")
        kind = self._kind(place, match["options"] or "")
        if kind is None or self._is_there(connection, kind):
            return False
        name = (match["name"] or Path(place).stem).strip('"')
        self._ctx.log.warning(
            "DuckDB's extension %s cannot be had: the tables of `%s` that the SQL names are copied, to be read only",
            _EXTENSIONS[kind],
            name,
        )
        file = self._copy(kind, place, name, sql)
        connection.execute(f"ATTACH {quoted(str(file))} AS {quoted_name(name)} (READ_ONLY)")
        return True

    def _kind(self, place: str, options: str) -> str | None:
        found = _TYPE.search(options)
        if found is not None:
            return _KINDS.get(found["type"].lower())
        file = self._ctx.working_dir / place
        if not file.is_file():
            return None
        with file.open("rb") as content:
            return "sqlite" if content.read(len(_MAGIC)) == _MAGIC else None

    def _is_there(self, connection: Any, kind: str) -> bool:
        """Whether DuckDB has the extension, or can download it now."""
        import duckdb

        name = _EXTENSIONS[kind]
        has = "SELECT 1 FROM duckdb_extensions() WHERE extension_name = ? AND (installed OR loaded)"
        if connection.execute(has, [name]).fetchone():
            return True
        if name in _not_to_be_had:
            return False
        try:
            with connection.cursor() as other:  # a failure would undo the transaction of this one
                other.install_extension(name)
        except duckdb.Error as cause:
            _not_to_be_had.add(name)
            self._ctx.log.debug("%s", message_of(cause))
            return False
        return True

    def _copy(self, kind: str, place: str, name: str, sql: str) -> Path:
        """Copy the tables that the SQL names into a file of DuckDB; its path."""
        import duckdb

        file = self._ctx.path(f".nbflow-attached-{self._ctx.task_run_id}-{name}.duckdb")
        rows = file.with_suffix(".csv")
        wanted = _named_tables(sql, name)
        with closing(self._source(kind, place)) as source, duckdb.connect(str(file)) as target:
            for table in source.tables():
                if wanted is not None and table.name.lower() not in wanted:
                    continue
                source.write(table, rows)
                target.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted_name(table.schema)}")
                types = ", ".join(f"{quoted(column)}: {quoted(kind)}" for column, kind in table.columns)
                target.execute(
                    f"CREATE TABLE {quoted_name(table.schema)}.{quoted_name(table.name)} AS FROM read_csv("
                    f"{quoted(str(rows))}, header = false, auto_detect = false, delim = ',', quote = '\"', "
                    f"escape = '\"', nullstr = {quoted(_NULL)}, columns = {{{types}}})"
                )
                rows.unlink()
        return file

    def _source(self, kind: str, place: str) -> Source:
        return PostgresSource(place) if kind == "postgres" else SqliteSource(self._ctx.working_dir / place)


def _named_tables(sql: str, name: str) -> set[str] | None:
    """The tables of an attached database that a text names, in small letters; None when it may mean any."""
    if re.search(rf"\bUSE\s+[\"']?{re.escape(name)}\b", sql, re.IGNORECASE):
        return None
    part = r'\s*\.\s*(?:"((?:[^"]|"")+)"|(\w+))'
    found = re.findall(rf'(?<![\w.])"?{re.escape(name)}"?{part}(?:{part})?', sql, re.IGNORECASE)
    return {text.lower() for groups in found for text in groups if text}


class SqliteSource:
    """A file of SQLite."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise TaskFailedError(f"there is no file {file.name} to attach")
        self._connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)

    def tables(self) -> Iterator[Table]:
        names = self._connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        for (name,) in names:
            columns = self._connection.execute(f"PRAGMA table_info({quoted_name(name)})").fetchall()
            yield Table("main", name, [(column[1], _of_sqlite(column[2])) for column in columns])

    def write(self, table: Table, file: Path) -> None:
        cursor = self._connection.execute(f"SELECT * FROM {quoted_name(table.name)}")
        with file.open("w", newline="", encoding="utf-8") as target:
            writer = csv.writer(target)
            while rows := cursor.fetchmany(_BLOCK):
                writer.writerows([_NULL if value is None else value for value in row] for row in rows)

    def close(self) -> None:
        self._connection.close()


class PostgresSource:
    """A database of PostgreSQL; `place` is a string of libpq."""

    def __init__(self, place: str) -> None:
        try:
            import psycopg
        except ImportError as missing:
            raise MissingExtraError(
                "an attached PostgreSQL needs the package `psycopg`", hint="pip install 'jupyter-nbflow[postgres]'"
            ) from missing
        try:
            self._connection = psycopg.connect(place)
        except psycopg.Error as cause:
            raise TaskFailedError(f"the database to attach cannot be reached: {message_of(cause)}") from cause

    def tables(self) -> Iterator[Table]:
        columns = self._connection.execute(
            "SELECT table_schema, table_name, array_agg(column_name::text ORDER BY ordinal_position), "
            "array_agg(udt_name::text ORDER BY ordinal_position), "
            "array_agg(COALESCE(numeric_precision, 0)::int ORDER BY ordinal_position), "
            "array_agg(COALESCE(numeric_scale, 0)::int ORDER BY ordinal_position) FROM information_schema.columns "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        for schema, name, names, types, precisions, scales in columns:
            kinds = map(_of_postgres, types, precisions, scales)
            yield Table(schema, name, list(zip(names, kinds, strict=True)))

    def write(self, table: Table, file: Path) -> None:
        query = f"SELECT * FROM {quoted_name(table.schema)}.{quoted_name(table.name)}"
        sql = f"COPY ({query}) TO STDOUT WITH (FORMAT CSV, NULL {quoted(_NULL)})"
        with self._connection.cursor() as cursor, cursor.copy(sql) as copy, file.open("wb") as target:
            for block in copy:
                target.write(block)

    def close(self) -> None:
        self._connection.close()


def _of_sqlite(declared: str) -> str:
    return next((kind for part, kind in _OF_SQLITE if part in declared.upper()), "VARCHAR")


def _of_postgres(name: str, precision: int, scale: int) -> str:
    if name == "numeric":
        return f"DECIMAL({precision}, {scale})" if 0 < precision <= 38 else "DOUBLE"
    return _OF_POSTGRES.get(name, "VARCHAR")
