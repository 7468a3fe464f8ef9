"""Checks of what a filter is given: the kinds of value and argument that it takes."""

from __future__ import annotations

from nbflow.errors import TemplateError
from nbflow.expressions.comparing import kind_of
from nbflow.expressions.values import is_number, is_string


def text_only(name: str, value: object) -> str:
    """The value of a filter that takes texts alone."""
    if not is_string(value):
        raise TemplateError(f"`{name}` takes a text, not {kind_of(value)}", hint="make a text of it with `| string`")
    return str.__str__(value)


def text_argument(name: str, argument: str, value: object) -> str:
    if not is_string(value):
        raise TemplateError(f"the argument `{argument}` of `{name}` must be a text, not {kind_of(value)}")
    return str.__str__(value)


def whole_argument(name: str, argument: str, value: object) -> int:
    """A whole number; a double is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TemplateError(f"the argument `{argument}` of `{name}` must be a whole number, not {kind_of(value)}")
    return value


def number_argument(name: str, argument: str, value: object) -> int:
    """A number, cut off to a whole one."""
    if not is_number(value):
        raise TemplateError(f"the argument `{argument}` of `{name}` must be a number, not {kind_of(value)}")
    return int(value)
