"""Waiting for something that another thread or process does, with a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.005


def eventually(predicate: Callable[[], T], within: float = 10.0) -> T:
    """Ask until the answer is true and return it. Raises: AssertionError after `within` seconds.

    Example: `eventually(lambda: engine.execution(id).state == "RUNNING")`
    """
    deadline = time.monotonic() + within
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within:g} s; the last answer was {answer!r}")
        time.sleep(_LOOK_SECONDS)
