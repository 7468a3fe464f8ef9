"""An engine's life cut short: copies of a history after each of its commits, and homes to go on from one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from hypothesis import strategies as st

from nbflow.engine import Engine
from nbflow.settings import Settings
from nbflow.store.changes import Change

_DATABASE = "nbflow.db"
_homes = count()


@contextmanager
def living(folder: Path, copy: bytes | None = None) -> Iterator[Engine]:
    """An engine in a new home below a folder; with a copy, it finds the history of one that has died just then."""
    home = folder / f"home-{next(_homes)}"
    home.mkdir(parents=True)
    if copy is not None:
        (home / _DATABASE).write_bytes(copy)
        with sqlite3.connect(home / _DATABASE) as history:
            history.execute("DELETE FROM engines")  # its process goes on here, and with it its lease
        history.close()
    # A test survives no power loss, and is quicker so.
    with Engine(settings=Settings(home, durability="normal")) as engine:
        yield engine


def copies_of(engine: Engine) -> list[bytes]:
    """A list that gets a copy of the history after each commit from now on.

    From now on each change is committed alone: what several of them share is cut through as well.
    """
    copies: list[bytes] = []
    writer = engine.store.writer
    database = engine.settings.home / _DATABASE
    commit: Callable[..., object] = writer._commit
    defer: Callable[..., None] = writer.defer

    def commit_and_copy(*args: object) -> object:
        failure = commit(*args)
        history = sqlite3.connect(database)
        copies.append(history.serialize())
        history.close()
        return failure

    def defer_and_commit(*changes: Change) -> None:
        defer(*changes)
        writer.flush()

    writer._commit = commit_and_copy  # type: ignore[method-assign,assignment]  # nothing else tells of each commit
    writer.defer = defer_and_commit  # type: ignore[method-assign,assignment]
    return copies


def cuts(most: int) -> st.SearchStrategy[list[float]]:
    """Places to cut at, as parts of the whole: how many commits there are depends on the machine's mood."""
    return st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=most)


def at(copies: Sequence[bytes], part: float) -> bytes:
    return copies[int(part * len(copies))]
