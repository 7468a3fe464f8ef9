"""Numbers as Java writes them and as its 64-bit arithmetic computes them."""

from __future__ import annotations

import math
import struct
from decimal import Decimal

_WRAP = 1 << 64
_MAX_LONG = (1 << 63) - 1
_MIN_LONG = -(1 << 63)


def to_long(value: int) -> int:
    """A whole number brought into 64 bits, wrapping around as Java does."""
    if _MIN_LONG <= value <= _MAX_LONG:
        return value
    value &= _WRAP - 1
    return value - _WRAP if value > _MAX_LONG else value


def double_text(value: float) -> str:
    """A double as `Double.toString` writes it: `5.0`, `1.0E7`, `5.0E-4`, `NaN`, `Infinity`.

    Source: java.lang.Double.toString, which gives the shortest digits that read back as the same number.
    """
    return _scientific(repr(value), value)


def float_text(value: float) -> str:
    """A number of single precision as `Float.toString` writes it."""
    if value == 0 or value != value or value in (math.inf, -math.inf):
        return _scientific(repr(value), value)
    for digits in range(1, 10):
        text = f"{value:.{digits - 1}e}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            break
    return _scientific(text, value)


def _scientific(text: str, value: float) -> str:
    if value != value:
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    magnitude = abs(value)
    if magnitude == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    if 1e-3 <= magnitude < 1e7 and "e" not in text:
        return text
    sign = "-" if value < 0 else ""
    number = Decimal(text).copy_abs()
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0") or "0"
    exponent = number.adjusted()
    if 1e-3 <= magnitude < 1e7:
        if exponent >= 0:
            whole, rest = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
            return f"{sign}{whole}.{rest or '0'}"
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def decimal_text(value: Decimal) -> str:
    """A decimal as `BigDecimal.toString` writes it: `12.50`, `1E+3`."""
    if not value.is_finite():
        return str(value)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent <= 0 and value.adjusted() >= -6:
        return f"{value:f}"
    sign, digits, _ = value.as_tuple()
    text = "".join(map(str, digits))
    mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
    return f"{'-' if sign else ''}{mantissa}E{value.adjusted():+d}" if value.adjusted() else f"{value:f}"


def plain_decimal_text(value: Decimal) -> str:
    """A decimal without an exponent, as `BigDecimal.toPlainString` writes it."""
    return f"{value:f}"
