"""The known names that a mistyped one comes closest to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_COMPARED = 2000
"""Names to compare with at most: telling an error must not take longer than what failed."""


def nearest(name: str, names: Iterable[object], count: int = 1) -> list[str]:
    """The names most like `name`, best first; case, `-` and `_` make no difference.

    >>> nearest("start_date", ["startDate", "endDate"])
    ['startDate']
    """
    by_plain: dict[str, str] = {}
    for known in names:
        by_plain.setdefault(_plain(str(known)), str(known))
        if len(by_plain) == _COMPARED:
            break
    plain = _plain(name)
    if count == 1 and plain in by_plain:
        return [by_plain[plain]]
    return [by_plain[found] for found in difflib.get_close_matches(plain, by_plain, n=count, cutoff=0.6)]


def did_you_mean(name: str, names: Iterable[object], count: int = 1) -> str:
    """Advice that offers the nearest names; empty when none is near."""
    found = nearest(name, names, count)
    return f"did you mean {' or '.join(f'`{one}`' for one in found)}?" if found else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
