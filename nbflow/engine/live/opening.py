"""How a file becomes a value, by the ending of its name: tables, arrays, JSON, and pickles that nbflow wrote."""

from __future__ import annotations

import csv
import importlib
import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from nbflow.errors import MissingExtraError

Reader = Callable[[Path], Any]
"""Reads a file. Any: what is in it."""


def library(name: str, extra: str = "") -> Any:  # Any: a library without types
    """A library that is only needed now. Raises: MissingExtraError."""
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        package = name.partition(".")[0]
        wanted = f"'jupyter-nbflow[{extra}]'" if extra else package
        raise MissingExtraError(
            f"opening this needs the package `{package}`, which is not installed", hint=f"pip install {wanted}"
        ) from missing


def read_frame(path: Path, ending: str) -> Any:
    """A table as a pandas.DataFrame. Raises: KeyError for an ending of no table; ValueError; MissingExtraError."""
    pandas = library("pandas", "pandas")
    if ending.endswith(".parquet"):
        return _parquet_frame(path)
    if ending in (".csv", ".tsv"):
        return pandas.read_csv(path, sep="\t" if ending == ".tsv" else ",")
    records = read_rows(path, ending)
    return pandas.DataFrame(records)


def read_rows(path: Path, ending: str) -> list[Any]:
    """The records of a table. Raises: KeyError for an ending of no table; ValueError; MissingExtraError for Ion."""
    if ending.endswith(".parquet"):
        return _parquet_rows(path)
    return list(_ROWS[ending](path))


def _parquet_frame(path: Path) -> Any:
    pandas = library("pandas", "pandas")
    try:
        importlib.import_module("pyarrow")
    except ImportError:  # DuckDB reads it too, without the index that pandas may have written
        return _from_duckdb(path, lambda answer: answer.df())
    return pandas.read_parquet(path)


def _parquet_rows(path: Path) -> list[dict[str, Any]]:
    def records(answer: Any) -> list[dict[str, Any]]:
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    made: list[dict[str, Any]] = _from_duckdb(path, records)
    return made


def _from_duckdb(path: Path, take: Callable[[Any], Any]) -> Any:
    import duckdb

    try:
        with duckdb.connect() as connection:
            answer: Any = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
            return take(answer)
    except duckdb.Error as wrong:
        raise ValueError(str(wrong).splitlines()[0]) from wrong


def _csv_rows(separator: str) -> Callable[[Path], Iterator[Any]]:
    def read(path: Path) -> Iterator[Any]:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            yield from csv.DictReader(lines, delimiter=separator)

    return read


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8-sig") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def _ion_rows(path: Path) -> Iterator[Any]:
    """The values of an Ion file, as Kestra writes them; JSON Lines, which nbflow writes, are Ion as well."""
    try:
        return iter(list(_json_lines(path)))
    except ValueError:
        simpleion = library("amazon.ion.simpleion", "ion")
    from nbflow.expressions.java.ion import plain_value

    with path.open("rb") as file:
        return iter([plain_value(value) for value in simpleion.load(file, single_value=False)])


def _json_rows(path: Path) -> Iterator[Any]:
    value = _json(path)
    if not isinstance(value, list):
        raise ValueError("its JSON is no list")
    return iter(value)


_ROWS: dict[str, Callable[[Path], Iterator[Any]]] = {
    ".csv": _csv_rows(","),
    ".tsv": _csv_rows("\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".ion": _ion_rows,
    ".json": _json_rows,
}


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8-sig"))


def _records(ending: str) -> Reader:
    """Reads a file of records as a table, one of other values as a list."""

    def read(path: Path) -> Any:
        rows = read_rows(path, ending)
        return library("pandas", "pandas").DataFrame(rows) if all(isinstance(row, dict) for row in rows) else rows

    return read


def _pickle(path: Path) -> Any:
    with path.open("rb") as file:  # whoever opens it has made sure that nbflow wrote it
        return pickle.load(file)


OPENERS: dict[str, Reader] = {
    ".parquet": _parquet_frame,
    ".series.parquet": lambda path: _parquet_frame(path)["value"].rename(None),
    ".polars.parquet": lambda path: library("polars").read_parquet(path),
    ".arrow.parquet": lambda path: library("pyarrow.parquet").read_table(path),
    ".csv": lambda path: read_frame(path, ".csv"),
    ".tsv": lambda path: read_frame(path, ".tsv"),
    ".jsonl": _records(".jsonl"),
    ".ndjson": _records(".ndjson"),
    ".ion": _records(".ion"),
    ".json": _json,
    ".npy": lambda path: library("numpy").load(path, allow_pickle=False),
    ".pickle": _pickle,
}
"""Readers by ending; of several that fit a name the longest counts."""
