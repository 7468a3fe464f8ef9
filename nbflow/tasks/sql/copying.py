"""Task types that copy files into PostgreSQL and out of it, by its COPY protocol: block by block."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveInt, StringConstraints

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.sql.batch import FromFile
from nbflow.tasks.sql.connections import Connection
from nbflow.tasks.sql.conversation import Conversation
from nbflow.tasks.sql.job import in_thread
from nbflow.tasks.sql.postgresql import NEEDS, OnPostgres
from nbflow.tasks.sql.records import Row, RowFormat, format_of, read_rows
from nbflow.tasks.sql.text import quoted

_BLOCK = 256 * 1024
_LOOK_ROWS = 1_000

Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]


class CopyFormat(StrEnum):
    """What is copied: lines with tabs, CSV, or PostgreSQL's own binary format."""

    TEXT = "TEXT"
    CSV = "CSV"
    BINARY = "BINARY"


class Copying(OnPostgres):
    """The options of COPY."""

    table: Dynamic[Text] | None = Field(default=None, description="Table that is there, with its schema if need be.")
    columns: Dynamic[list[Text]] | None = Field(default=None, description="Columns to copy; all unless said.")
    format: Dynamic[CopyFormat] = Field(default=CopyFormat.TEXT, description="What the file is: TEXT, CSV or BINARY.")
    delimiter: Dynamic[Character] | None = Field(
        default=None, description="What parts columns: a tab in TEXT, a comma in CSV, unless said."
    )
    null_string: Dynamic[Text] | None = Field(
        default=None, description="What stands for NULL: `\\N` in TEXT, nothing at all in CSV, unless said."
    )
    header: Dynamic[bool] | None = Field(default=None, description="Whether the first line has the names of columns.")
    quote: Dynamic[Character] | None = Field(default=None, description='What quotes values in CSV: `"` unless said.')
    escape: Dynamic[Character] | None = Field(
        default=None, description="What stands before a quote in CSV: the same as `quote` unless said."
    )
    force_quote: Dynamic[list[Text]] | None = Field(
        default=None, description="Columns whose values are always quoted, in CSV that is written; `*` for all."
    )
    force_not_null: Dynamic[list[Text]] | None = Field(
        default=None, description="Columns in which nothing is an empty text, in CSV that is read."
    )
    force_null: Dynamic[list[Text]] | None = Field(
        default=None, description="Columns in which a quoted `nullString` is NULL as well, in CSV that is read."
    )
    encoding: Dynamic[Text] | None = Field(default=None, description="Encoding of the file, as PostgreSQL names it.")
    freeze: Dynamic[bool] = Field(default=False, description="Whether rows are stored frozen, as after VACUUM FREEZE.")
    oids: Dynamic[bool] = Field(default=False, description="Accepted; tables have no object ids any more.")
    socket_timeout: Dynamic[int] | None = Field(default=None, description="Accepted; `timeout` ends a copy.")

    def statement(self, source: str, direction: str) -> str:
        """The COPY of a table or of `(query)`: `FROM STDIN` or `TO STDOUT`."""
        options = [f"FORMAT {self.format.value}"]
        if self.freeze:
            options.append("FREEZE")
        if self.header is not None:
            options.append(f"HEADER {'TRUE' if self.header else 'FALSE'}")
        texts = {
            "DELIMITER": self.delimiter,
            "NULL": self.null_string,
            "QUOTE": self.quote,
            "ESCAPE": self.escape,
            "ENCODING": self.encoding,
        }
        options += [f"{name} {quoted(value)}" for name, value in texts.items() if value is not None]
        lists = {
            "FORCE_QUOTE": self.force_quote,
            "FORCE_NOT_NULL": self.force_not_null,
            "FORCE_NULL": self.force_null,
        }
        options += [f"{name} {_column_list(names)}" for name, names in lists.items() if names]
        return f"COPY {source} {direction} WITH ({', '.join(options)})"

    def target(self) -> str:
        """The table and its columns. Raises: TaskFailedError when no table is named."""
        if not self.table:
            raise TaskFailedError("`table` is missing", hint="name the table to copy")
        return f"{self.table} ({', '.join(self.columns)})" if self.columns else self.table


def _column_list(names: Sequence[str]) -> str:
    return "*" if list(names) == ["*"] else f"({', '.join(names)})"


_IN = Example(
    title="Load a CSV into a table.",
    needs=NEEDS,
    yaml="""
    id: load
    type: io.kestra.plugin.jdbc.postgresql.CopyIn
    url: jdbc:postgresql://localhost:5432/shop
    username: app
    password: "{{ secret('POSTGRES_PASSWORD') }}"
    from: kestra:///company/team/orders.csv
    table: orders
    format: CSV
    header: true
    """,
)
_OUT = Example(
    title="Store what a query gives as CSV.",
    needs=NEEDS,
    yaml="""
    id: export
    type: io.kestra.plugin.jdbc.postgresql.CopyOut
    url: jdbc:postgresql://localhost:5432/shop
    username: app
    password: "{{ secret('POSTGRES_PASSWORD') }}"
    sql: SELECT id, placed FROM orders
    format: CSV
    header: true
    """,
)
_LOAD = Example(
    title="Load a stored file of rows, whatever it is written in.",
    needs=NEEDS,
    yaml="""
    id: load
    type: io.kestra.plugin.jdbc.postgresql.Load
    url: jdbc:postgresql://localhost:5432/shop
    username: app
    password: "{{ secret('POSTGRES_PASSWORD') }}"
    from: kestra:///company/team/orders.jsonl
    table: orders
    """,
)


@task_type("io.kestra.plugin.jdbc.postgresql.CopyIn", aliases=["postgres_copy_in"], examples=[_IN])
class CopyIn(Copying, RunnableTask):
    """Copy a stored file into a table of PostgreSQL. It is sent as it is, and never whole in memory."""

    class Output(RunnableTask.Output):
        row_count: int = Field(description="Rows that were copied.")

    from_: Dynamic[Text] = Field(alias="from", description="URI of the file.")

    async def run(self, ctx: RunContext) -> Output:
        sql = self.statement(self.target(), "FROM STDIN")
        ctx.log.debug("%s", sql)
        talk = Conversation(ctx, lambda: self.connect(ctx))

        def work() -> int:
            file = ctx.file(self.from_)
            return talk.hold(lambda connection: send(connection, sql, file, talk.check))

        rows = await in_thread(work, talk.cancel)
        ctx.metric("rows", rows)
        return self.Output(row_count=rows)


@task_type("io.kestra.plugin.jdbc.postgresql.CopyOut", aliases=["postgres_copy_out"], examples=[_OUT])
class CopyOut(Copying, RunnableTask):
    """Copy a table of PostgreSQL, or what a query gives, into a stored file."""

    class Output(RunnableTask.Output):
        row_count: int = Field(description="Rows that were copied.")
        uri: Text = Field(description="URI of the file.")

    sql: Text | None = Field(default=None, description="Query whose rows are copied, instead of a `table`.")

    async def run(self, ctx: RunContext) -> Output:
        query = ctx.render(self.sql).strip().rstrip(";") if self.sql else None
        sql = self.statement(f"({query}\n)" if query else self.target(), "TO STDOUT")
        ctx.log.debug("%s", sql)
        talk = Conversation(ctx, lambda: self.connect(ctx))
        suffix = {CopyFormat.CSV: ".csv", CopyFormat.TEXT: ".txt"}.get(self.format, ".bin")
        file = ctx.path(f".nbflow-copy-{ctx.task_run_id}")

        def work() -> tuple[int, str]:
            try:
                rows = talk.hold(lambda connection: _receive(connection, sql, file, talk.check))
                return rows, ctx.store_file(file, f"copy-out{suffix}")
            finally:
                file.unlink(missing_ok=True)

        rows, uri = await in_thread(work, talk.cancel)
        ctx.metric("rows", rows)
        return self.Output(row_count=rows, uri=uri)


@task_type("io.kestra.plugin.jdbc.postgresql.Load", aliases=["postgres_load"], examples=[_LOAD])
class Load(FromFile, OnPostgres, RunnableTask):
    """Load the rows of a stored file into a table of PostgreSQL, by column names: JSON Lines, CSV, Parquet, JSON, Ion.

    All rows are loaded or none, and they are never all in memory.
    """

    class Output(RunnableTask.Output):
        row_count: int = Field(description="Rows that were loaded.")

    table: Dynamic[Text] = Field(description="Table that is there, with its schema if need be.")
    chunk: Dynamic[PositiveInt] = Field(default=10_000, description="Accepted; rows are sent as they are read.")
    delimiter: Dynamic[Character] = Field(default=",", description="What parts columns of a CSV.")

    async def run(self, ctx: RunContext) -> Output:
        talk = Conversation(ctx, lambda: self.connect(ctx))

        def work() -> int:
            file = ctx.file(self.from_)
            form = self.file_format or format_of(self.from_, file)
            if form is RowFormat.CSV:
                return talk.hold(lambda connection: self._send_csv(connection, file, talk.check))
            return talk.hold(lambda connection: self._send_rows(connection, file, talk.check))

        rows = await in_thread(work, talk.cancel)
        ctx.metric("rows", rows)
        return self.Output(row_count=rows)

    def _send_csv(self, connection: Connection, file: Path, check: Callable[[], None]) -> int:
        names = _names_in(file, self.delimiter)
        if self.columns and self.columns != names:
            return self._send_rows(connection, file, check)
        options = f"FORMAT CSV, HEADER TRUE, DELIMITER {quoted(self.delimiter)}"
        return send(connection, f"COPY {self._target(connection, names)} FROM STDIN WITH ({options})", file, check)

    def _send_rows(self, connection: Connection, file: Path, check: Callable[[], None]) -> int:
        rows = self.rows(file)
        first = next(rows, None)
        if first is None:
            return 0
        names = self.columns or list(first)
        sql = f"COPY {self._target(connection, names)} FROM STDIN"
        count = 0
        with connection.raw.cursor() as cursor, cursor.copy(sql) as copy:
            for count, row in enumerate(chain([first], rows), start=1):
                copy.write_row([connection.value(row.get(name)) for name in names])
                if count % _LOOK_ROWS == 0:
                    check()
        return count

    def rows(self, file: Path) -> Iterator[Row]:
        return read_rows(file, self.file_format or format_of(self.from_, file), self.delimiter)

    def _target(self, connection: Connection, names: Sequence[str]) -> str:
        columns = _columns_for(names, connection.columns(self.table), self.table)
        return f"{self.table} ({', '.join(map(connection.quoted, columns))})"


def send(connection: Connection, sql: str, file: Path, check: Callable[[], None]) -> int:
    """Send a file to a `COPY … FROM STDIN` as it is; how many rows it had."""
    with connection.raw.cursor() as cursor:
        with cursor.copy(sql) as copy, file.open("rb") as content:
            while block := content.read(_BLOCK):
                check()
                copy.write(block)
        return int(cursor.rowcount)


def _receive(connection: Connection, sql: str, file: Path, check: Callable[[], None]) -> int:
    """Write what a `COPY … TO STDOUT` gives to a file; how many rows these are."""
    with connection.raw.cursor() as cursor:
        with cursor.copy(sql) as copy, file.open("wb") as content:
            for block in copy:
                content.write(block)
        check()
        return int(cursor.rowcount)


def _names_in(file: Path, delimiter: str) -> list[str]:
    """The names in the first line of a CSV."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        return next(csv.reader(lines, delimiter=delimiter), [])


def _columns_for(names: Sequence[str], columns: Sequence[str], table: str) -> list[str]:
    """The columns of a table that names mean, in any case. Raises: TaskFailedError for one that it does not have."""
    folded = {column.lower(): column for column in columns}
    missing = [name for name in names if name not in columns and name.lower() not in folded]
    if missing:
        raise TaskFailedError(
            f"the table {table} has no column {missing[0]!r}",
            hint=f"it has {', '.join(columns)}; say with `columns` which of the file's go in",
        )
    return [name if name in columns else folded[name.lower()] for name in names]
