"""What happens to the rows of a query: stored as a file, put out, or left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from nbflow.plugins import RunContext
from nbflow.tasks.sql.values import column_names, json_line, row_reader
from nbflow.types import JsonValue

_PORTION = 5_000


class FetchType(StrEnum):
    """What to do with the rows of a query."""

    STORE = "STORE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Result:
    """What one statement gave."""

    row: dict[str, JsonValue] | None = None
    rows: list[dict[str, JsonValue]] | None = None
    uri: str | None = None
    size: int = 0


class Cursor(Protocol):
    """What is asked of a cursor of PEP 249."""

    @property
    def description(self) -> Any: ...  # Any: drivers type it as they like
    def fetchmany(self, size: int, /) -> Sequence[Sequence[object]]: ...


def take_rows(ctx: RunContext, cursor: Cursor, fetch: FetchType, name: str) -> Result:
    """The rows of a cursor; `name` is what a stored file is called."""
    names = column_names([str(column[0]) for column in cursor.description])
    rows = map(row_reader(names), _portions(cursor))
    if fetch is FetchType.NONE:
        return Result()
    if fetch is FetchType.FETCH_ONE:
        first = next(rows, None)
        return Result(row=first, size=0 if first is None else 1)
    if fetch is FetchType.FETCH:
        fetched = list(rows)
        return Result(rows=fetched, size=len(fetched))
    file = ctx.path(f".nbflow-rows-{ctx.task_run_id}")
    size = 0
    with file.open("w", encoding="utf-8") as lines:
        for row in rows:
            lines.write(json_line(row))
            size += 1
    uri = ctx.store_file(file, name)
    file.unlink()
    return Result(uri=uri, size=size)


def _portions(cursor: Cursor) -> Iterator[Sequence[object]]:
    while portion := cursor.fetchmany(_PORTION):
        yield from portion
