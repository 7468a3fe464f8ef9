"""Tables that cells hand on as Parquet: pandas, polars, pyarrow, DuckDB. Imports nothing of nbflow.

Where there is no pyarrow, DuckDB writes and reads the frames of pandas. What pandas calls the types of the columns is
kept beside them in the file then, so that a frame comes back as it was.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from typing import Any

_TYPES = "nbflow.dtypes"


def save(name: str, value: Any, kind: str, target: str) -> tuple[str | None, str]:
    """The Parquet file of a table in a folder, or none, and why."""
    try:
        if kind == "pandas.DataFrame":
            return _kept(value, target, f"{name}.parquet", "Parquet would change its columns")
        if kind == "pandas.Series" and value.name is None:
            return _kept(value.to_frame("value"), target, f"{name}.series.parquet", "")
        if kind == "polars.DataFrame":
            file = f"{name}.polars.parquet"
            value.write_parquet(os.path.join(target, file))
        elif kind == "pyarrow.Table":
            file = f"{name}.arrow.parquet"
            importlib.import_module("pyarrow.parquet").write_table(value, os.path.join(target, file))
        elif kind.endswith(".DuckDBPyRelation"):
            file = f"{name}.parquet"
            value.write_parquet(os.path.join(target, file))
        else:
            return None, ""
    except Exception as refused:  # whatever the library cannot write, pickle may
        return None, f"Parquet cannot hold it: {str(refused).splitlines()[0][:200] if str(refused) else refused!r}"
    return file, ""


def load(path: str) -> Any:
    """The table in a file."""
    if path.endswith(".polars.parquet"):
        return importlib.import_module("polars").read_parquet(path)
    if path.endswith(".arrow.parquet"):
        return importlib.import_module("pyarrow.parquet").read_table(path)
    frame = importlib.import_module("pandas").read_parquet(path) if _has_pyarrow() else read(path)
    return frame["value"].rename(None) if path.endswith(".series.parquet") else frame


def _kept(frame: Any, target: str, file: str, otherwise: str) -> tuple[str | None, str]:
    """The file of a frame of pandas; none, and why, unless it comes back as it is."""
    path = os.path.join(target, file)
    try:
        if not _has_pyarrow():
            is_kept = write(frame, path)
        else:
            frame.to_parquet(path)
            is_kept = _same(frame, importlib.import_module("pandas").read_parquet(path))
    except BaseException:
        _remove(path)
        raise
    if is_kept:
        return file, ""
    _remove(path)
    return None, otherwise


def _same(before: Any, after: Any) -> bool:
    """Whether a frame came back as it was: types of columns and index; a float32 stays one, an object column too."""
    same_types = list(before.dtypes) == list(after.dtypes) and list(before.columns) == list(after.columns)
    return same_types and before.index.dtype == after.index.dtype


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.remove(path)


def _has_pyarrow() -> bool:
    try:
        importlib.import_module("pyarrow")
    except ImportError:
        return False
    return True


def write(frame: Any, path: str) -> bool:
    """Write a frame; whether it comes back exactly as it is. Raises: ImportError without DuckDB, and DuckDB's own."""
    if not _is_simple(frame):
        return False
    duckdb: Any = importlib.import_module("duckdb")
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        types = _quoted(json.dumps([str(kind) for kind in frame.dtypes]))
        connection.execute(f"COPY frame TO {_quoted(path)} (FORMAT parquet, KV_METADATA {{'{_TYPES}': {types}}})")
    back = read(path)
    return list(back.dtypes) == list(frame.dtypes) and bool(back.equals(frame))


def read(path: str) -> Any:
    """The frame in a file, whoever wrote it."""
    duckdb: Any = importlib.import_module("duckdb")
    with duckdb.connect() as connection:
        frame = connection.execute(f"FROM read_parquet({_quoted(path)})").df()
        found = connection.execute(f"SELECT key, value FROM parquet_kv_metadata({_quoted(path)})").fetchall()
    notes = {bytes(key).decode(): bytes(value).decode() for key, value in found}
    for name, kind in zip(frame.columns, json.loads(notes.get(_TYPES, "[]")), strict=False):
        if str(frame.dtypes[name]) != kind:
            frame[name] = frame[name].astype(kind)
    index = json.loads(notes.get("pandas", "{}")).get("index_columns", [])
    names = [name for name in index if isinstance(name, str)]  # a range is told by its numbers, and is no column
    if names and set(names) <= set(frame.columns):
        frame = frame.set_index(names)
        frame.index.names = [None if name.startswith("__index_level_") else name for name in names]
    return frame


def _is_simple(frame: Any) -> bool:
    """Whether rows are numbered from 0 and columns have names, which is all that DuckDB can keep."""
    index = frame.index
    numbered = type(index).__name__ == "RangeIndex" and (index.start, index.step, index.name) == (0, 1, None)
    names = list(frame.columns)
    folded = {name.casefold() for name in names if isinstance(name, str)}
    is_named = len(folded) == len(names) > 0 and frame.columns.name is None
    return numbered and is_named and not frame.attrs and not any(_loses_types(kind) for kind in frame.dtypes)


def _loses_types(kind: Any) -> bool:
    """Whether a column's type has more to it than its name: categories, and any Python object."""
    with contextlib.suppress(AttributeError):
        return bool(kind.kind == "O" and str(kind) != "str")
    return True


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
