"""A connection of PEP 249, as tasks use it: parameters in any style, a transaction or none, rows as they come."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, ClassVar, Protocol, TypedDict

from nbflow.errors import TaskFailedError
from nbflow.tasks.sql.fetching import Cursor
from nbflow.tasks.sql.text import quoted_name, statements, with_placeholders


class Rows(Cursor, Protocol):
    """The rows of a statement; closed when no more are wanted, before the next statement."""

    def close(self) -> None: ...


class Reading(TypedDict):
    """How placeholders are told from the rest."""

    doubles: str
    backslashes: bool


Parameters = Mapping[str, object] | Sequence[object] | None


class Connection:
    """What any driver of PEP 249 can do; a class per driver says what it can do better.

    Used in one thread, but for `cancel`, which is safe from any.
    """

    backslashes: ClassVar[bool] = False
    """Whether a backslash escapes in strings of SQL."""
    name_mark: ClassVar[str] = '"'

    def __init__(self, raw: Any, errors: tuple[type[Exception], ...], style: str) -> None:
        self.raw = raw  # Any: drivers have no common type
        self.errors = errors
        self._style = style
        self.transacts = False

    def statements(self, sql: str) -> list[str]:
        """The statements of a text."""
        return statements(sql, backslashes=self.backslashes)

    def begin(self) -> None:
        """Let all that follows be one transaction, until `commit` or `rollback`."""
        self.transacts = True

    def commit(self) -> None:
        self.transacts = False
        self.raw.commit()

    def rollback(self) -> None:
        self.transacts = False
        self.raw.rollback()

    def close(self) -> None:
        """Close; what was not committed is undone."""
        self.raw.close()

    def cancel(self) -> None:
        """End the statement that runs, where the driver can; safe from any thread."""
        cancel = getattr(self.raw, "cancel", None)
        if callable(cancel):
            with contextlib.suppress(*self.errors):
                cancel()

    def set_time_zone(self, zone: str) -> None:
        """Let the session have a time zone. Raises: TaskFailedError where there is no such thing."""
        raise TaskFailedError("this database has no time zone of a session", hint="leave `timeZoneId` out")

    def run(self, sql: str, parameters: Parameters = None, *, portion: int = 10_000) -> Rows | None:
        """Run one statement: a cursor when it has rows, which need not be in memory; None otherwise."""
        cursor = self.cursor(portion)
        if parameters:
            cursor.execute(*self.bound(sql, parameters))
        else:
            cursor.execute(sql)
        if cursor.description is not None:
            return _Rows(self, cursor)
        cursor.close()
        self.statement_done()
        return None

    def run_many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """Run a statement with `?` once for each row of values; how many rows it changed in all."""
        cursor = self.cursor(0)
        text, _ = self.bound(sql, [])
        cursor.executemany(text, [[self.value(value) for value in row] for row in rows])
        changed = cursor.rowcount
        cursor.close()
        return max(int(changed), 0)

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in their order."""
        cursor = self.run(f"SELECT * FROM {table} WHERE 1 = 0")  # understood by all
        if cursor is None:
            return []
        names = [str(column[0]) for column in cursor.description]
        cursor.close()
        return names

    def cursor(self, portion: int) -> Any:  # Any: as `raw`
        """A cursor; of a query's rows, about `portion` are to be held at once."""
        return self.raw.cursor()

    def statement_done(self) -> None:
        """A statement has ended, its rows are read."""
        if not self.transacts:
            self.raw.commit()

    def value(self, value: object) -> object:
        """A value as the driver takes it: structures become JSON."""
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value

    def quoted(self, name: str) -> str:
        """A name as an identifier."""
        return quoted_name(name, self.name_mark)

    def bound(self, sql: str, parameters: Mapping[str, object] | Sequence[object]) -> tuple[str, Any]:
        """SQL and values in the style of the driver. Raises: TaskFailedError when a value for a `?` is missing."""
        how: Reading = {"doubles": "%" if "format" in self._style else "", "backslashes": self.backslashes}
        numbers = count(1)
        if not isinstance(parameters, Mapping):
            text = with_placeholders(sql, (), str, lambda: self._mark(next(numbers)), **how)
            return text, [self.value(value) for value in parameters]
        used: dict[str, object] = {}
        ordered: list[object] = []

        def named(name: str) -> str:
            used[name] = self.value(parameters[name])
            ordered.append(used[name])
            return self._name(name, next(numbers))

        text = with_placeholders(sql, parameters, named, **how)
        return text, used if self._style in ("named", "pyformat") else ordered

    def _name(self, name: str, number: int) -> str:
        return {"named": f":{name}", "pyformat": f"%({name})s"}.get(self._style) or self._mark(number)

    def _mark(self, number: int) -> str:
        return {"qmark": "?", "numeric": f":{number}", "named": f":{number}"}.get(self._style, "%s")


class _Rows:
    """The rows of a statement; at their end, the connection is told."""

    def __init__(self, connection: Connection, cursor: Any) -> None:  # Any: as `Connection.raw`
        self._connection = connection
        self._cursor = cursor
        self.description = cursor.description

    def fetchmany(self, size: int, /) -> Sequence[Sequence[object]]:
        rows: Sequence[Sequence[object]] = self._cursor.fetchmany(size)
        return rows

    def close(self) -> None:
        self._cursor.close()
        self._connection.statement_done()


def unreachable(cause: Exception) -> TaskFailedError:
    """The failure of a database that does not let us in."""
    return TaskFailedError(f"the database cannot be reached: {str(cause).strip() or type(cause).__name__}")
