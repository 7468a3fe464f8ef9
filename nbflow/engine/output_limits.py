"""How much a task, or a flow, may put out: the history keeps it as JSON, and every later expression reads it."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.errors import TaskFailedError
from nbflow.store import json_size
from nbflow.types import JsonValue

_FEW = 1000
"""Values up to which looking at each one is quicker than writing them as JSON."""
_LONGEST_ESCAPE = 12
"""Characters of JSON that one of a text can become: two escapes of six."""
_LONGEST_NUMBER = 25


def check_size(outputs: Mapping[str, JsonValue], limit: int) -> None:
    """Raises: TaskFailedError when the outputs take more than `limit` bytes as JSON; small ones are not written."""
    if not outputs or _is_surely_within(outputs, limit):
        return
    size = json_size(outputs)
    if size <= limit:
        return
    sizes = {name: json_size(value) for name, value in outputs.items()}
    largest = max(sizes, key=lambda name: sizes[name])
    raise TaskFailedError(
        f"the outputs take {size:,} bytes as JSON, and the limit is {limit:,}: "
        f"the largest is `{largest}` with {sizes[largest]:,}",
        hint="put it into a stored file and hand on its URI: `outputFiles`, or `fetchType: STORE`; "
        "or raise `maxOutputBytes` in the home's nbflow.yaml",
    )


def _is_surely_within(outputs: Mapping[str, JsonValue], limit: int) -> bool:
    """Whether few values show already that they are small: by what they take at most."""
    waiting: list[object] = [outputs]
    for _ in range(_FEW):
        if not waiting:
            return limit >= 0
        value = waiting.pop()
        if isinstance(value, str):
            limit -= len(value) * _LONGEST_ESCAPE + 3
        elif isinstance(value, Mapping):
            limit -= 3
            for key, item in value.items():
                limit -= len(str(key)) * _LONGEST_ESCAPE + 4
                waiting.append(item)
        elif isinstance(value, list | tuple):
            limit -= 3
            waiting.extend(value)
        elif isinstance(value, int):
            limit -= max(_LONGEST_NUMBER, value.bit_length())
        else:
            limit -= _LONGEST_NUMBER
        if limit < 0 or len(waiting) > _FEW:
            return False
    return False
