"""How objects of a notebook are given as inputs: a data frame as a file for FILE, as its values for JSON and ARRAY.

What is plain (text, numbers, lists of these, paths, dates) is left to the input's own type.
"""

from __future__ import annotations

import importlib
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from nbflow.errors import Problem
from nbflow.model.input_types import ArrayInput, FileInput
from nbflow.model.inputs import Input

_TABLES = (
    "pandas.DataFrame",
    "pandas.Series",
    "polars.DataFrame",
    "polars.LazyFrame",
    "polars.Series",
    "pyarrow.Table",
    "duckdb.DuckDBPyRelation",
    "_duckdb.DuckDBPyRelation",
)
_ARRAY = "numpy.ndarray"
_STRUCTURED = ("JSON", "ARRAY", "MULTISELECT", "YAML")


@contextmanager
def handed_in(
    inputs: Sequence[Input], given: Mapping[str, object]
) -> Iterator[tuple[Mapping[str, object], list[Problem]]]:
    """What is given, with objects turned into what their inputs take, and a problem for each that cannot be.

    Files made for it are there until the block ends. Only what is no plain value costs anything.
    """
    known = {declared.id: declared for declared in inputs}
    special = {name: value for name, value in given.items() if name in known and _is_special(known[name], value)}
    if not special:
        yield given, []
        return
    problems: list[Problem] = []
    turned = dict(given)
    with tempfile.TemporaryDirectory(prefix="nbflow-inputs-") as folder:
        for name, value in special.items():
            try:
                turned[name] = _turned(known[name], value, Path(folder) / name)
            except _CannotBeGivenError as refused:
                del turned[name]
                problems.append(Problem(str(refused), path=f"inputs.{name}", hint=refused.hint))
        yield turned, problems


class _CannotBeGivenError(Exception):
    """An object that an input of this type cannot take."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def kind_of(value: object) -> str:
    """`pandas.DataFrame` and the like: the package and the class; `dict` for what Python has itself."""
    cls = type(value)
    package = cls.__module__.partition(".")[0]
    return cls.__qualname__ if package == "builtins" else f"{package}.{cls.__qualname__}"


def _is_special(declared: Input, value: object) -> bool:
    if value is None or isinstance(value, str | Path | bool | int):
        return False
    if declared.type == "FILE":
        return not isinstance(value, Mapping) or "uri" not in value
    if declared.type in _STRUCTURED and isinstance(value, list | dict | tuple | set):
        return not _is_json(value)
    return not isinstance(value, str | int | float | list | dict | date | time | timedelta)


def _turned(declared: Input, value: object, folder: Path) -> object:
    if declared.type == "FILE":
        assert isinstance(declared, FileInput)
        folder.mkdir(parents=True)
        return str(_written(declared, value, folder))
    if kind_of(value) in (*_TABLES, _ARRAY) and declared.type not in _STRUCTURED:
        raise _CannotBeGivenError(
            f"is {declared.type}, which cannot be made of a {kind_of(value)}",
            "declare the input as FILE to get it as a Parquet file, or as JSON or ARRAY to get its values",
        )
    plain = _plain(value)
    if isinstance(declared, ArrayInput) and declared.item_type == "DATE" and isinstance(plain, list):
        plain = [item.removesuffix("T00:00:00") if isinstance(item, str) else item for item in plain]  # a day of pandas
    return json.dumps(plain) if declared.type == "YAML" else plain


def _written(declared: FileInput, value: object, folder: Path) -> Path:
    """A file that holds the value, in the first format that the input takes and the value has."""
    wanted = [
        f".{ending.lstrip('.').lower()}" for ending in (declared.extension, *declared.allowed_file_extensions) if ending
    ]
    name = declared.id.rpartition(".")[2]
    kind = kind_of(value)
    if isinstance(value, bytes | bytearray):
        path = folder / f"{name}{wanted[0] if wanted else '.bin'}"
        path.write_bytes(value)
        return path
    writers: dict[str, Callable[[Any, Path], None]] = {}
    if kind in _TABLES:
        writers = {".parquet": _parquet, ".csv": _csv, ".jsonl": _json_lines, ".ion": _json_lines, ".json": _json}
    elif kind == _ARRAY:
        writers = {".npy": _npy, ".json": _json}
    elif isinstance(value, list | dict | tuple):
        writers = {".json": _json, ".jsonl": _json_lines} if not isinstance(value, dict) else {".json": _json}
    ending = next((ending for ending in wanted or list(writers) if ending in writers), None)
    if ending is None:
        raise _CannotBeGivenError(
            f"is FILE{' (' + ', '.join(wanted) + ')' if wanted else ''}, which cannot be made of a {kind}",
            "give the path of a file, bytes, a list, a dictionary, an array or a data frame",
        )
    path = folder / f"{name}{ending}"
    try:
        writers[ending](value, path)
    except _CannotBeGivenError:
        raise
    except Exception as cause:  # whatever the library that writes it says
        reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        raise _CannotBeGivenError(
            f"a {kind} cannot be written as {ending}: {reason}", "make its columns of one type each"
        ) from cause
    return path


def _frame(value: Any) -> Any:  # Any: one of _TABLES, and a pandas.DataFrame
    """The pandas frame of a table."""
    kind = kind_of(value)
    if kind == "pandas.DataFrame":
        return value
    if kind == "pandas.Series":
        return value.to_frame(value.name if value.name is not None else "value")
    if kind == "polars.LazyFrame":
        return value.collect().to_pandas()
    if kind.startswith("polars."):
        return (value.to_frame() if kind.endswith("Series") else value).to_pandas()
    return value.to_pandas() if kind == "pyarrow.Table" else value.df()


def _parquet(value: Any, path: Path) -> None:
    kind = kind_of(value)
    if kind in ("polars.DataFrame", "duckdb.DuckDBPyRelation", "_duckdb.DuckDBPyRelation"):
        value.write_parquet(str(path))
        return
    frame = _frame(value)
    try:
        importlib.import_module("pyarrow")
    except ImportError:  # DuckDB writes it too, without the index
        import duckdb

        with duckdb.connect() as connection:
            connection.from_df(frame).write_parquet(str(path))
        return
    frame.to_parquet(path)


def _csv(value: Any, path: Path) -> None:
    frame = _frame(value)
    frame.to_csv(path, index=_has_names(frame))


def _json_lines(value: Any, path: Path) -> None:
    rows = _plain(value)
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")


def _json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(_plain(value), ensure_ascii=False), encoding="utf-8")


def _npy(value: Any, path: Path) -> None:
    importlib.import_module("numpy").save(path, value, allow_pickle=False)


def _has_names(frame: Any) -> bool:
    """Whether the index of a frame says something: it is not just the numbers of the rows."""
    return any(name is not None for name in frame.index.names) or type(frame.index).__name__ != "RangeIndex"


def _plain(value: Any) -> Any:
    """The JSON value of an object: a table as a list of records, an array or a column as a list."""
    kind = kind_of(value)
    if kind in ("pandas.Series", "polars.Series"):
        return _plain(value.to_list())
    if kind in _TABLES:
        frame = _frame(value)
        if _has_names(frame):
            frame = frame.reset_index()
        return [{str(key): _plain(item) for key, item in row.items()} for row in frame.to_dict("records")]
    if kind == _ARRAY:
        return _plain(value.tolist())
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if kind in ("pandas.NaTType", "pandas.NAType"):
        return None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        from nbflow.model.durations import format_duration

        return format_duration(value)
    if hasattr(value, "item") and kind.startswith("numpy."):
        return _plain(value.item())
    raise _CannotBeGivenError(
        f"a {kind} is no value that JSON has", "give text, a number, a list, a dictionary, an array or a data frame"
    )


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
