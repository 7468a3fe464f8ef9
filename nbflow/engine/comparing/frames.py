"""How two tables differ: shape, columns, types, values. Pandas is loaded by whoever has the frames."""

from __future__ import annotations

from typing import Any

from nbflow.engine.comparing.result import MOST_VALUES, FrameDiff


def compare_frames(before: Any, after: Any) -> FrameDiff:  # Any: pandas has no static types here
    """Compare two data frames. Of the same length, value by value in the order of rows; else row by row as a set."""
    names = [list(map(str, frame.columns)) for frame in (before, after)]
    common = [name for name in names[0] if name in names[1]]
    before, after = (_plainly_named(frame, columns) for frame, columns in zip((before, after), names, strict=True))
    types = [(name, str(before[name].dtype), str(after[name].dtype)) for name in common]
    shape_before, shape_after = tuple(before.shape), tuple(after.shape)
    changed: dict[str, int] = {}
    values: list[tuple[str, str, str, str]] = []
    added = removed = 0
    if len(before) == len(after):
        for name in common:
            left, right = before[name].reset_index(drop=True), after[name].reset_index(drop=True)
            places = _places(left, right)
            if places:
                changed[name] = len(places)
                room = MOST_VALUES - len(values)
                values += [(str(row), name, _shown(left[row]), _shown(right[row])) for row in places[:room]]
    elif common:
        removed, added = _apart(_keys(before, common), _keys(after, common))
    return FrameDiff(
        shape_before,
        shape_after,
        tuple(name for name in names[1] if name not in names[0]),
        tuple(name for name in names[0] if name not in names[1]),
        tuple(change for change in types if change[1] != change[2]),
        changed,
        tuple(values),
        added,
        removed,
    )


def _plainly_named(frame: Any, names: list[str]) -> Any:
    """The frame with columns that are text and differ from each other."""
    unique = [name if names.index(name) == number else f"{name} ({number})" for number, name in enumerate(names)]
    names[:] = unique
    return frame.set_axis(unique, axis="columns")


def _places(left: Any, right: Any) -> list[int]:
    """The rows where two columns differ; what is missing on both sides agrees."""
    try:
        differs = ~((left == right).fillna(False).astype(bool) | (left.isna() & right.isna()))
    except (TypeError, ValueError):  # lists and the like within cells, or types that cannot be compared
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        return [row for row, (one, other) in enumerate(pairs) if repr(one) != repr(other)]
    return [int(row) for row in differs.to_numpy().nonzero()[0]]


def _keys(frame: Any, columns: list[str]) -> dict[Any, int]:
    """How often each row is there."""
    counts: dict[Any, int] = {}
    for row in frame[columns].itertuples(index=False, name=None):
        key = tuple(value if value == value else None for value in map(_hashable, row))  # NaN is no value
        counts[key] = counts.get(key, 0) + 1
    return counts


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


def _apart(before: dict[Any, int], after: dict[Any, int]) -> tuple[int, int]:
    """How many rows are only in the first, and only in the second."""
    removed = sum(max(count - after.get(key, 0), 0) for key, count in before.items())
    added = sum(max(count - before.get(key, 0), 0) for key, count in after.items())
    return removed, added


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
