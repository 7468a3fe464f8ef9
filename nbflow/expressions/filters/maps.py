"""Filters on maps."""

from __future__ import annotations

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.comparing import kind_of
from nbflow.expressions.values import Array, Frozen, View, is_list, is_map


def keys(value: object) -> object:
    """The keys of a map, or the indexes of a list.

    Example: `{{ {'a': 1, 'b': 2} | keys }}` gives `["a","b"]`
    """
    if value is None:
        return None
    if is_map(value):
        return View(value)
    if is_list(value) or isinstance(value, Array):
        return Frozen(range(len(value)))
    raise TemplateError(f"`keys` takes a map or a list, not {kind_of(value)}")


def values(value: object) -> object:
    """The values of a map.

    Example: `{{ {'a': 1, 'b': 2} | values }}` gives `[1,2]`
    """
    if value is None:
        return None
    if is_map(value):
        return View(value.values())
    raise TemplateError(f"`values` takes a map, not {kind_of(value)}")


FILTERS: dict[str, Function] = {"keys": keys, "values": values}
