"""`HistorySql`: answers a query about the history with DuckDB, of rows read from the store for it alone.

query ─ plan over empty tables ─▶ columns and conditions ─ store, one transaction ─▶ CSV ─▶ DuckDB ─▶ rows

DuckDB's own extension for SQLite is not used: it may not be there to download, and it knows nothing of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from nbflow.errors import NbflowError
from nbflow.nearest import did_you_mean
from nbflow.store.database import Database
from nbflow.store.history_sql.rows import Rows


class SqlError(NbflowError):
    """A query of the history that cannot be answered."""

    code = "sql"


class HistorySql:
    """Answers queries; each sees one state of the history, and changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def answer(self, query: str, given: Mapping[str, object] | None = None) -> object:
        """The answer as a data frame where pandas is installed, as rows elsewhere. Raises: SqlError."""
        try:
            import_module("pandas")
        except ImportError:
            return self.rows(query, given)
        return self.frame(query, given)

    def rows(self, query: str, given: Mapping[str, object] | None = None) -> Rows:
        """The answer as rows. `given` are tables of the caller, such as data frames, by name. Raises: SqlError."""
        with self._answer(query, given or {}) as answer:
            return Rows([name for name, *_ in answer.description or ()], answer.fetchall())

    def frame(self, query: str, given: Mapping[str, object] | None = None) -> Any:  # Any: a pandas.DataFrame
        """The answer as a data frame; pandas must be there. Raises: SqlError."""
        with self._answer(query, given or {}) as answer:
            return answer.df()

    @contextmanager
    def _answer(self, query: str, given: Mapping[str, object]) -> Iterator[Any]:  # Any: DuckDB has no static types
        import duckdb

        from nbflow.store.history_sql.loading import load  # few ever ask

        query = query.strip().rstrip(";")
        with duckdb.connect(config={"python_enable_replacements": False}) as connection:
            try:
                _refuse_changes(connection.extract_statements(query), duckdb.StatementType)
                for name, value in given.items():
                    connection.register(name, value)
                with self._database.read() as history:
                    load(history, connection, query)
                answer = connection.execute(query)
                yield answer
            except duckdb.Error as wrong:
                raise _refused(wrong) from wrong


def _refuse_changes(statements: Sequence[Any], kinds: Any) -> None:  # Any: as above
    if len(statements) != 1:
        raise SqlError("one query at a time" if statements else "there is no query", hint="SELECT … FROM executions")
    if statements[0].type not in (kinds.SELECT, kinds.EXPLAIN):
        raise SqlError("the history can only be read", hint="begin with SELECT, FROM, WITH, DESCRIBE or SUMMARIZE")


def _refused(wrong: Exception) -> SqlError:
    """DuckDB's words without the kind of the error and without the excerpt below them."""
    from nbflow.store.history_sql.tables import HISTORY

    message = str(wrong).strip().split("\n\nLINE ")[0]
    kind, separator, rest = message.partition(": ")
    message = (rest if separator and kind.endswith("Error") else message).strip()
    missing = message.startswith("Table with name ")
    name = message.removeprefix("Table with name ").split(" ")[0] if missing else ""
    hint = (did_you_mean(name, HISTORY) or f"there are {', '.join(HISTORY)}") if missing else ""
    first, *others = message.splitlines()
    if missing:
        return SqlError(f"there is no table `{name}`", hint=hint)
    return SqlError(first, hint=" ".join(line.strip() for line in others if line.strip()))
