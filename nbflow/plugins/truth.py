"""What counts as true where a flow asks a yes-or-no question: `runIf`, the condition of an If."""

from __future__ import annotations

_FALSE_TEXTS = {"", "false", "0", "-0"}


def is_true(value: object) -> bool:
    """Whether a rendered value means yes: `false`, `0`, `-0`, the empty text and null mean no, any other text yes."""
    if value is None:
        return False
    if isinstance(value, str):
        return value.strip().lower() not in _FALSE_TEXTS
    return bool(value)
