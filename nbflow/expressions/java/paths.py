"""The simplest jq expressions, such as `.items[0].name`, followed here: jq itself forgets that 2.0 is no 2."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from nbflow.errors import TemplateError

Step = str | int | None
"""A key, an index, or None for all items."""

_STEP = re.compile(
    r"""\s*\|\s*(?=\.)
    |\.\s*(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |\.?\s*\[\s*(?:"(?P<key>[^"\\]*)"|(?P<index>-?[0-9]{1,9}))?\s*\]
    |\."(?P<quoted>[^"\\]*)"
    |\.(?=\s*(?:\||\[|$))""",
    re.VERBOSE,
)


@functools.lru_cache(maxsize=256)
def simple_path(query: str) -> tuple[Step, ...] | None:
    """The steps of an expression that is nothing but a path; None for any other."""
    text = query.strip()
    if not text.startswith("."):
        return None
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or match.end() == at:
            return None
        at = match.end()
        name = match.group("name") or match.group("key") or match.group("quoted")
        if name is not None:
            steps.append(name)
        elif match.group("index") is not None:
            steps.append(int(match.group("index")))
        elif match.group().strip().endswith("]"):
            if '"' in match.group():
                return None
            steps.append(None)
    return tuple(steps)


def follow(tree: object, steps: Sequence[Step]) -> list[object]:
    """The values at the end of a path. Raises: TemplateError."""
    found = [tree]
    for step in steps:
        found = [inner for value in found for inner in _next(value, step)]
    return found


def _next(value: object, step: Step) -> list[object]:
    if step is None and isinstance(value, list | dict):
        return list(value.values()) if isinstance(value, dict) else list(value)
    if value is None and step is not None:
        return [None]
    if isinstance(step, str) and isinstance(value, dict):
        return [value.get(step)]
    if isinstance(step, int) and isinstance(value, list):
        return [value[step] if -len(value) <= step < len(value) else None]
    raise TemplateError(f"jq cannot take {'all items' if step is None else repr(step)} of this value")
