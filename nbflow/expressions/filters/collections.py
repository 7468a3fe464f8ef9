"""Filters on lists and whatever has a length: first, last, join, sort, slice …"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from nbflow.errors import TemplateError
from nbflow.expressions.arithmetic import check_size, check_text
from nbflow.expressions.catalog import Function
from nbflow.expressions.comparing import kind_of, same
from nbflow.expressions.filters.checks import number_argument, text_argument, whole_argument
from nbflow.expressions.predicates import empty
from nbflow.expressions.scope import Scope
from nbflow.expressions.text import java_text
from nbflow.expressions.values import (
    Array,
    Char,
    Entry,
    Frozen,
    LoopState,
    is_collection,
    is_list,
    is_map,
    is_number,
    is_string,
)


def default(value: object, default: object = None) -> object:
    """Another value in place of one that is undefined, null, blank or empty; 0 and false stay.

    Example: `{{ nope | default('none') }}` gives `none`
    """
    return default if empty(value) else value


def _items(name: str, value: object) -> Sequence[object]:
    if is_collection(value) or isinstance(value, Array):
        return value
    raise TemplateError(f"`{name}` takes a list, not {kind_of(value)}")


def first(value: object) -> object:
    """The first item of a list or character of a text; null where a list has none.

    Example: `{{ ['a', 'b'] | first }}` gives `a`
    """
    return _end("first", value, 0)


def last(value: object) -> object:
    """The last item of a list or character of a text; null where a list has none.

    Example: `{{ ['a', 'b'] | last }}` gives `b`
    """
    return _end("last", value, -1)


def _end(name: str, value: object, index: int) -> object:
    if value is None:
        return None
    if is_string(value):
        if not value:
            raise TemplateError(f"an empty text has no {name} character")
        return Char(value[index])
    items = _items(name, value)
    return items[index] if items else None


def join(scope: Scope, value: object, separator: object = None) -> str | None:
    """Put the items of a list side by side, with a separator if one is given.

    Example: `{{ [1, 2, 3] | join('-') }}` gives `1-2-3`
    """
    if value is None:
        return None
    items = _items("join", value)
    between = "" if separator is None else text_argument("join", "separator", separator)
    return check_text(scope, between.join([java_text(item) for item in items]))


def length(value: object) -> int:
    """How many characters a text or items a list or map has; 0 for anything else.

    Example: `{{ 'abc' | length }}` gives `3`
    """
    if is_string(value):
        return len(value) if value.isascii() else len(_units(value)) // 2
    if isinstance(value, Array) or is_collection(value):
        return len(value)
    return len(value) if is_map(value) and not isinstance(value, LoopState) else 0


def sort(scope: Scope, value: object) -> object:
    """Sort a list; capitals come before small letters.

    Example: `{{ [3, 1, 2] | sort }}` gives `[1,2,3]`
    """
    if value is None:
        return None
    if not is_list(value) and not isinstance(value, Array):
        raise TemplateError(f"`sort` takes a list, not {kind_of(value)}")
    return _sorted(scope, "sort", value, is_reversed=False)


def rsort(scope: Scope, value: object) -> object:
    """Sort a list, the largest first.

    Example: `{{ [3, 1, 2] | rsort }}` gives `[3,2,1]`
    """
    if value is None:
        return None
    if not is_list(value):
        raise TemplateError(f"`rsort` takes a list, not {kind_of(value)}")
    return _sorted(scope, "rsort", value, is_reversed=True)


def _sorted(scope: Scope, name: str, value: Sequence[object], *, is_reversed: bool) -> Sequence[object]:
    if isinstance(value, Frozen):
        raise TemplateError(f"`{name}` cannot change this list")
    if is_reversed:
        ordered = sorted(value, key=functools.cmp_to_key(lambda one, other: _compare(other, one)))
    else:
        ordered = sorted(value, key=functools.cmp_to_key(_compare))
    if isinstance(value, Array):
        value[:] = ordered
        return list(ordered)
    own = scope.own(value)
    own[:] = ordered
    return own


def _compare(one: object, other: object) -> int:
    if isinstance(one, bool) and isinstance(other, bool):
        return int(one) - int(other)
    if is_number(one) and is_number(other) and isinstance(one, int) is isinstance(other, int):
        return (one > other) - (one < other)
    if isinstance(one, str) and isinstance(other, str) and (type(one) is Char) is (type(other) is Char):
        left, right = _units(one), _units(other)
        return (left > right) - (left < right)
    raise TemplateError(f"{kind_of(one)} and {kind_of(other)} cannot be put in order")


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def reverse(scope: Scope, value: object) -> object:
    """Turn a list around.

    Example: `{{ [1, 2, 3] | reverse }}` gives `[3,2,1]`
    """
    if value is None:
        return None
    if not is_list(value) or (isinstance(value, Frozen) and len(value) > 1):
        raise TemplateError(f"`reverse` cannot turn around {kind_of(value)} of this kind")
    own = scope.own(value)
    own.reverse()
    return own


def slice_(value: object, from_index: object = 0, to_index: object = None) -> object:
    """A part of a list or text, from one index up to, and without, another.

    Example: `{{ 'abcdef' | slice(1, 3) }}` gives `bc`
    """
    if value is None:
        return None
    start = 0 if from_index is None else number_argument("slice", "fromIndex", from_index)
    end = None if to_index is None else number_argument("slice", "toIndex", to_index)
    if not is_string(value) and not is_list(value) and not isinstance(value, Array):
        raise TemplateError(f"`slice` takes a list or a text, not {kind_of(value)}")
    size = len(value)
    if start < 0 or start > size:
        raise TemplateError(f"`slice` begins at {start}, and there are {size} items or characters")
    if end is not None and end > size:
        raise TemplateError(f"`slice` ends at {end}, and there are {size} items or characters")
    if end is not None and start >= end:
        raise TemplateError(f"`slice` from {start} to {end} holds nothing")
    part = value[start:end]
    return str.__str__(part) if isinstance(part, str) else type(value)(part) if isinstance(value, Array) else list(part)


def chunk(value: object, size: object) -> Frozen | None:
    """Cut a list into lists of at most `size` items.

    Example: `{{ [1, 2, 3] | chunk(2) }}` gives `[[1,2],[3]]`
    """
    if value is None:
        return None
    if not is_list(value):
        raise TemplateError(f"`chunk` takes a list, not {kind_of(value)}")
    step = whole_argument("chunk", "size", size)
    if step <= 0:
        raise TemplateError("the size of `chunk` must be 1 or more")
    return Frozen(list(value[start : start + step]) for start in range(0, len(value), step))


def flatten(scope: Scope, value: object) -> Frozen | None:
    """Put the items of the lists in a list into one list, one level deep.

    Example: `{{ [1, [2, 3]] | flatten }}` gives `[1,2,3]`
    """
    if value is None:
        return None
    if not is_list(value):
        raise TemplateError(f"`flatten` takes a list, not {kind_of(value)}")
    items: list[object] = []
    for item in value:
        if is_list(item):
            items.extend(item)
            check_size(scope, len(items))
        else:
            items.append(item)
    return Frozen(items)


def distinct(value: object) -> list[object] | None:
    """A list without repeats, in the order of first appearance.

    Example: `{{ [1, 2, 1] | distinct }}` gives `[1,2]`
    """
    if value is None:
        return None
    items: list[object] = []
    seen: set[object] = set()
    for item in _items("distinct", value):
        key = (type(item), item) if isinstance(item, str | int | float | bool) else None
        if key is not None:
            if key in seen:
                continue
            seen.add(key)
        elif any(same(item, one) for one in items):
            continue
        items.append(item)
    return items


def is_in(value: object, values: object) -> bool:
    """Whether a value is among the items of a list.

    Example: `{{ 'a' | isIn(['a', 'b']) }}` gives `true`
    """
    return any(
        same(one, value) or (is_number(one) and is_number(value) and one == value) for one in _items("isIn", values)
    )


def merge(value: object, items: object = None) -> object:
    """Put lists or maps together; of equal keys the second wins.

    Example: `{{ [1] | merge([2]) }}` gives `[1,2]`
    """
    if value is None and items is None:
        raise TemplateError("`merge` has nothing to put together")
    if value is None or items is None:
        return items if value is None else value
    if is_map(value):
        if is_map(items):
            return {**value, **items}
        if is_list(items):
            return {**value, **{item: item for item in items}}
    elif is_list(value):
        if is_map(items):
            return [*value, *(Entry(key, item) for key, item in items.items())]
        if is_list(items):
            return [*value, *items]
    elif isinstance(value, Array) and isinstance(items, Array):
        return Array([*value, *items])
    raise TemplateError(f"`merge` cannot put {kind_of(value)} and {kind_of(items)} together")


FILTERS: dict[str, Function] = {
    "chunk": chunk,
    "default": default,
    "distinct": distinct,
    "first": first,
    "flatten": flatten,
    "isIn": is_in,
    "join": join,
    "last": last,
    "length": length,
    "merge": merge,
    "reverse": reverse,
    "rsort": rsort,
    "slice": slice_,
    "sort": sort,
}
