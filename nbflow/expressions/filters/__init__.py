"""The filters after `|`, one family a file. Each takes the value first, then the arguments of the expression."""

from __future__ import annotations

from nbflow.expressions.catalog import Definition, Function, define
from nbflow.expressions.filters import collections, dates, encoding, formats, maps, numbers, text

_FAMILIES: tuple[dict[str, Function], ...] = (
    text.FILTERS,
    collections.FILTERS,
    maps.FILTERS,
    numbers.FILTERS,
    dates.FILTERS,
    encoding.FILTERS,
    formats.FILTERS,
)
_STRICT = {"flatten"}
"""Filters that refuse arguments instead of ignoring them."""

FILTERS: dict[str, Definition] = {
    name: define("filter", name, function, is_strict=name in _STRICT)
    for family in _FAMILIES
    for name, function in family.items()
}
