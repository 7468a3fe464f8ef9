"""Task types that ask DuckDB: files, stored files and databases, with SQL."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import AliasChoices, Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.tasks.sql.fetching import Result
from nbflow.tasks.sql.job import in_thread
from nbflow.tasks.sql.properties import SqlProperties, StatementOutput, statement_output
from nbflow.tasks.sql.session import Session
from nbflow.tasks.working_files import put_input_files, store_output_files
from nbflow.types import JsonValue


class OnDuckDb(SqlProperties):
    """What all that ask DuckDB share."""

    sql: Text = Field(description="SQL to run. The URI of a stored file may stand where SQL takes a file's name.")
    url: Dynamic[Text] = Field(
        default="jdbc:duckdb:", description="`jdbc:duckdb:` and a database file; in memory without one."
    )
    database_uri: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("databaseUri", "databaseFile"),
        description="URI of a stored database to work on a copy of.",
    )
    output_db_file: Dynamic[bool] = Field(default=False, description="Whether to store the database afterwards.")
    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    output_files: list[Text] = Field(default_factory=list, description="Files to store afterwards: names or globs.")
    community_extensions: Dynamic[list[Text]] = Field(
        default_factory=list, description="Extensions of the community to load first; one that cannot be is left out."
    )
    username: Dynamic[Text] | None = Field(default=None, description="Accepted; DuckDB has no users.")
    password: Dynamic[Text] | None = Field(default=None, description="Accepted; DuckDB has no users.")

    async def ask(self, ctx: RunContext, transaction: bool) -> tuple[list[Result], dict[str, str], str | None]:
        """Run the SQL in a thread: results of its statements, files it wrote, URI of its database."""
        session = Session(ctx, self.url, self.database_uri, self.output_db_file, self.community_extensions)
        return await in_thread(lambda: self._work(ctx, session, transaction), session.cancel)

    def _work(
        self, ctx: RunContext, session: Session, transaction: bool
    ) -> tuple[list[Result], dict[str, str], str | None]:
        directory = ctx.working_dir
        names: Mapping[str, object] = {
            "workingDir": str(directory),
            "outputFiles": {name: str(directory / name) for name in self.output_files},
        }
        if self.input_files:
            put_input_files(ctx, self.input_files, names)
        results = session.run(self.job(ctx, names, transaction))
        patterns = [ctx.render(pattern, names) for pattern in self.output_files]
        files = store_output_files(ctx, patterns) if patterns else {}
        ctx.metric("fetch.size", sum(result.size for result in results))
        return results, files, session.store_database() if self.output_db_file else None


_QUERY = Example(
    title="Ask a CSV that another task has written, by its URI.",
    yaml="""
    - id: products
      type: io.kestra.plugin.core.storage.Write
      extension: .csv
      content: |
        brand,price
        A,1
        A,3
        B,5

    - id: prices
      type: io.kestra.plugin.jdbc.duckdb.Query
      sql: |
        SELECT brand, avg(price) AS avg_price
        FROM read_csv_auto('{{ outputs.products.uri }}')
        GROUP BY brand ORDER BY brand
      fetchType: FETCH
    """,
)
_QUERIES = Example(
    title="Read a file by its name, and store rows as Parquet.",
    yaml="""
    id: cleaned
    type: io.kestra.plugin.jdbc.duckdb.Queries
    inputFiles:
      raw.csv: |
        n
        1
        2
    sql: |
      CREATE TABLE numbers AS FROM read_csv_auto('{{ workingDir }}/raw.csv');
      SELECT n, n * n AS square FROM numbers;
    fetchType: STORE
    storeFormat: PARQUET
    """,
)


@task_type("io.kestra.plugin.jdbc.duckdb.Query", aliases=["duckdb"], examples=[_QUERY])
class Query(OnDuckDb, RunnableTask):
    """Run SQL with DuckDB. Of several statements, the last one that has rows gives the output."""

    class Output(RunnableTask.Output):
        row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
        uri: Text | None = Field(default=None, description="URI of the stored rows, with fetchType STORE.")
        size: int = Field(default=0, description="Number of rows.")
        output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of files it wrote.")
        database_uri: Text | None = Field(default=None, description="URI of the database, with `outputDbFile`.")

    async def run(self, ctx: RunContext) -> Output:
        results, files, database = await self.ask(ctx, transaction=False)
        last = results[-1] if results else Result()
        return self.Output(
            row=last.row, rows=last.rows, uri=last.uri, size=last.size, output_files=files, database_uri=database
        )


@task_type("io.kestra.plugin.jdbc.duckdb.Queries", aliases=["duckdb_queries"], examples=[_QUERIES])
class Queries(OnDuckDb, RunnableTask):
    """Run several SQL statements with DuckDB; each that has rows gives an output."""

    class Output(RunnableTask.Output):
        outputs: list[StatementOutput] = Field(description="What each statement with rows gave, in their order.")
        output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of files they wrote.")
        database_uri: Text | None = Field(default=None, description="URI of the database, with `outputDbFile`.")

    transaction: Dynamic[bool] = Field(default=True, description="Whether a failure undoes all statements.")

    async def run(self, ctx: RunContext) -> Output:
        results, files, database = await self.ask(ctx, transaction=self.transaction)
        outputs = [statement_output(result) for result in results]
        return self.Output(outputs=outputs, output_files=files, database_uri=database)
