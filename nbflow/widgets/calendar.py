"""Many dates on a line: a square for each in the colour of its state, or for several when there are too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_MOST_SQUARES = 366
_MOST_LETTERS = 100


@dataclass(frozen=True, slots=True)
class Mark:
    """A date on the line: what it is called, what came of it, its colour and its letter. A higher `rank` shows."""

    label: str
    state: str
    colour: str
    letter: str
    rank: int = 0


def strip_html(marks: Sequence[Mark]) -> str:
    """The marks as squares; what they stand for is their title."""
    squares = "".join(_square(group) for group in _groups(marks, _MOST_SQUARES))
    return f'<div style="line-height:0;margin:4px 0;max-width:780px">{squares}</div>'


def strip_text(marks: Sequence[Mark]) -> str:
    """The marks as letters."""
    return "".join(_shown(group).letter for group in _groups(marks, _MOST_LETTERS))


def legend_html(marks: Sequence[Mark]) -> str:
    """What the colours mean, with how many there are of each."""
    counts: dict[str, tuple[str, int]] = {}
    for mark in marks:
        counts[mark.state] = (mark.colour, counts.get(mark.state, ("", 0))[1] + 1)
    return " · ".join(
        f'<span style="color:{colour}">■</span> {count} {escape(state)}' for state, (colour, count) in counts.items()
    )


def _groups(marks: Sequence[Mark], most: int) -> list[Sequence[Mark]]:
    size = -(-len(marks) // most) if marks else 1
    return [marks[start : start + size] for start in range(0, len(marks), size)]


def _shown(group: Sequence[Mark]) -> Mark:
    return max(group, key=lambda mark: mark.rank)


def _square(group: Sequence[Mark]) -> str:
    mark = _shown(group)
    label = mark.label if len(group) == 1 else f"{group[0].label} to {group[-1].label}"
    style = f"display:inline-block;width:11px;height:11px;margin:1px;border-radius:2px;background:{mark.colour}"
    return f'<span style="{style}" title="{escape(label)}: {escape(mark.state)}"></span>'
