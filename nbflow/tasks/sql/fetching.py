"""What happens to the rows of a query: stored as a file, put out, or left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from nbflow.plugins import RunContext
from nbflow.tasks.sql.parquet import write_parquet
from nbflow.tasks.sql.values import column_names, json_line, row_reader
from nbflow.types import JsonValue

_PORTION = 5_000


class FetchType(StrEnum):
    """What to do with the rows of a query."""

    STORE = "STORE"
    FETCH = "FETCH"
    FETCH_ONE = "FETCH_ONE"
    NONE = "NONE"


class StoreFormat(StrEnum):
    """How stored rows are written."""

    JSONL = "JSONL"
    PARQUET = "PARQUET"

    @property
    def suffix(self) -> str:
        return self.value.lower()


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


def take_rows(
    ctx: RunContext, cursor: Cursor, fetch: FetchType, form: StoreFormat = StoreFormat.JSONL, portion: int = _PORTION
) -> Result:
    """The rows of a cursor."""
    names = column_names([str(column[0]) for column in cursor.description])
    rows = map(row_reader(names), _portions(cursor, portion))
    if fetch is FetchType.NONE:
        return Result()
    if fetch is FetchType.FETCH_ONE:
        first = next(rows, None)
        return Result(row=first, size=0 if first is None else 1)
    if fetch is FetchType.FETCH:
        fetched = list(rows)
        return Result(rows=fetched, size=len(fetched))

    def write(file: Path) -> int:
        size = 0
        with file.open("w", encoding="utf-8") as lines:
            for row in rows:
                lines.write(json_line(row))
                size += 1
        return size

    if form is StoreFormat.JSONL:
        return stored(ctx, write, form)
    lines = ctx.path(f".nbflow-lines-{ctx.task_run_id}")
    write(lines)
    try:
        return stored(ctx, lambda file: write_parquet(lines, file, names, cursor.description), form)
    finally:
        lines.unlink()


def stored(ctx: RunContext, write: Callable[[Path], int], form: StoreFormat) -> Result:
    """Store a file of rows; `write` writes it and says how many there are."""
    file = ctx.path(f".nbflow-rows-{ctx.task_run_id}")
    try:
        size = write(file)
        return Result(uri=ctx.store_file(file, f"rows.{form.suffix}"), size=size)
    finally:
        file.unlink(missing_ok=True)


def _portions(cursor: Cursor, size: int) -> Iterator[Sequence[object]]:
    while portion := cursor.fetchmany(size):
        yield from portion
