"""Attribute access: `map.key`, `list[0]`, and the Java methods that values of expressions have."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from nbflow.errors import TemplateError, UnsafeTemplateError
from nbflow.expressions.comparing import contains, kind_of, same
from nbflow.expressions.java.numbers import to_long
from nbflow.expressions.methods import METHODS
from nbflow.expressions.scope import Missing, Scope
from nbflow.expressions.text import java_text
from nbflow.expressions.values import (
    Array,
    AuthorText,
    Entry,
    LoopState,
    is_collection,
    is_list,
    is_map,
    is_number,
)

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FORBIDDEN = ("getclass", "class", "wait", "notify", "notifyall")


def attribute(scope: Scope, target: object, key: object) -> object:
    """`target.key` or `target[key]`. Raises: Missing."""
    value = raw_attribute(target, key)
    if type(value) is AuthorText:
        return scope.author_text(value)
    changed = scope.budget.changed
    return changed[id(value)][1] if changed and id(value) in changed else value


def raw_attribute(target: object, key: object) -> object:
    """`target[key]`, an author's text unrendered. Raises: Missing."""
    if type(target) is dict and type(key) is str:
        if key in target:
            return target[key]
        return _hyphenated(target, key)
    if target is None:
        raise Missing(key)
    if is_map(target):
        return _item(target, key)
    if isinstance(target, LoopState):
        return _loop_state(target, key)
    text = java_text(key)
    if isinstance(target, Array) or is_list(target):
        index = int(text) if _INTEGER.fullmatch(text) and len(text) < 12 else None
        if index is not None or isinstance(target, Array):
            if index is None or not 0 <= index < len(target):
                raise Missing(key, target)
            return target[index]
    if isinstance(target, Entry) and text in ("key", "value"):
        return target.key if text == "key" else target.value
    return call_method(target, text, (), is_attribute=True)


def _loop_state(state: LoopState, key: object) -> object:
    try:
        return state[java_text(key)]
    except KeyError:
        raise Missing(key, state) from None


def _item(target: Mapping[object, object], key: object) -> object:
    if is_number(key):
        first = next(iter(target), None)
        if not is_number(first):
            raise TemplateError(f"this map has text keys, and `{java_text(key)}` is a number", hint="put it in quotes")
        key = float(key) if isinstance(first, float) else _whole(key)
        for one in target:
            if same(one, key):
                return target[one]
        raise Missing(key, target)
    if key is None and None not in target:
        raise TemplateError("a map cannot be asked for the key null")
    try:
        found = contains(target, key)
    except TypeError:
        found = False
    if not found:
        if isinstance(key, str):
            return _hyphenated(target, str(key))
        raise Missing(key, target)
    return target[key]


def _whole(key: int | float | Decimal) -> int:
    if isinstance(key, int):
        return to_long(key)
    return int(key) if math.isfinite(key) else 0


def _hyphenated(target: Mapping[object, object], key: str) -> object:
    raise Missing(key, target)


def call_method(target: object, name: str, arguments: tuple[object, ...], *, is_attribute: bool = False) -> object:
    """A Java method of a value, found by its name whatever the case. Raises: Missing."""
    lowered = name.lower()
    if lowered in _FORBIDDEN:
        raise UnsafeTemplateError(f"`{name}` may not be used")
    method = _method(target, lowered, len(arguments))
    if method is None:
        raise Missing(name, target if is_attribute else None)
    return method(target, *arguments)


def _method(target: object, name: str, count: int) -> Callable[..., object] | None:
    table = METHODS.get(_type_of(target), {})
    for prefix in ("get", "is", "has", ""):
        method = table.get((prefix + name, count))
        if method is not None:
            return method
    return None


def _type_of(target: object) -> str:
    if isinstance(target, bool):
        return "boolean"
    if is_number(target):
        return "number"
    if isinstance(target, str):
        return "string"
    if isinstance(target, Array):
        return "array"
    if is_map(target):
        return "map"
    if isinstance(target, Entry):
        return "entry"
    if is_list(target):
        return "list"
    return "collection" if is_collection(target) else kind_of(target)


def invoke(scope: Scope, target: object, name: str, *arguments: object) -> object:
    """`target.name(…)`. Raises: Missing."""
    if target is None:
        raise Missing(name)
    value = call_method(target, name, arguments)
    return scope.author_text(value) if type(value) is AuthorText else value
