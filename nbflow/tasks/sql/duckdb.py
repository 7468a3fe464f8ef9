"""Task types that ask DuckDB: files, stored files and databases, with SQL."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pydantic import AliasChoices, Field, PositiveInt

from nbflow.plugins import Dynamic, Model, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.sql.fetching import FetchType, Result
from nbflow.tasks.sql.session import Job, Session
from nbflow.tasks.working_files import put_input_files, store_output_files
from nbflow.types import JsonValue

_CANCEL_LOOK_SECONDS = 0.05
_CANCEL_LOOKS = 200


class StatementOutput(Model):
    """What one statement gave."""

    row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
    rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
    uri: Text | None = Field(default=None, description="URI of the stored rows (JSON Lines), with fetchType STORE.")
    size: int | None = Field(default=None, description="Number of rows.")


class DuckDbTask(RunnableTask):
    """What both tasks share.

    SQL is rendered as the task runs, not before: it may name `workingDir` and `outputFiles.name`.
    """

    sql: Text = Field(description="SQL to run. The URI of a stored file may stand where SQL takes a file's name.")
    url: Dynamic[Text] = Field(
        default="jdbc:duckdb:", description="`jdbc:duckdb:` and a database file; in memory without one."
    )
    database_uri: Dynamic[Text] | None = Field(
        default=None, description="URI of a stored database to work on a copy of."
    )
    output_db_file: Dynamic[bool] = Field(default=False, description="Whether to store the database afterwards.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    output_files: list[Text] = Field(default_factory=list, description="Files to store afterwards: names or globs.")
    parameters: Dynamic[dict[str, JsonValue] | list[JsonValue]] | None = Field(
        default=None, description="Values for `:name` or `$name` (a map), or for `?` (a list)."
    )
    fetch_type: Dynamic[FetchType] | None = Field(
        default=None, description="What to do with rows: STORE (unless said), FETCH, FETCH_ONE or NONE."
    )
    fetch: Dynamic[bool] = Field(default=False, description="Older form of fetchType FETCH.")
    fetch_one: Dynamic[bool] = Field(default=False, description="Older form of fetchType FETCH_ONE.")
    store: Dynamic[bool] = Field(default=False, description="Older form of fetchType STORE.")
    fetch_size: Dynamic[PositiveInt] | None = Field(default=None, description="Accepted; rows come in portions anyway.")
    time_zone_id: Dynamic[Text] | None = Field(
        default=None, validation_alias=AliasChoices("timeZoneId", "timezone"), description="Time zone of the session."
    )
    username: Dynamic[Text] | None = Field(default=None, description="Accepted; DuckDB has no users.")
    password: Dynamic[Text] | None = Field(default=None, description="Accepted; DuckDB has no users.")
    after_sql: Text | None = Field(
        default=None, validation_alias=AliasChoices("afterSQL", "afterSql"), description="SQL to run at the end."
    )
    in_transaction: ClassVar[bool] = False

    @property
    def wanted(self) -> FetchType:
        """What to do with rows, in whichever form it was written."""
        if self.fetch_type is not None:
            return self.fetch_type
        older = {FetchType.FETCH_ONE: self.fetch_one, FetchType.STORE: self.store, FetchType.FETCH: self.fetch}
        return next((kind for kind, is_set in older.items() if is_set), FetchType.STORE)

    async def ask(self, ctx: RunContext, transaction: bool) -> tuple[list[Result], dict[str, str], str | None]:
        """Run the SQL in a thread: results of its statements, files it wrote, URI of its database."""
        session = Session(ctx, self.url, self.database_uri, self.output_db_file)
        work = asyncio.get_running_loop().run_in_executor(None, self._work, ctx, session, transaction)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            for _ in range(_CANCEL_LOOKS):  # an interrupt between two statements is lost: ask again
                session.cancel()
                done, _pending = await asyncio.wait([work], timeout=_CANCEL_LOOK_SECONDS)
                if done:
                    break
            raise

    def _work(
        self, ctx: RunContext, session: Session, transaction: bool
    ) -> tuple[list[Result], dict[str, str], str | None]:
        directory = ctx.working_dir
        names = {
            "workingDir": str(directory),
            "outputFiles": {name: str(directory / name) for name in self.output_files},
        }
        if self.input_files:
            put_input_files(ctx, self.input_files, names)
        job = Job(
            sql=ctx.render(self.sql, names),
            after=ctx.render(self.after_sql, names) if self.after_sql else None,
            parameters=self.parameters,
            fetch=self.wanted,
            transaction=transaction,
            time_zone=self.time_zone_id,
        )
        results = session.run(job)
        patterns = [ctx.render(pattern, names) for pattern in self.output_files]
        files = store_output_files(ctx, patterns) if patterns else {}
        ctx.metric("fetch.size", sum(result.size for result in results))
        return results, files, session.store_database() if self.output_db_file else None


@task_type("io.kestra.plugin.jdbc.duckdb.Query", aliases=["duckdb"])
class Query(DuckDbTask):
    """Run SQL with DuckDB. Of several statements, the last one that has rows gives the output."""

    class Output(RunnableTask.Output):
        row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
        uri: Text | None = Field(default=None, description="URI of the stored rows (JSON Lines), with fetchType STORE.")
        size: int = Field(default=0, description="Number of rows.")
        output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of files it wrote.")
        database_uri: Text | None = Field(default=None, description="URI of the database, with `outputDbFile`.")

    async def run(self, ctx: RunContext) -> Output:
        results, files, database = await self.ask(ctx, transaction=False)
        last = results[-1] if results else Result()
        return self.Output(
            row=last.row, rows=last.rows, uri=last.uri, size=last.size, output_files=files, database_uri=database
        )


@task_type("io.kestra.plugin.jdbc.duckdb.Queries", aliases=["duckdb_queries"])
class Queries(DuckDbTask):
    """Run several SQL statements with DuckDB; each that has rows gives an output."""

    class Output(RunnableTask.Output):
        outputs: list[StatementOutput] = Field(description="What each statement with rows gave, in their order.")
        output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of files they wrote.")
        database_uri: Text | None = Field(default=None, description="URI of the database, with `outputDbFile`.")

    transaction: Dynamic[bool] = Field(default=True, description="Whether a failure undoes all statements.")

    async def run(self, ctx: RunContext) -> Output:
        results, files, database = await self.ask(ctx, transaction=self.transaction)
        outputs = [StatementOutput(row=one.row, rows=one.rows, uri=one.uri, size=one.size) for one in results]
        return self.Output(outputs=outputs, output_files=files, database_uri=database)
