"""Filters on numbers."""

from __future__ import annotations

from decimal import Decimal

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.comparing import kind_of
from nbflow.expressions.filters.checks import text_argument
from nbflow.expressions.java.parsing import create_number, to_double, to_whole
from nbflow.expressions.values import Float32, LoopState, is_number, is_string


def abs_(value: object) -> object:
    """A number without its sign.

    Example: `{{ -5 | abs }}` gives `5`
    """
    if not is_number(value):
        raise TemplateError(f"`abs` takes a number, not {kind_of(value)}")
    if isinstance(value, Float32):
        return Float32(abs(value))
    return abs(value)


def number(value: object, type: object = None) -> object:  # the name that expressions write
    """Read a text as a number: `INT`, `LONG`, `FLOAT`, `DOUBLE`, `BIGDECIMAL`, `BIGINTEGER`, or whatever fits.

    Example: `{{ ('12' | number) + 1 }}` gives `13`
    """
    if value is None:
        return None
    if not is_string(value):
        raise TemplateError(f"`number` takes a text, not {kind_of(value)}")
    kind = "" if type is None else text_argument("number", "type", type)
    return create_number(str.__str__(value), kind)


def number_format(value: object, format: object = None) -> str | None:  # the name that expressions write
    """Write a number after a pattern of Java's `DecimalFormat`.

    Example: `{{ 1234567.891 | numberFormat('#,##0.00') }}` gives `1,234,567.89`
    """
    from nbflow.expressions.filters.number_format import format_number

    if value is None:
        return None
    if not is_number(value):
        raise TemplateError(f"`numberFormat` takes a number, not {kind_of(value)}")
    pattern = None if format is None else text_argument("numberFormat", "format", format)
    return format_number(value, pattern)


def int_(value: object) -> object:
    """Make a whole number of a text or number; what stands after the point is cut off.

    Example: `{{ '42.9' | int }}` gives `42`
    """
    return None if value is None else to_whole(_plain(value))


def float_(value: object) -> object:
    """Make a number with a fraction of a text or number.

    Example: `{{ '3' | float }}` gives `3.0`
    """
    return None if value is None else to_double(_plain(value))


def _plain(value: object) -> int | float | Decimal | str:
    if isinstance(value, bool):
        return int(value)
    if is_number(value) or (isinstance(value, str) and not isinstance(value, LoopState)):
        return value
    raise TemplateError(f"{kind_of(value)} is no number")


FILTERS: dict[str, Function] = {
    "abs": abs_,
    "float": float_,
    "int": int_,
    "number": number,
    "numberFormat": number_format,
}
