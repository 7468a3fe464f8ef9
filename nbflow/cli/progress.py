"""A bar for what takes long: on a terminal alone, and only when there is much to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
_MANY = 10


def tracked(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items one by one, with a bar that says how far it has come. It goes to stderr and leaves nothing there."""
    if len(items) < _MANY or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, what, console=Console(stderr=True), transient=True)
