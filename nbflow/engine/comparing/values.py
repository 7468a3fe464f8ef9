"""How two values differ: JSON value by value, stored files by what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from nbflow.engine.comparing.frames import compare_frames
from nbflow.engine.comparing.notebooks import compare_notebooks, unified
from nbflow.engine.comparing.result import Change, FrameDiff
from nbflow.engine.live.files import StoredFile, is_uri
from nbflow.engine.live.opening import library
from nbflow.engine.variables import SEALED
from nbflow.errors import MissingExtraError, NbflowError, NotFoundError
from nbflow.plugins import FileStorage
from nbflow.store import is_encrypted

_MOST_CHANGES = 100
_LONGEST = 200
_LONGEST_TEXT = 1_000_000
_PORTION = 1 << 20


def compare_values(path: str, before: object, after: object, files: FileStorage) -> tuple[Change, ...]:
    """The differences between two JSON values, at most 100; URIs stand for their files."""
    found: list[Change] = []
    seen: set[tuple[str, str]] = set()
    for change in _walk(path, before, after, files, seen):
        found.append(change)
        if len(found) == _MOST_CHANGES:
            break
    return tuple(found)


def _walk(path: str, before: object, after: object, files: FileStorage, seen: set[tuple[str, str]]) -> Iterator[Change]:
    if before == after and type(before) is type(after):
        return
    if _is_secret(before) or _is_secret(after):
        if not (_is_secret(before) and _is_secret(after)):  # what is encrypted differs each time: it tells nothing
            shown = ["(secret)" if _is_secret(each) else _short(each) for each in (before, after)]
            yield Change(path, "changed", shown[0], shown[1])
    elif is_uri(before) and is_uri(after):
        pair = (str(before), str(after))
        if pair in seen:  # a task may tell of a file in two places
            return
        seen.add(pair)
        yield from _compare_files(path, StoredFile(str(before), files), StoredFile(str(after), files))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            inner = f"{path}.{name}" if path else str(name)
            if name not in after:
                yield Change(inner, "removed", _short(before[name]))
            elif name not in before:
                yield Change(inner, "added", "", _short(after[name]))
            else:
                yield from _walk(inner, before[name], after[name], files, seen)
    elif isinstance(before, list) and isinstance(after, list):
        for number, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from _walk(f"{path}[{number}]", one, other, files, seen)
        if len(before) != len(after):
            yield Change(path, "changed", f"{len(before)} items", f"{len(after)} items")
    else:
        lines: tuple[str, ...] = ()
        if isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
            lines = unified(before, after)
        yield Change(path, "changed", _short(before), _short(after), lines=lines)


def _compare_files(path: str, before: StoredFile, after: StoredFile) -> Iterator[Change]:
    try:
        left, right = before.path, after.path
    except NotFoundError as gone:
        yield Change(path, "changed", before.name, after.name, lines=(gone.message,))
        return
    if _same_bytes(left, right):
        return
    sizes = f"{before.name}, {before.size} bytes", f"{after.name}, {after.size} bytes"
    if before.name.endswith(".ipynb") and after.name.endswith(".ipynb"):
        try:
            cells = compare_notebooks(before.read(), after.read())
        except ValueError as wrong:
            yield Change(path, "changed", *sizes, lines=(f"no notebook: {wrong}",))
            return
        if cells:
            yield Change(path, "changed", *sizes, cells=cells)
        return
    frame = _frames(before, after)
    if frame is not None:
        if not frame.is_same:
            yield Change(path, "changed", *sizes, frame=frame)
        return
    yield Change(path, "changed", *sizes, lines=_text_lines(before, after))


def _frames(before: StoredFile, after: StoredFile) -> FrameDiff | None:
    """How two files differ as tables; None when they are none, or cannot be read as such."""
    try:
        if before.name.endswith(".npy") and after.name.endswith(".npy"):
            left, right = before.value, after.value
            if max(left.ndim, right.ndim) > 2:
                return None
            frame = library("pandas", "pandas").DataFrame
            return compare_frames(frame(left), frame(right))
        if not (before.is_table and after.is_table):
            return None
        return compare_frames(before.df(), after.df())
    except (MissingExtraError, NbflowError):
        return None


def _text_lines(before: StoredFile, after: StoredFile) -> tuple[str, ...]:
    if max(before.size, after.size) > _LONGEST_TEXT:
        return ()
    try:
        return unified(before.text(), after.text())
    except UnicodeDecodeError:
        return ()


def _is_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return value.keys() == {"type", "value"} and value["type"] == SEALED
    return isinstance(value, str) and is_encrypted(value)


def _same_bytes(left: Path, right: Path) -> bool:
    if left.stat().st_size != right.stat().st_size:
        return False
    with left.open("rb") as one, right.open("rb") as other:
        while portion := one.read(_PORTION):
            if portion != other.read(_PORTION):
                return False
    return True


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
