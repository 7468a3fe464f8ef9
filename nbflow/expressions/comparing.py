"""Equality, order and `contains`, as Java has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from nbflow.errors import TemplateError
from nbflow.expressions.text import java_text
from nbflow.expressions.values import (
    Array,
    Char,
    Entry,
    MacroText,
    View,
    is_collection,
    is_map,
    is_number,
    is_string,
)


def kind_of(value: object) -> str:
    """The kind of a value in words, for messages."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if is_number(value):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if is_map(value):
        return "a map"
    if is_collection(value) or isinstance(value, Array):
        return "a list"
    return "an entry of a map" if isinstance(value, Entry) else type(value).__name__


def equals(left: object, right: object) -> bool:
    """`==`: numbers by value, everything else as Java's `equals`."""
    if type(left) is str and type(right) is str:
        return left == right
    if is_number(left) and is_number(right):
        return float(left) == float(right)
    return same(left, right)


def differs(left: object, right: object) -> bool:
    return not equals(left, right)


def same(left: object, right: object) -> bool:
    """Java's `equals`: both kind and value; a whole number never equals a double."""
    if left is right:
        return True
    if left is None or right is None:
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_number(left) or is_number(right):
        if not (is_number(left) and is_number(right)) or isinstance(left, int) is not isinstance(right, int):
            return False
        return bool(left == right) and isinstance(left, Decimal) is isinstance(right, Decimal)
    if isinstance(left, str) or isinstance(right, str):
        if not (isinstance(left, str) and isinstance(right, str)):
            return False
        if isinstance(left, MacroText) or isinstance(right, MacroText):
            return False
        return str.__eq__(left, right) and (type(left) is Char) is (type(right) is Char)
    if is_map(left):
        return is_map(right) and _same_maps(left, right)
    if isinstance(left, Array) or isinstance(right, Array):
        return False
    if is_collection(left):
        return is_collection(right) and _same_collections(left, right)
    if isinstance(left, Entry):
        return isinstance(right, Entry) and same(left.key, right.key) and same(left.value, right.value)
    return bool(left == right)


def _same_maps(left: Mapping[object, object], right: Mapping[object, object]) -> bool:
    if len(left) != len(right):
        return False
    return all(key in right and same(item, right[key]) for key, item in left.items())


def _same_collections(left: Sequence[object], right: Sequence[object]) -> bool:
    if isinstance(left, View) or isinstance(right, View):
        return (
            isinstance(left, View)
            and isinstance(right, View)
            and len(left) == len(right)
            and all(contains(right, item) for item in left)
        )
    return len(left) == len(right) and all(same(one, other) for one, other in zip(left, right, strict=True))


def _comparable(left: object, right: object) -> tuple[float, float] | None:
    if left is None or right is None:
        return None
    if not is_number(left) or not is_number(right):
        wrong = right if is_number(left) else left
        raise TemplateError(f"only numbers can be compared, and this is {kind_of(wrong)}")
    return float(left), float(right)


def greater(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] > pair[1]


def greater_equal(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] >= pair[1]


def less(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] < pair[1]


def less_equal(left: object, right: object) -> bool:
    pair = _comparable(left, right)
    return pair is not None and pair[0] <= pair[1]


def contains(container: object, item: object) -> bool:
    """`contains`: an item of a list (all items of a list), a key of a map, a part of a text."""
    if container is None:
        return False
    if isinstance(container, Array):
        return any(same(one, item) for one in container)
    if is_collection(container):
        if is_collection(item):
            return all(any(same(one, other) for one in container) for other in item)
        return any(same(one, item) for one in container)
    if is_map(container):
        return _has_key(container, item)
    if is_string(container):
        return java_text(item) in container
    raise TemplateError(f"{kind_of(container)} contains nothing", hint="use it on a list, a map or a text")


def _has_key(container: Mapping[object, object], key: object) -> bool:
    if type(key) is str:
        return key in container
    return any(same(one, key) for one in container)


def contains_lazy(container: object, item: Callable[[], object]) -> bool:
    """`contains` that looks at its right side only when there is something on the left."""
    return container is not None and contains(container, item())
