"""Task types for SQLite: a database in a file, in memory, or stored between tasks."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath

from pydantic import AliasChoices, Field

from nbflow.plugins import Dynamic, Example, Model, RunContext, Text, task_type
from nbflow.tasks.sql.batch import AnyBatch
from nbflow.tasks.sql.query import AnyQueries, AnyQuery, OneDatabase
from nbflow.tasks.sql.urls import Address
from nbflow.tasks.working_files import put_input_files, store_output_files
from nbflow.types import JsonValue

_NAME = "database.sqlite"


class OnSqlite(OneDatabase):
    """Which database of SQLite is used."""

    kinds = ("sqlite",)

    url: Dynamic[Text] = Field(
        default="jdbc:sqlite:", description="`jdbc:sqlite:` and a file's name; in memory without one."
    )
    sqlite_file: Dynamic[Text] | None = Field(
        default=None,
        validation_alias=AliasChoices("sqliteFile", "databaseUri", "databaseFile"),
        description="URI of a stored database to work on a copy of.",
    )
    output_db_file: Dynamic[bool] = Field(default=False, description="Whether to store the database afterwards.")

    def address(self, ctx: RunContext) -> Address:
        address = super().address(ctx)
        if not self.sqlite_file and not self.output_db_file:
            return address
        file = ctx.path(self._file_name(address))
        if self.sqlite_file:
            shutil.copyfile(ctx.file(self.sqlite_file), file)
        return replace(address, path=str(file), options={})

    def _file_name(self, address: Address) -> str:
        name = PurePath(address.path).name
        return name if name and not address.path.startswith((":", "file:")) else _NAME

    def store_database(self, ctx: RunContext) -> str:
        """Store the database; its URI."""
        name = self._file_name(super().address(ctx))
        return ctx.store_file(ctx.path(name), name)


class OnSqliteFiles(OnSqlite):
    """Files that statements may name."""

    input_files: dict[str, JsonValue] | Text | None = Field(
        default=None, description="Files to find in the working directory: name → content or URI of a stored file."
    )
    output_files: list[Text] = Field(default_factory=list, description="Files to store afterwards: names or globs.")

    def names(self, ctx: RunContext) -> Mapping[str, object]:
        """What SQL may name beside what expressions see."""
        directory = ctx.working_dir
        names: dict[str, object] = {
            "workingDir": str(directory),
            "outputFiles": {name: str(directory / name) for name in self.output_files},
        }
        if self.input_files:
            put_input_files(ctx, self.input_files, names)
        return names

    async def store_files(self, ctx: RunContext) -> dict[str, object]:
        """Store what is to be kept: more of the outputs."""

        def store() -> dict[str, object]:
            patterns = [ctx.render(pattern) for pattern in self.output_files]
            return {
                "output_files": store_output_files(ctx, patterns) if patterns else {},
                "database_uri": self.store_database(ctx) if self.output_db_file else None,
            }

        return await asyncio.to_thread(store)


class StoredFiles(Model):
    """What is stored beside rows."""

    output_files: dict[str, str] = Field(default_factory=dict, description="Name → URI of files that were stored.")
    database_uri: Text | None = Field(default=None, description="URI of the database, with `outputDbFile`.")


_QUERY = Example(
    title="A database that goes from one task to the next as a stored file.",
    yaml="""
    - id: make
      type: io.kestra.plugin.jdbc.sqlite.Queries
      outputDbFile: true
      sql: |
        CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO people (name) VALUES ('Ada'), ('Grace');

    - id: ask
      type: io.kestra.plugin.jdbc.sqlite.Query
      sqliteFile: "{{ outputs.make.databaseUri }}"
      sql: SELECT name FROM people ORDER BY id
      fetchType: FETCH
    """,
)


_BATCH = Example(
    title="Insert the rows of a stored file into a stored database.",
    yaml="""
    - id: make
      type: io.kestra.plugin.jdbc.sqlite.Query
      outputDbFile: true
      sql: CREATE TABLE people (id INTEGER, name TEXT)

    - id: rows
      type: io.kestra.plugin.core.storage.Write
      extension: .jsonl
      content: |
        {"id": 1, "name": "Ada"}
        {"id": 2, "name": "Grace"}

    - id: insert
      type: io.kestra.plugin.jdbc.sqlite.Batch
      sqliteFile: "{{ outputs.make.databaseUri }}"
      outputDbFile: true
      from: "{{ outputs.rows.uri }}"
      table: people
    """,
)


@task_type("io.kestra.plugin.jdbc.sqlite.Query", aliases=["sqlite"], examples=[_QUERY])
class Query(OnSqliteFiles, AnyQuery):
    """Run SQL on SQLite. Of several statements, the last one that has rows gives the output."""

    class Output(AnyQuery.Output, StoredFiles):
        """Rows, and what was stored."""

    async def run(self, ctx: RunContext) -> AnyQuery.Output:
        output = await super().run(ctx)
        return output.model_copy(update=await self.store_files(ctx))


@task_type("io.kestra.plugin.jdbc.sqlite.Queries", aliases=["sqlite_queries"], examples=[_QUERY])
class Queries(OnSqliteFiles, AnyQueries):
    """Run several SQL statements on SQLite; each that has rows gives an output."""

    class Output(AnyQueries.Output, StoredFiles):
        """Rows, and what was stored."""

    async def run(self, ctx: RunContext) -> AnyQueries.Output:
        output = await super().run(ctx)
        return output.model_copy(update=await self.store_files(ctx))


@task_type("io.kestra.plugin.jdbc.sqlite.Batch", aliases=["sqlite_batch"], examples=[_BATCH])
class Batch(OnSqlite, AnyBatch):
    """Run a statement of SQLite once for each row of a stored file, all in one transaction."""

    class Output(AnyBatch.Output):
        database_uri: Text | None = Field(default=None, description="URI of the database, with `outputDbFile`.")

    async def run(self, ctx: RunContext) -> AnyBatch.Output:
        output = await super().run(ctx)
        uri = await asyncio.to_thread(self.store_database, ctx) if self.output_db_file else None
        return output.model_copy(update={"database_uri": uri})
