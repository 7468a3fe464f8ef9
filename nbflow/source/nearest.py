"""Offers the names nearest to one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str], count: int = 1) -> list[str]:
    """The names most like `name`, best first; differences of case count less than others."""
    by_lower: dict[str, str] = {}
    for known in names:
        by_lower.setdefault(known.lower(), known)
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.6)
    return [by_lower[lower] for lower in found]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Advice that offers the nearest name; empty when none is near."""
    found = nearest(name, names)
    return f"did you mean `{found[0]}`?" if found else ""
