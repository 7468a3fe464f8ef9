"""The known name that a mistyped one comes closest to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[object]) -> str:
    """The most alike of `known`; empty when none is near."""
    names = [str(one) for one in known][:2000]
    if name in names:
        return ""
    folded = {one.lower().replace("_", "").replace("-", ""): one for one in reversed(names)}
    plain = name.lower().replace("_", "").replace("-", "")
    if plain in folded:
        return folded[plain]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return near[0] if near else ""
