"""How the items of a loop, and the value of a Switch, become text."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nbflow.errors import TaskFailedError


def text_of(value: object) -> str:
    """A value as text: text as it is, anything else as compact JSON; null as the empty text."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a loop: its text, and the value in it; `key` when it is an entry of a map."""

    text: str
    value: str
    key: str | None = None


def items_of(values: object, name: str) -> list[str]:
    """The items of a loop as texts: from a list, a map, or JSON text of either.

    An entry of a map becomes `{"key":…,"value":…}`. Raises: TaskFailedError naming the property.
    """
    return [item.text for item in read_items(values, name)]


def read_items(values: object, name: str) -> list[Item]:
    """The items of a loop, as `items_of` has them, with their parts."""
    read = values
    if isinstance(values, str):
        try:
            read = json.loads(values)
        except ValueError:
            read = None
    if isinstance(read, dict):
        return [
            Item(text_of({"key": key, "value": value}), text_of(value), text_of(key)) for key, value in read.items()
        ]
    if not isinstance(read, list):
        shown = values if isinstance(values, str) else text_of(values)
        raise TaskFailedError(
            f"`{name}` must be a list, a map or JSON text of one, got {shown[:200] or 'nothing'}",
            hint='write it like ["a", "b"]',
        )
    missing = next((number for number, item in enumerate(read) if item is None), None)
    if missing is not None:
        raise TaskFailedError(f"`{name}[{missing}]` is null: an item of a loop needs a value")
    return [Item(text, text) for text in map(text_of, read)]
