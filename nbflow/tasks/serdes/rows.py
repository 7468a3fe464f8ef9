"""Records of stored files: read from JSON Lines, Ion or Parquet, and written as JSON Lines or Ion text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from nbflow.errors import MissingExtraError, TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.sql.values import json_value
from nbflow.tasks.storage.scratch import stored

ION = ".ion"
_BINARY_ION = b"\xe0\x01\x00\xea"
_PARQUET = b"PAR1"
_PORTION = 5_000
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=json_value).encode


def records_of(
    ctx: RunContext, uri: str, name: str, parse_float: Callable[[str], object] | None = None
) -> Iterator[object]:
    """The records of a stored file; `name` is the property that holds its URI.

    Raises: TaskFailedError when it is none of the formats; MissingExtraError for Ion without its package.
    """
    return read_records(stored(ctx, uri, name), parse_float)


def read_records(path: Path, parse_float: Callable[[str], object] | None = None) -> Iterator[object]:
    """The records of a file, one after another; `parse_float` reads the numbers of JSON that are no integers."""
    with path.open("rb") as file:
        start = file.peek(4)[:4]
        if start == _PARQUET:
            yield from _parquet(path)
        elif start == _BINARY_ION:
            yield from _ion(file)
        else:
            yield from _text(file, parse_float)


def _text(file: BufferedReader, parse_float: Callable[[str], object] | None) -> Iterator[object]:
    decode = json.JSONDecoder(parse_float=parse_float).decode
    lines = enumerate((line for line in file if line.strip()), 1)
    for number, line in lines:
        try:
            value = decode(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except ValueError as cause:
            if number > 1:
                raise TaskFailedError(
                    f"record {number} is no JSON: {line[:100].decode(errors='replace')!r}",
                    hint="the file must be JSON Lines: one JSON value a line",
                ) from cause
            file.seek(0)
            yield from _json(file) if _begins_as_json(file) else _ion(file)
            return
        if number == 1 and isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            yield from value  # an array of records on one line
        else:
            yield value


def _begins_as_json(file: BufferedReader) -> bool:
    """Whether a text begins as JSON does, of which a value goes over several lines, and not as Ion."""
    start = b"".join(file.read(1000).split()).removeprefix(b"\xef\xbb\xbf")
    file.seek(0)
    return start[:1] == b"[" or start[:2] in (b'{"', b"{}")


def _json(file: BufferedReader) -> Iterator[object]:
    from nbflow.tasks.serdes.json_stream import values

    yield from values(file, "utf-8-sig")


def _ion(file: BinaryIO) -> Iterator[object]:
    try:
        from amazon.ion import simpleion
        from amazon.ion.exceptions import IonException
    except ImportError as missing:
        raise MissingExtraError(
            "reading Ion that is no JSON needs a package", hint="pip install 'jupyter-nbflow[ion]'"
        ) from missing
    from nbflow.expressions.java.ion import plain_value

    try:
        for value in simpleion.load(file, single_value=False, parse_eagerly=False):
            yield plain_value(value)
    except (IonException, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as wrong:
        raise TaskFailedError(
            f"the file is neither JSON Lines nor Ion: {wrong}", hint="convert it first, such as with CsvToIon"
        ) from wrong


def _parquet(path: Path) -> Iterator[object]:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET threads = 1; SET memory_limit = '100MB'")
        cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in cursor.description or ()]
        while portion := cursor.fetchmany(_PORTION):
            for row in portion:
                yield dict(zip(names, row, strict=True))


def write_records(path: Path, records: Iterable[object], *, typed: bool = False) -> int:
    """Write records as lines of JSON, or of Ion text where `typed`; how many these were."""
    count = 0
    to_text = typed_ion if typed else json_text
    with path.open("w", encoding="utf-8", newline="\n") as file:
        write = file.write
        if typed:
            write("$ion_1_0\n")
        for record in records:
            write(to_text(record) + "\n")
            count += 1
    return count


def json_text(value: object) -> str:
    """A value as JSON on one line; what JSON does not have becomes text, or null."""
    try:
        return _encode(value)
    except ValueError:  # it holds numbers that are none in JSON
        return _encode(json_value(value))


def typed_ion(value: object) -> str:
    """A value as Ion text, with its type: timestamps, decimals and bytes are none in JSON."""
    from nbflow.expressions.java.ion import ion_text

    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return f"{value.isoformat()}"
    if isinstance(value, bytes | bytearray):
        import base64

        return "{{" + base64.b64encode(value).decode() + "}}"
    if isinstance(value, Mapping):
        names = ((ion_text({str(key): 0})[1:-3], item) for key, item in value.items())
        return "{" + ",".join(f"{name}:{typed_ion(item)}" for name, item in names) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(typed_ion, value)) + "]"
    if isinstance(value, str | int | float | bool | Decimal) or value is None:
        return ion_text(value)
    return ion_text(json_value(value))
