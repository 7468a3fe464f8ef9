"""The kinds of values that Pebble tells apart and Python does not: arrays, views of maps, entries, characters."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeGuard


class AuthorText(str):
    """A text that the author of a flow wrote, such as a variable of the flow.

    Where an expression uses it, the expressions it holds are rendered. What came out of a rendering, an input or an
    output is a plain `str` and never rendered by itself.
    """

    __slots__ = ()


class Char(str):
    """One character taken out of a text; to Java it is no text: it equals no string and has no truth."""

    __slots__ = ()


class MacroText(str):
    """What a macro returns; it prints and goes through filters as text, yet equals no string and has no truth."""

    __slots__ = ()


class Array(list[object]):
    """What `split` returns: it is indexed and looped over like a list, but is none to most filters."""


class View(list[object]):
    """Keys or values of a map: a collection without an order to sort, reverse or index."""


class Frozen(list[object]):
    """A list that refuses to be sorted, reversed or extended, such as the result of `flatten` and `chunk`."""


class Own(list[object]):
    """A list that this template made and may change in place; `sort`, `reverse`, `+` and `-` do, as in Java."""


class Float32(float):
    """A number of single precision, as the filter `number` makes them from short decimals."""

    __slots__ = ()

    def __new__(cls, value: float) -> Float32:
        try:
            return super().__new__(cls, struct.unpack("f", struct.pack("f", value))[0])
        except OverflowError:
            return super().__new__(cls, float("inf") if value > 0 else float("-inf"))


class Entry:
    """A key of a map with its value, as a loop over a map gives them."""

    __slots__ = ("key", "value")

    def __init__(self, key: object, value: object) -> None:
        self.key = key
        self.value = value


class LoopState(Mapping[str, object]):
    """`loop` inside a `for`: `index` from 0, `revindex`, `first`, `last`, `length`."""

    __slots__ = ("index", "length")

    def __init__(self, index: int, length: int) -> None:
        self.index = index
        self.length = length

    def __getitem__(self, name: str) -> object:
        match name:
            case "index":
                return self.index
            case "length":
                return self.length
            case "revindex":
                return self.length - self.index - 1
            case "first":
                return self.index == 0
            case "last":
                return self.index == self.length - 1
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("last", "length", "index", "revindex", "first"))

    def __len__(self) -> int:
        return 5


Number = int | float | Decimal


def is_number(value: object) -> TypeGuard[Number]:
    """Whether a value is a number; booleans are none."""
    kind = type(value)
    if kind is int or kind is float:
        return True
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_map(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether a value is a map to expressions."""
    return type(value) is dict or (isinstance(value, Mapping) and type(value) is not LoopState)


def is_array(value: object) -> bool:
    """Whether a value is an array rather than a list."""
    return type(value) is Array


def is_collection(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a list or a view of a map: whatever Java calls a collection."""
    if isinstance(value, list):
        return type(value) is not Array
    if isinstance(value, str | dict):
        return False
    return isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a list proper, with an order and an index."""
    if isinstance(value, list):
        kind = type(value)
        return kind is not Array and kind is not View
    return is_collection(value) and isinstance(value, Sequence)


def is_string(value: object) -> TypeGuard[str]:
    """Whether a value is a text to Java: characters and results of macros are none."""
    kind = type(value)
    return kind is str or (isinstance(value, str) and kind is not Char and kind is not MacroText)
