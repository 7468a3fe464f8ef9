"""The properties that all tasks and triggers on databases have, and what they put out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import AliasChoices, Field, PositiveInt

from nbflow.plugins import Dynamic, Model, RunContext, Text
from nbflow.tasks.sql.fetching import FetchType, Result, StoreFormat
from nbflow.tasks.sql.job import Job
from nbflow.types import JsonValue


class StatementOutput(Model):
    """What one statement gave."""

    row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
    rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
    uri: Text | None = Field(default=None, description="URI of the stored rows, with fetchType STORE.")
    size: int | None = Field(default=None, description="Number of rows.")


def statement_output(result: Result) -> StatementOutput:
    """A result as it is put out."""
    return StatementOutput(row=result.row, rows=result.rows, uri=result.uri, size=result.size)


class DatabaseProperties(Model):
    """What is needed to reach a database."""

    url: Dynamic[Text] = Field(description="JDBC URL of the database, as `jdbc:postgresql://host:5432/db`.")
    username: Dynamic[Text] | None = Field(default=None, description="User to log in as; wins over one in `url`.")
    password: Dynamic[Text] | None = Field(default=None, description="Password of the user.")
    connection_pooling: Dynamic[bool] = Field(default=True, description="Accepted; each task has its own connection.")
    connection_pool_size: Dynamic[int] = Field(default=10, description="Accepted; each task has its own connection.")


class SqlProperties(DatabaseProperties):
    """What tasks and triggers share that run SQL.

    SQL is rendered as it runs, not before: it may name `workingDir`, `inputFile` and `outputFiles.name`.
    """

    in_transaction: ClassVar[bool] = False

    sql: Text = Field(description="SQL to run.")
    parameters: Dynamic[dict[str, JsonValue] | list[JsonValue]] | None = Field(
        default=None, description="Values for `:name` (a map), or for `?` (a list); they are never read as SQL."
    )
    fetch_type: Dynamic[FetchType] | None = Field(
        default=None, description="What to do with rows: STORE (unless said), FETCH, FETCH_ONE or NONE."
    )
    fetch: Dynamic[bool] = Field(default=False, description="Older form of fetchType FETCH.")
    fetch_one: Dynamic[bool] = Field(default=False, description="Older form of fetchType FETCH_ONE.")
    store: Dynamic[bool] = Field(default=False, description="Older form of fetchType STORE.")
    store_format: Dynamic[StoreFormat] = Field(
        default=StoreFormat.JSONL,
        description="How stored rows are written: JSONL (JSON Lines) or PARQUET. nbflow's own.",
    )
    fetch_size: Dynamic[PositiveInt] = Field(default=10_000, description="How many rows are in memory at once.")
    time_zone_id: Dynamic[Text] | None = Field(
        default=None, validation_alias=AliasChoices("timeZoneId", "timezone"), description="Time zone of the session."
    )
    after_sql: Text | None = Field(
        default=None, validation_alias=AliasChoices("afterSQL", "afterSql"), description="SQL to run at the end."
    )

    @property
    def wanted(self) -> FetchType:
        """What to do with rows, in whichever form it was written."""
        if self.fetch_type is not None:
            return self.fetch_type
        older = {FetchType.FETCH_ONE: self.fetch_one, FetchType.STORE: self.store, FetchType.FETCH: self.fetch}
        return next((kind for kind, is_set in older.items() if is_set), FetchType.STORE)

    def job(self, ctx: RunContext, names: Mapping[str, object], transaction: bool) -> Job:
        """What to run, rendered; `names` are what SQL may name beside what expressions see."""
        return Job(
            sql=ctx.render(self.sql, names),
            after=ctx.render(self.after_sql, names) if self.after_sql else None,
            parameters=self.parameters,
            fetch=self.wanted,
            transaction=transaction,
            time_zone=self.time_zone_id,
            portion=self.fetch_size,
            store_format=self.store_format,
        )
