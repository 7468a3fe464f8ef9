"""The rows of an answer where pandas is not installed: a list of tuples that shows itself as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_SHOWN = 40
_WIDEST = 60


class Rows(list[tuple[object, ...]]):
    """Rows with the names of their columns; `rows.to_dicts()` gives one dictionary a row."""

    def __init__(self, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
        super().__init__(rows)
        self.columns = tuple(columns)

    def to_dicts(self) -> list[dict[str, object]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self]

    def __repr__(self) -> str:
        return text_table(self.columns, self)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(_short(value))}</td>" for value in row) + "</tr>" for row in self[:_SHOWN]
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{escape(_more(self))}"


def text_table(columns: Sequence[str], rows: Sequence[Sequence[object]], most: int = _SHOWN) -> str:
    """Rows as text, columns as wide as they need to be."""
    cells = [list(columns), *([_short(value) for value in row] for row in rows[:most])]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    more = _more(rows, most)
    return "\n".join([*lines, more] if more else lines)


def _short(value: object) -> str:
    text = "" if value is None else str(value).replace("\n", "⏎")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _more(rows: Sequence[object], most: int = _SHOWN) -> str:
    return f"… {len(rows) - most} more rows" if len(rows) > most else ""
