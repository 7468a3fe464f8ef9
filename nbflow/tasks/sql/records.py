"""Reads the rows of a stored file, whatever it is written in, without having them all in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from nbflow.tasks.serdes.rows import read_records

Row = dict[str, object]

_BEGINNING = 4


class RowFormat(StrEnum):
    """What rows are written in."""

    CSV = "CSV"
    JSONL = "JSONL"
    JSON = "JSON"
    PARQUET = "PARQUET"
    ION = "ION"


_SUFFIXES = {
    ".csv": RowFormat.CSV,
    ".jsonl": RowFormat.JSONL,
    ".ndjson": RowFormat.JSONL,
    ".json": RowFormat.JSON,
    ".parquet": RowFormat.PARQUET,
    ".ion": RowFormat.ION,
}


def format_of(name: str, file: Path) -> RowFormat:
    """What a file is written in, by its name (or URI), else by how it begins."""
    suffix = PurePosixPath(unquote(urlsplit(name).path)).suffix.lower()
    with file.open("rb") as content:
        beginning = content.read(_BEGINNING)
    if beginning == b"PAR1":
        return RowFormat.PARQUET
    if beginning == b"\xe0\x01\x00\xea":  # the mark of binary Ion
        return RowFormat.ION
    known = _SUFFIXES.get(suffix)
    if known is RowFormat.JSON and beginning.lstrip()[:1] != b"[":
        return RowFormat.JSONL
    return known or (RowFormat.JSONL if beginning.lstrip()[:1] in (b"{", b"[") else RowFormat.CSV)


def read_rows(file: Path, form: RowFormat, delimiter: str = ",") -> Iterator[Row]:
    """The rows of a file, by names of columns; a row that is a list has names from "0" on.

    Raises: TaskFailedError naming the record that cannot be read; MissingExtraError for Ion without its package.
    """
    if form is not RowFormat.CSV:
        yield from map(_row, read_records(file))
        return
    with file.open(newline="", encoding="utf-8-sig") as lines:
        for record in csv.DictReader(lines, delimiter=delimiter):
            yield {name: value or None for name, value in record.items() if name is not None}


def portions(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    """Rows, `size` at a time."""
    while portion := list(islice(rows, size)):
        yield portion


def _row(record: object) -> Row:
    if isinstance(record, dict):
        return record
    return {str(index): item for index, item in enumerate(record if isinstance(record, list) else [record])}
