"""What tasks do that run a statement once for each row of a stored file, whichever the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.plugins import Duration, Dynamic, RunContext, RunnableTask, Text
from nbflow.tasks.sql.connections import Connection
from nbflow.tasks.sql.conversation import Conversation
from nbflow.tasks.sql.job import in_thread
from nbflow.tasks.sql.query import OneDatabase
from nbflow.tasks.sql.records import Row, RowFormat, format_of, portions, read_rows


class FromFile(OneDatabase):
    """What tasks share that read the rows of a stored file."""

    from_: Dynamic[Text] = Field(
        alias="from", description="URI of the file: JSON Lines, CSV with names in its first line, Parquet, JSON or Ion."
    )
    file_format: Dynamic[RowFormat] | None = Field(
        default=None, description="What the file is written in; its name or its content says so, unless given."
    )
    columns: Dynamic[list[Text]] | None = Field(default=None, description="Which columns of the rows, in this order.")

    def rows(self, file: Path) -> Iterator[Row]:
        """The rows of the file."""
        return read_rows(file, self.file_format or format_of(self.from_, file))


class AnyBatch(FromFile, RunnableTask):
    """Run a statement once for each row of a stored file, all in one transaction."""

    class Output(RunnableTask.Output):
        row_count: int = Field(description="Rows of the file.")
        updated_count: int = Field(description="Rows of the table that were inserted or changed.")

    sql: Text | None = Field(
        default=None, description="Statement with a `?` for each column; made from `table` when there is none."
    )
    table: Dynamic[Text] | None = Field(default=None, description="Table to insert into, when there is no `sql`.")
    chunk: Dynamic[PositiveInt] = Field(default=1_000, description="How many rows are sent at once.")
    max_retries: Dynamic[int] = Field(default=3, description="Accepted; `retry` says how a task is tried again.")
    retry_backoff: Dynamic[Duration] | None = Field(default=None, description="Accepted, as `maxRetries` is.")
    retry_scope: Dynamic[Text] | None = Field(default=None, description="Accepted, as `maxRetries` is.")
    resume_on_retry: Dynamic[bool] = Field(default=True, description="Accepted; a failure undoes the whole.")
    input_handling: Dynamic[Text] | None = Field(default=None, description="Accepted; files are always streamed.")
    local_buffer_max_bytes: Dynamic[int] | None = Field(default=None, description="Accepted, as `inputHandling` is.")
    time_zone_id: Dynamic[Text] | None = Field(default=None, description="Time zone of the session.")

    async def run(self, ctx: RunContext) -> Output:
        sql = ctx.render(self.sql) if self.sql else None
        if sql is None and not self.table:
            raise TaskFailedError("there is neither `sql` nor `table`", hint="say where the rows go")
        talk = Conversation(ctx, lambda: self.connect(ctx))

        def work() -> tuple[int, int, int]:
            file = ctx.file(self.from_)  # fetched in the thread, as it may be large
            return talk.hold(lambda connection: self._insert(connection, sql, file, talk.check))

        records, updated, sent = await in_thread(work, talk.cancel)
        for name, value in {"records": records, "updated": updated, "query": sent}.items():
            ctx.metric(name, value)
        return self.Output(row_count=records, updated_count=updated)

    def _insert(
        self, connection: Connection, sql: str | None, file: Path, check: Callable[[], None]
    ) -> tuple[int, int, int]:
        """Send all rows: how many there were, how many changed, and in how many portions."""
        if self.time_zone_id:
            connection.set_time_zone(self.time_zone_id)
        columns = self.columns
        if sql is None:
            columns = columns or connection.columns(self.table or "")
            names = ", ".join(map(connection.quoted, columns))
            sql = f"INSERT INTO {self.table} ({names}) VALUES ({', '.join('?' for _ in columns)})"
        records = updated = sent = 0
        connection.begin()
        for portion in portions(self.rows(file), self.chunk):
            check()
            updated += connection.run_many(sql, [_values(row, columns, records + 1) for row in portion])
            records += len(portion)
            sent += 1
        connection.commit()
        return records, updated, sent


def _values(row: Row, columns: Sequence[str] | None, number: int) -> list[object]:
    """The values of a row for the placeholders. Names match in any case when they do not match as they are."""
    if not columns:
        return list(row.values())
    if all(name in row for name in columns):
        return [row[name] for name in columns]
    folded = {name.lower(): value for name, value in row.items()}
    found = [folded.get(name.lower()) for name in columns]
    if not any(name.lower() in folded for name in columns):
        raise TaskFailedError(
            f"row {number} of the file has none of the columns {', '.join(columns)}",
            hint=f"it has {', '.join(row)}; say with `columns` which of them go in",
        )
    return found
