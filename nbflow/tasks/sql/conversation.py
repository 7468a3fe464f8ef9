"""What a task says to a database from connecting to closing; another thread may stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from nbflow.errors import TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.sql.connections import Connection
from nbflow.tasks.sql.fetching import FetchType, Result, take_rows
from nbflow.tasks.sql.job import Job, message_of
from nbflow.tasks.sql.text import words

T = TypeVar("T")

_CANCELLED = "the query was cancelled"


class Conversation:
    """One connection for the time of a task."""

    def __init__(self, ctx: RunContext, connect: Callable[[], Connection]) -> None:
        self._ctx = ctx
        self._connect = connect
        self._connection: Connection | None = None
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End what runs, and start nothing more; safe from any thread."""
        self._cancelled.set()
        connection = self._connection
        if connection is not None:
            connection.cancel()

    def check(self) -> None:
        """Raises: TaskFailedError when the task was cancelled."""
        if self._cancelled.is_set():
            raise TaskFailedError(_CANCELLED)

    def hold(self, talk: Callable[[Connection], T]) -> T:
        """Connect, talk, and close. Raises: TaskFailedError with the words of the database."""
        connection = self._connection = self._connect()
        try:
            self.check()
            return talk(connection)
        except connection.errors as cause:
            if self._cancelled.is_set():
                raise TaskFailedError(_CANCELLED) from cause
            raise TaskFailedError(message_of(cause)) from cause
        finally:
            self._connection = None
            connection.close()

    def run(self, job: Job) -> list[Result]:
        """Run the statements of a job: what each that has rows gave. Raises: TaskFailedError."""
        return self.hold(lambda connection: self._run(connection, job))

    def _run(self, connection: Connection, job: Job) -> list[Result]:
        if job.time_zone:
            connection.set_time_zone(job.time_zone)
        statements = connection.statements(job.sql)
        if not statements:
            raise TaskFailedError("`sql` holds no statement")
        after = connection.statements(job.after) if job.after else []
        transaction = job.transaction and not any(map(_begins, [*statements, *after]))
        if transaction:
            connection.begin()  # closing the connection without `commit` undoes everything
        results = [result for statement in statements if (result := self._one(connection, statement, job)) is not None]
        for statement in after:
            self._one(connection, statement, Job(statement, FetchType.NONE, parameters=job.parameters))
        if transaction:
            connection.commit()
        return results

    def _one(self, connection: Connection, statement: str, job: Job) -> Result | None:
        self.check()
        self._ctx.log.debug("%s", statement)
        rows = connection.run(statement, job.parameters, portion=job.portion)
        if rows is None:
            return None
        result = take_rows(self._ctx, rows, job.fetch, job.store_format, job.portion)
        rows.close()
        return result


def _begins(statement: str) -> bool:
    """Whether a statement begins a transaction of its own."""
    first = words(statement)[:2]
    return first[:1] == ["BEGIN"] or first == ["START", "TRANSACTION"]
