"""A first look at a stored file: rows, text, a picture, as Kestra's clients show it."""

from __future__ import annotations

import base64
import json
from itertools import islice
from pathlib import Path

from nbflow.server.errors import RequestError
from nbflow.types import JsonValue

MAX_ROWS = 5000
_MAX_TEXT = 2**20
_MAX_IMAGE = 8 * 2**20
_ROWS = {"jsonl", "ndjson", "ion"}
_IMAGES = {"png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "avif"}


def preview(file: Path, name: str, rows: int, encoding: str) -> dict[str, JsonValue]:
    """What a file begins with: at most so many rows or lines.

    Raises: RequestError for an encoding that is not known, and for text that is not of it.
    """
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension in _IMAGES or extension == "pdf":
        content = _read(file, _MAX_IMAGE + 1)
        is_cut = len(content) > _MAX_IMAGE
        kind = "PDF" if extension == "pdf" else "IMAGE"
        return _shape(extension, kind, "" if is_cut else base64.b64encode(content).decode(), rows, is_cut)
    if extension == "parquet":
        found = _parquet(file, rows + 1)
        return _shape(extension, "LIST", list(found[:rows]), rows, len(found) > rows)
    lines, is_cut = _lines(file, rows, encoding)
    if extension in _ROWS:
        values = _values(lines)
        if values is not None:
            return _shape(extension, "LIST", values, rows, is_cut)
    return _shape(extension, "MARKDOWN" if extension == "md" else "TEXT", "\n".join(lines), rows, is_cut)


def _shape(extension: str, kind: str, content: JsonValue, rows: int, is_cut: bool) -> dict[str, JsonValue]:
    return {"extension": extension, "type": kind, "content": content, "maxLine": rows, "truncated": is_cut}


def _read(file: Path, most: int) -> bytes:
    with file.open("rb") as stream:
        return stream.read(most)


def _lines(file: Path, most: int, encoding: str) -> tuple[list[str], bool]:
    """The first lines, and whether there are more."""
    try:
        with file.open(encoding=encoding, errors="strict", newline=None) as stream:
            lines: list[str] = []
            size = 0
            for line in islice(stream, most):
                size += len(line)
                if size > _MAX_TEXT:
                    return lines or [line[:_MAX_TEXT]], True
                lines.append(line.rstrip("\n"))
            return lines, bool(stream.read(1))
    except LookupError:
        raise RequestError(f"there is no encoding `{encoding}`", path="encoding") from None
    except UnicodeDecodeError:
        raise RequestError(
            f"the file is not text in {encoding}", path="encoding", hint="name another `encoding`, or download it"
        ) from None


def _values(lines: list[str]) -> list[JsonValue] | None:
    """The rows as values; None when they are not JSON."""
    try:
        return [json.loads(line) for line in lines if line.strip()]
    except (ValueError, RecursionError):
        return None


def _parquet(file: Path, most: int) -> list[JsonValue]:
    import duckdb

    with duckdb.connect() as connection:
        try:
            found = connection.execute(
                "SELECT to_json(t) FROM (SELECT * FROM read_parquet(?) LIMIT ?) t", [str(file), most]
            )
            return [json.loads(row[0]) for row in found.fetchall()]
        except duckdb.Error as cause:
            raise RequestError(f"the file cannot be read as Parquet: {cause}") from cause
