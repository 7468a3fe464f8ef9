"""The methods of Java's texts, lists, maps and numbers that expressions may call: those that only read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.comparing import contains, same
from nbflow.expressions.lexer import WHITE_SPACE
from nbflow.expressions.text import java_text
from nbflow.expressions.values import Char, Entry, View
from nbflow.regexes import full_match, replace_all, replace_first, split

# Methods take what Java's do, of whatever kind; a wrong kind is an error of the expression.
Method = Callable[..., Any]

CONTROLS = "".join(map(chr, range(0x21)))
"""What `String.trim` of Java takes off both ends."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TemplateError("this method takes a text")
    return str.__str__(value)


def _index(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TemplateError("this method takes a whole number")
    return int(value)


def _char_at(text: str, index: object) -> Char:
    at = _index(index)
    if not 0 <= at < len(text):
        raise TemplateError(f"the text has no character {at}")
    return Char(text[at])


def _substring(text: str, start: object, end: object = None) -> str:
    first, last = _index(start), len(text) if end is None else _index(end)
    if not 0 <= first <= last <= len(text):
        raise TemplateError(f"the text has no part from {first} to {last}")
    return text[first:last]


def _repeat(text: str, count: object) -> str:
    times = _index(count)
    if times < 0 or len(text) * times > 10_000_000:
        raise TemplateError(f"a text cannot be repeated {times} times")
    return text * times


def _compare(one: str, other: object) -> int:
    second = _text(other)
    for left, right in zip(one, second, strict=False):
        if left != right:
            return ord(left) - ord(right)
    return len(one) - len(second)


def _replace(text: str, old: object, new: object) -> str:
    return text.replace(_text(old), _text(new))


def _hash(text: str) -> int:
    value = 0
    for unit in memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H"):
        value = (value * 31 + unit) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


_STRING: dict[tuple[str, int], Method] = {
    ("length", 0): len,
    ("isempty", 0): lambda text: not text,
    ("isblank", 0): lambda text: not text.strip(WHITE_SPACE),
    ("touppercase", 0): lambda text: text.upper(),
    ("tolowercase", 0): lambda text: text.lower(),
    ("trim", 0): lambda text: text.strip(CONTROLS),
    ("strip", 0): lambda text: text.strip(WHITE_SPACE),
    ("stripleading", 0): lambda text: text.lstrip(WHITE_SPACE),
    ("striptrailing", 0): lambda text: text.rstrip(WHITE_SPACE),
    ("tostring", 0): lambda text: str.__str__(text),
    ("intern", 0): lambda text: str.__str__(text),
    ("hashcode", 0): _hash,
    ("lines", 0): lambda text: View(text.splitlines()),
    ("charat", 1): _char_at,
    ("substring", 1): _substring,
    ("substring", 2): _substring,
    ("subsequence", 2): _substring,
    ("startswith", 1): lambda text, other: text.startswith(_text(other)),
    ("startswith", 2): lambda text, other, at: text.startswith(_text(other), _index(at)),
    ("endswith", 1): lambda text, other: text.endswith(_text(other)),
    ("contains", 1): lambda text, other: _text(other) in text,
    ("indexof", 1): lambda text, other: text.find(_text(other)),
    ("indexof", 2): lambda text, other, at: text.find(_text(other), max(_index(at), 0)),
    ("lastindexof", 1): lambda text, other: text.rfind(_text(other)),
    ("replace", 2): _replace,
    ("replaceall", 2): lambda text, old, new: replace_all(text, _text(old), _text(new)),
    ("replacefirst", 2): lambda text, old, new: replace_first(text, _text(old), _text(new)),
    ("matches", 1): lambda text, pattern: full_match(text, _text(pattern)),
    ("split", 1): lambda text, pattern: split(text, _text(pattern), 0),
    ("split", 2): lambda text, pattern, limit: split(text, _text(pattern), _index(limit)),
    ("concat", 1): lambda text, other: text + _text(other),
    ("repeat", 1): _repeat,
    ("equals", 1): same,
    ("equalsignorecase", 1): lambda text, other: isinstance(other, str) and text.lower() == other.lower(),
    ("compareto", 1): _compare,
    ("comparetoignorecase", 1): lambda text, other: _compare(text.lower(), _text(other).lower()),
}

_COLLECTION: dict[tuple[str, int], Method] = {
    ("size", 0): len,
    ("isempty", 0): lambda items: not items,
    ("contains", 1): lambda items, item: any(same(one, item) for one in items),
    ("containsall", 1): contains,
    ("tostring", 0): java_text,
}


def _get(items: Sequence[object], index: object) -> object:
    at = _index(index)
    if not 0 <= at < len(items):
        raise TemplateError(f"the list has no item {at}")
    return items[at]


def _index_of(items: Sequence[object], item: object) -> int:
    return next((index for index, one in enumerate(items) if same(one, item)), -1)


def _last_index_of(items: Sequence[object], item: object) -> int:
    return next((index for index in range(len(items) - 1, -1, -1) if same(items[index], item)), -1)


def _sublist(items: Sequence[object], start: object, end: object) -> list[object]:
    first, last = _index(start), _index(end)
    if not 0 <= first <= last <= len(items):
        raise TemplateError(f"the list has no part from {first} to {last}")
    return list(items[first:last])


_LIST: dict[tuple[str, int], Method] = {
    **_COLLECTION,
    ("get", 1): _get,
    ("getfirst", 0): lambda items: _get(items, 0),
    ("getlast", 0): lambda items: _get(items, len(items) - 1),
    ("indexof", 1): _index_of,
    ("lastindexof", 1): _last_index_of,
    ("sublist", 2): _sublist,
    ("equals", 1): same,
}


def _map_get(items: Mapping[object, object], key: object, default: object = None) -> object:
    return items[key] if contains(items, key) else default


_MAP: dict[tuple[str, int], Method] = {
    ("size", 0): len,
    ("isempty", 0): lambda items: not items,
    ("get", 1): _map_get,
    ("getordefault", 2): _map_get,
    ("containskey", 1): contains,
    ("containsvalue", 1): lambda items, item: any(same(one, item) for one in items.values()),
    ("keyset", 0): lambda items: View(items),
    ("values", 0): lambda items: View(items.values()),
    ("entryset", 0): lambda items: View(Entry(key, item) for key, item in items.items()),
    ("tostring", 0): java_text,
    ("equals", 1): same,
}


def _truncated(value: float, bits: int) -> int:
    if value != value:
        return 0
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if isinstance(value, int):
        wrapped = value & ((1 << bits) - 1)
        return wrapped - (1 << bits) if wrapped > high else wrapped
    return low if value < low else high if value > high else int(value)


_NUMBER: dict[tuple[str, int], Method] = {
    ("intvalue", 0): lambda number: _truncated(number, 32),
    ("longvalue", 0): lambda number: _truncated(number, 64),
    ("doublevalue", 0): float,
    ("floatvalue", 0): float,
    ("isnan", 0): lambda number: number != number,
    ("isinfinite", 0): lambda number: math.isinf(number),
    ("tostring", 0): java_text,
    ("equals", 1): same,
    ("compareto", 1): lambda number, other: (number > other) - (number < other),
}

METHODS: dict[str, dict[tuple[str, int], Method]] = {
    "string": _STRING,
    "list": _LIST,
    "collection": _COLLECTION,
    "array": {},
    "map": _MAP,
    "number": _NUMBER,
    "boolean": {
        ("booleanvalue", 0): bool,
        ("hashcode", 0): lambda value: 1231 if value else 1237,
        ("tostring", 0): java_text,
        ("equals", 1): same,
    },
    "entry": {
        ("getkey", 0): lambda entry: entry.key,
        ("getvalue", 0): lambda entry: entry.value,
        ("tostring", 0): java_text,
    },
}
"""By kind of value: the lower-case name of a method and the number of its arguments, and what it does."""
