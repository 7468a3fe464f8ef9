"""Whether a value is what an operator asks for: plain functions over JSON values.

Values of expressions have types, and YAML has its own idea of them: text and what it stands for are equal, as in
Kestra, where everything is compared as text: `"200"` equals 200, `"true"` equals true, JSON text equals its value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from nbflow.plugins.truth import is_true
from nbflow.types import JsonValue


def plain(value: object) -> JsonValue:
    """A value of an expression as JSON."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return str(value)


def equal(actual: JsonValue, expected: JsonValue) -> bool:
    """Whether two values are the same, or one is the text of the other."""
    if isinstance(actual, str) != isinstance(expected, str):
        text, other = (actual, expected) if isinstance(actual, str) else (expected, actual)
        assert isinstance(text, str)
        return _stands_for(text, other)
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(equal(actual[key], expected[key]) for key in actual)
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(equal, actual, expected))
    if isinstance(actual, bool) != isinstance(expected, bool):
        return False
    return actual == expected


def _stands_for(text: str, value: JsonValue) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return text.strip().lower() == str(value).lower()
    if isinstance(value, int | float):
        return _number(text) == _number(value)
    try:
        return equal(json.loads(text), value)
    except ValueError:
        return False


def text_of(value: JsonValue) -> str:
    """A value as an expression prints it."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _number(value: JsonValue) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        return None


def _ordered(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[JsonValue, JsonValue], bool]:
    def check(actual: JsonValue, expected: JsonValue) -> bool:
        left, right = _number(actual), _number(expected)
        for value, number in ((actual, left), (expected, right)):
            if number is None or number.is_nan():
                raise ValueError(f"{text_of(value)} is no number")
        assert left is not None
        assert right is not None
        return compare(left, right)

    return check


def _contains(actual: JsonValue, expected: JsonValue) -> bool:
    if isinstance(actual, list):
        return _in(expected, actual)
    if isinstance(actual, dict):
        return text_of(expected) in actual
    return actual is not None and text_of(expected) in text_of(actual)


def _in(actual: JsonValue, expected: JsonValue) -> bool:
    if not isinstance(expected, list):
        raise ValueError(f"{text_of(expected)} is no list")
    return any(equal(actual, item) for item in expected)


CHECKS: dict[str, Callable[[JsonValue, JsonValue], bool]] = {
    "is_null": lambda actual, expected: (actual is None) is is_true(expected),
    "is_not_null": lambda actual, expected: (actual is not None) is is_true(expected),
    "equal_to": equal,
    "not_equal_to": lambda actual, expected: not equal(actual, expected),
    "starts_with": lambda actual, expected: actual is not None and text_of(actual).startswith(text_of(expected)),
    "ends_with": lambda actual, expected: actual is not None and text_of(actual).endswith(text_of(expected)),
    "contains": _contains,
    "greater_than": _ordered(lambda left, right: left > right),
    "greater_than_or_equal_to": _ordered(lambda left, right: left >= right),
    "less_than": _ordered(lambda left, right: left < right),
    "less_than_or_equal_to": _ordered(lambda left, right: left <= right),
    "in_": _in,
    "not_in": lambda actual, expected: not _in(actual, expected),
}
"""By operator: (what is there, what is expected) → does it hold? Raises: ValueError for what cannot be compared."""

WORDS: dict[str, str] = {
    "is_null": "to be null",
    "is_not_null": "not to be null",
    "equal_to": "to be",
    "not_equal_to": "not to be",
    "starts_with": "to start with",
    "ends_with": "to end with",
    "contains": "to contain",
    "greater_than": "to be greater than",
    "greater_than_or_equal_to": "to be at least",
    "less_than": "to be less than",
    "less_than_or_equal_to": "to be at most",
    "in_": "to be one of",
    "not_in": "to be none of",
}
"""How each operator is said."""
