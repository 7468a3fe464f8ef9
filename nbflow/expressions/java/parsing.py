"""Reads numbers as `NumberUtils` of Apache Commons Lang does: the smallest kind that holds them."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation

from nbflow.errors import TemplateError
from nbflow.expressions.java.numbers import double_text, float_text
from nbflow.expressions.values import Float32

_MAX_DIGITS = 4000
_MAX_EXPONENT = 10_000
_DECODED = re.compile(r"([+-]?)(0[xX]|#|0(?=[0-9]))?([0-9a-fA-F]+)")
_FLOATING = re.compile(r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def create_number(text: str, kind: str) -> object:
    """A number of the kind asked for, or of the smallest that holds it. Raises: TemplateError."""
    if len(text) > _MAX_DIGITS:
        raise TemplateError("this number has too many digits")
    match kind:
        case "INT":
            return _ranged(text, 31)
        case "LONG":
            return _ranged(text, 63)
        case "FLOAT":
            return Float32(_floating(text))
        case "DOUBLE":
            return _floating(text)
        case "BIGDECIMAL":
            return _decimal(text)
        case "BIGINTEGER":
            return _decoded(text)
    return _smallest(text)


def _wrong(text: str) -> TemplateError:
    return TemplateError(f"`{text[:80]}` is no number")


def _decoded(text: str) -> int:
    """`Integer.decode`: decimal, `0x` and `#` hexadecimal, a leading 0 octal."""
    match = _DECODED.fullmatch(text)
    if match is None:
        raise _wrong(text)
    sign, prefix, digits = match.groups()
    base = 10 if prefix is None else 8 if prefix == "0" else 16
    try:
        value = int(digits, base)
    except ValueError:
        raise _wrong(text) from None
    return -value if sign == "-" else value


def _ranged(text: str, bits: int) -> int:
    value = _decoded(text)
    if not -(1 << bits) <= value < 1 << bits:
        raise TemplateError(f"`{text[:80]}` is too large for {bits + 1} bits")
    return value


def _floating(text: str) -> float:
    stripped = text.strip(" \t\n\r\x0b\f")
    if not _FLOATING.fullmatch(stripped):
        raise _wrong(text)
    try:
        return float(stripped.rstrip("fFdD") if stripped[-1:] in "fFdD" else stripped)
    except ValueError:
        raise _wrong(text) from None


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise _wrong(text)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise _wrong(text) from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _MAX_EXPONENT:
        raise TemplateError("the exponent of this number is too large")
    return value


def _smallest(text: str) -> object:
    """`NumberUtils.createNumber`."""
    if not text.strip():
        raise TemplateError("a blank text is no number")
    for prefix in ("0x", "0X", "#", "-0x", "-0X", "-#", "+0x", "+0X", "+#"):
        if text.startswith(prefix):
            return _decoded(text)
    last = text[-1]
    if not last.isdigit() and last != ".":
        return _suffixed(text, last)
    if not _DECIMAL.fullmatch(text):
        raise _wrong(text)
    if "." not in text and "e" not in text.lower():
        return _decoded_whole(text)
    return _fitting(_decimal(text))


def _decoded_whole(text: str) -> int:
    try:
        return _decoded(text)
    except TemplateError:
        return _decoded(text.lstrip("+"))


def _fitting(exact: Decimal) -> object:
    """Single precision where it prints as the double does, a double where it is exact, else all digits."""
    double = float(exact)
    if math.isfinite(double) and (double != 0 or exact == 0):
        single = Float32(double)
        if math.isfinite(single) and float_text(single) == double_text(double):
            return single
        if Decimal(repr(double)) == exact:
            return double
    return exact


def _suffixed(text: str, last: str) -> object:
    number = text[:-1]
    if last in "lL":
        if re.fullmatch(r"-?[0-9]+", number):
            return _decoded_whole(number)
    elif last in "fF":
        single = Float32(_floating(number))
        if math.isfinite(single):
            return single
        return _suffixed(number + "D", "D")
    elif last in "dD":
        double = _floating(number)
        return double if math.isfinite(double) else _decimal(number)
    raise _wrong(text)


def to_whole(value: int | float | Decimal | str) -> int:
    """What the filter `int` makes of a value."""
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"[+-]?[0-9]{1,400}", text):
            return int(text)
        value = _floating(text)
    if not math.isfinite(value):
        raise TemplateError("an infinite number cannot be made whole")
    return int(value)


def to_double(value: int | float | Decimal | str) -> float:
    """What the filter `float` makes of a value."""
    return _floating(value) if isinstance(value, str) else float(value)
