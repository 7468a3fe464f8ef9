"""One connection to DuckDB for the time of a task: it runs in a thread and can be cancelled from another."""

from __future__ import annotations

import contextlib
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbflow.errors import TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.sql.attaching import Attachments
from nbflow.tasks.sql.fetching import FetchType, Result, StoreFormat, stored, take_rows
from nbflow.tasks.sql.job import Job, message_of
from nbflow.tasks.sql.text import quoted, with_local_files, with_local_target, with_named_parameters

_PREFIX = re.compile(r"^(?:jdbc:)?duckdb:(?://)?", re.IGNORECASE)
_INSTALL = re.compile(r"^\s*INSTALL\s+(['\"]?)(?P<name>\w+)\1\s*;?\s*$", re.IGNORECASE)
_REMOTE = ("md:", "motherduck:")
_DATABASE = "database.duckdb"


class Session:
    """A connection that sees the working directory of a task, and its stored files."""

    def __init__(
        self,
        ctx: RunContext,
        url: str,
        database_uri: str | None = None,
        keeps_database: bool = False,
        extensions: Sequence[str] = (),
    ) -> None:
        self._ctx = ctx
        self._url = url
        self._database_uri = database_uri
        self._keeps_database = keeps_database
        self._extensions = extensions
        self._connection: Any = None  # Any: duckdb is imported as it is used
        self._cancelled = threading.Event()
        self._file: Path | None = None
        self._attachments = Attachments(ctx)

    def cancel(self) -> None:
        """End what runs, and start nothing more; safe from any thread."""
        self._cancelled.set()
        import duckdb

        connection = self._connection
        if connection is not None:
            with contextlib.suppress(duckdb.Error):  # it has just ended by itself
                connection.interrupt()

    def run(self, job: Job) -> list[Result]:
        """Run the statements of a job: what each that has rows gave. Raises: TaskFailedError."""
        import duckdb

        try:
            self._connection = duckdb.connect(self._database())
        except duckdb.Error as cause:
            raise TaskFailedError(f"the database cannot be opened: {message_of(cause)}") from cause
        try:
            self._prepare(job)
            return self._statements(job)
        except duckdb.InterruptException as cause:
            raise TaskFailedError("the query was cancelled") from cause
        except duckdb.Error as cause:
            raise TaskFailedError(message_of(cause)) from cause
        finally:
            self._connection.close()
            self._connection = None

    def store_database(self) -> str:
        """Store the database file; its URI."""
        assert self._file is not None
        return self._ctx.store_file(self._file, _DATABASE)

    def _database(self) -> str:
        """What DuckDB opens: a file, `:memory:`, or a database elsewhere."""
        name = _PREFIX.sub("", self._url.strip())
        if name == self._url.strip() and name.lower().startswith("jdbc:"):
            raise TaskFailedError(f"`{self._url}` is no URL of DuckDB", hint="write `jdbc:duckdb:` and a file's name")
        if self._database_uri:
            self._file = self._ctx.path(_DATABASE)
            shutil.copyfile(self._ctx.file(self._database_uri), self._file)
        elif name and name != ":memory:" and not name.startswith(_REMOTE):
            self._file = Path(name)
        elif self._keeps_database:
            self._file = self._ctx.path(_DATABASE)
        return str(self._file) if self._file is not None else name or ":memory:"

    def _prepare(self, job: Job) -> None:
        # Relative names in SQL mean files of the task, not of wherever the engine was started.
        self._connection.execute(f"SET file_search_path = {quoted(str(self._ctx.working_dir))}")
        if job.time_zone:
            self._connection.execute(f"SET TimeZone = {quoted(job.time_zone)}")
        for name in self._extensions:
            self._load(name)

    def _load(self, name: str) -> None:
        """Load an extension of the community, if it can be had."""
        import duckdb

        try:
            self._connection.install_extension(name, repository="community")
            self._connection.load_extension(name)
        except duckdb.Error as cause:
            self._ctx.log.warning("the extension %s is left out: %s", name, message_of(cause).partition("\n")[0])

    def _statements(self, job: Job) -> list[Result]:
        import duckdb

        names = list(job.parameters) if isinstance(job.parameters, dict) else []
        sql = with_named_parameters(with_local_files(job.sql, self._local), names)
        statements = self._connection.extract_statements(sql)
        if not statements:
            raise TaskFailedError("`sql` holds no statement")
        own = any(statement.type == duckdb.StatementType.TRANSACTION for statement in statements)
        transaction = job.transaction and not own
        if transaction:
            self._connection.execute("BEGIN")
        results = [result for statement in statements if (result := self._run(statement, job, job.fetch)) is not None]
        if transaction:
            self._connection.execute("COMMIT")  # without it, closing the connection undoes everything
        if job.after:
            for statement in self._connection.extract_statements(with_local_files(job.after, self._local)):
                self._run(statement, Job(job.after, FetchType.NONE), FetchType.NONE)
        return results

    def _run(self, statement: Any, job: Job, fetch: FetchType) -> Result | None:
        import duckdb

        if self._cancelled.is_set():
            raise TaskFailedError("the query was cancelled")
        self._ctx.log.debug("%s", statement.query.strip())
        if self._is_built_in(statement.query) or self._attachments.take(self._connection, statement.query, job.sql):
            return None
        if statement.type in (duckdb.StatementType.COPY, duckdb.StatementType.EXPORT):
            text = with_local_target(statement.query, lambda name: str(self._ctx.path(name)))
            statement = self._connection.extract_statements(text)[0]
        parameters = job.parameters
        if isinstance(parameters, dict):
            parameters = {name: value for name, value in parameters.items() if name in statement.named_parameters}
        has_rows = duckdb.ExpectedResultType.QUERY_RESULT in statement.expected_result_type
        if has_rows and fetch is FetchType.STORE and job.store_format is StoreFormat.PARQUET and _only_asks(statement):
            return stored(self._ctx, lambda file: self._write_parquet(statement, parameters, file), job.store_format)
        cursor = self._connection.execute(statement, parameters or None)
        if not has_rows or cursor.description is None:
            return None
        if len(statement.expected_result_type) > 1 and _counts_changes(cursor.description):
            return None
        return take_rows(self._ctx, cursor, fetch, job.store_format, job.portion)

    def _write_parquet(self, statement: Any, parameters: object, file: Path) -> int:
        """Let DuckDB write what a query gives, with the types that it has; how many rows these are."""
        self._connection.sql(statement.query, params=parameters or None).write_parquet(str(file))
        counted = self._connection.execute(f"SELECT count(*) FROM read_parquet({quoted(str(file))})").fetchone()
        return int(counted[0])

    def _is_built_in(self, sql: str) -> bool:
        """Whether this installs an extension that is part of DuckDB here: it would be downloaded for nothing."""
        match = _INSTALL.match(sql)
        if match is None:
            return False
        known = "SELECT 1 FROM duckdb_extensions() WHERE extension_name = ? AND install_mode = 'STATICALLY_LINKED'"
        return self._connection.execute(known, [match["name"].lower()]).fetchone() is not None

    def _local(self, uri: str) -> str:
        return str(self._ctx.file(uri))


def _only_asks(statement: Any) -> bool:
    import duckdb

    return bool(statement.type == duckdb.StatementType.SELECT)


def _counts_changes(description: Any) -> bool:
    """Whether a result only says how many rows a statement changed."""
    return len(description) == 1 and description[0][0] == "Count"
