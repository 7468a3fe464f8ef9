"""What tasks that ask a database do, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, RunContext, RunnableTask, Text
from nbflow.tasks.sql.connections import Connection, open_connection
from nbflow.tasks.sql.conversation import Conversation
from nbflow.tasks.sql.fetching import Result
from nbflow.tasks.sql.job import in_thread
from nbflow.tasks.sql.properties import DatabaseProperties, SqlProperties, StatementOutput, statement_output
from nbflow.tasks.sql.urls import Address, read_address
from nbflow.types import JsonValue


class OneDatabase(DatabaseProperties):
    """Opens the database that the properties name; a subclass says which kinds it is for."""

    kinds: ClassVar[tuple[str, ...]] = ()
    """Kinds of addresses it takes, as `postgresql`; all when there is none."""

    def connect(self, ctx: RunContext) -> Connection:
        """Connect. Raises: TaskFailedError; MissingExtraError."""
        return open_connection(
            self.address(ctx), secrets=self.connection_secrets(), notice=lambda text: ctx.log.info("%s", text)
        )

    def address(self, ctx: RunContext) -> Address:
        """Where the database is. Raises: TaskFailedError when `url` is none, or names one of another kind."""
        address = read_address(self.url, self.username, self.password)
        if self.kinds and address.kind not in self.kinds:
            raise TaskFailedError(
                f"`url` names a database of {address.kind}, and this type is for {self.kinds[0]}",
                hint=f"begin it with `jdbc:{self.kinds[0]}:`, or use the type `io.kestra.plugin.jdbc.Query`",
            )
        return address

    def connection_secrets(self) -> Mapping[str, str]:
        """Certificates and the like, as texts."""
        return {}


class Asking(SqlProperties, OneDatabase):
    """Runs SQL and puts rows out."""

    def names(self, ctx: RunContext) -> Mapping[str, object]:
        """What SQL may name beside what expressions see. Runs in the thread of the work."""
        return {"workingDir": str(ctx.working_dir)}

    async def ask(self, ctx: RunContext, transaction: bool) -> list[Result]:
        """What each statement with rows gave."""
        talk = Conversation(ctx, lambda: self.connect(ctx))
        results = await in_thread(lambda: talk.run(self.job(ctx, self.names(ctx), transaction)), talk.cancel)
        ctx.metric("fetch.size", sum(result.size for result in results))
        return results


class AnyQuery(Asking, RunnableTask):
    """Run SQL. Of several statements, the last one that has rows gives the output."""

    class Output(RunnableTask.Output):
        row: dict[str, JsonValue] | None = Field(default=None, description="The first row, with fetchType FETCH_ONE.")
        rows: list[dict[str, JsonValue]] | None = Field(default=None, description="All rows, with fetchType FETCH.")
        uri: Text | None = Field(default=None, description="URI of the stored rows, with fetchType STORE.")
        size: int = Field(default=0, description="Number of rows.")

    auto_commit: Dynamic[bool] = Field(
        default=True, description="Whether each statement counts by itself; with `afterSQL`, all are one transaction."
    )

    async def run(self, ctx: RunContext) -> Output:
        results = await self.ask(ctx, transaction=not self.auto_commit or self.after_sql is not None)
        last = results[-1] if results else Result()
        return self.Output(row=last.row, rows=last.rows, uri=last.uri, size=last.size)


class AnyQueries(Asking, RunnableTask):
    """Run several SQL statements; each that has rows gives an output."""

    class Output(RunnableTask.Output):
        outputs: list[StatementOutput] = Field(description="What each statement with rows gave, in their order.")

    transaction: Dynamic[bool] = Field(default=True, description="Whether a failure undoes all statements.")

    async def run(self, ctx: RunContext) -> Output:
        results = await self.ask(ctx, transaction=self.transaction)
        return self.Output(outputs=[statement_output(result) for result in results])
