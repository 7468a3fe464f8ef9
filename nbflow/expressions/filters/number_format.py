"""Writes numbers after a pattern of Java's `DecimalFormat`: `#,##0.00`, `0.0%`, `00.##E0`, `0;(0)`."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal

from nbflow.errors import TemplateError
from nbflow.expressions.values import Number

_DEFAULT = "#,##0.###"
_DIGITS = "#0,."
_MAX_PATTERN = 1000
_MAX_DOUBLE_FRACTION = 340
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a pattern asks for. A maximum of None is no maximum; an `exponent_digits` of 0 is plain notation."""

    positive: tuple[str, str]
    negative: tuple[str, str]
    min_integer: int = 0
    max_integer: int | None = None
    min_fraction: int = 0
    max_fraction: int | None = None
    grouping: int = 0
    multiplier: int = 1
    exponent_digits: int = 0
    has_point: bool = False


def format_number(value: Number, pattern: str | None) -> str:
    """A number after a pattern, English symbols, rounded half to even. Raises: TemplateError."""
    layout = _layout(_DEFAULT if pattern is None else pattern)
    if isinstance(value, float):
        value = float(value) * layout.multiplier
        if math.isnan(value):
            return "NaN"
        is_negative = math.copysign(1, value) < 0
        digits = "∞" if math.isinf(value) else _written(_double(abs(value), layout), layout)
    else:
        is_negative = value < 0
        exact = _EXACT.multiply(abs(Decimal(value)), Decimal(layout.multiplier))
        digits = _written(_rounded(exact, layout), layout)
    prefix, suffix = layout.negative if is_negative else layout.positive
    return f"{prefix}{digits}{suffix}"


def _significant(layout: Layout) -> int:
    return (layout.max_integer or 0) + (layout.max_fraction or 0)


def _double(value: float, layout: Layout) -> Decimal:
    """The shortest digits of a double where they suffice; else its binary value, rounded.

    That is what Java does: 1.005 lies below the tie and gives 1.00, yet nobody sees more digits than it prints.
    """
    shortest = Decimal(repr(value))
    if _rounded(shortest, layout) == shortest:
        return shortest
    return _rounded(Decimal(value), layout)


def _rounded(value: Decimal, layout: Layout) -> Decimal:
    if layout.exponent_digits:
        digits = _significant(layout)
        return value if not value or not digits else Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(value)
    places = _MAX_DOUBLE_FRACTION if layout.max_fraction is None else layout.max_fraction
    return _EXACT.quantize(value, Decimal((0, (1,), -places))) if -int(value.as_tuple().exponent) > places else value


def _written(value: Decimal, layout: Layout) -> str:
    """The digits of a number that is rounded already and not negative."""
    _, numerals, exponent = value.as_tuple()
    text = "".join(map(str, numerals)).lstrip("0")
    point = len(text) + int(exponent) if text else 0
    text = text.rstrip("0")
    if layout.exponent_digits:
        return _scientific(text, point if text else 0, layout)
    return _plain(text, point if text else 0, layout)


def _plain(text: str, point: int, layout: Layout) -> str:
    """`point` tells where the decimal point stands among the digits: 0 is before the first."""
    padded = "0" * -point + text if point < 0 else text.ljust(point, "0")
    whole, fraction = padded[: max(point, 0)], padded[max(point, 0) :]
    whole = whole.rjust(layout.min_integer, "0")
    fraction = fraction.ljust(layout.min_fraction, "0")
    if layout.grouping:
        whole = _grouped(whole, layout.grouping)
    if not whole and not fraction:
        whole = "0"
    return f"{whole}{'.' if fraction or layout.has_point else ''}{fraction}"


def _grouped(whole: str, size: int) -> str:
    head = len(whole) % size
    groups = [whole[:head]] if head else []
    return ",".join(groups + [whole[at : at + size] for at in range(head, len(whole), size)])


def _scientific(text: str, point: int, layout: Layout) -> str:
    exponent, lead = point, layout.min_integer
    step = layout.max_integer or 0
    if step > 1 and step > lead:
        # The exponent is a multiple of the number of integer places, as engineers write it.
        exponent = (exponent - 1) // step * step if exponent >= 1 else -((step - exponent) // step) * step
        lead = 1
    else:
        exponent -= lead
    integers = point - exponent if text else lead
    total = max(len(text), layout.min_integer + layout.min_fraction, integers)
    text = text.ljust(total, "0")
    mark = "." if total > integers or layout.has_point else ""
    if not text.strip("0"):
        exponent = 0
    sign = "-" if exponent < 0 else ""
    return f"{text[:integers]}{mark}{text[integers:]}E{sign}{abs(exponent):0{layout.exponent_digits}d}"


@functools.lru_cache(maxsize=256)
def _layout(pattern: str) -> Layout:
    if len(pattern) > _MAX_PATTERN:
        raise TemplateError(f"a number format may have {_MAX_PATTERN} characters, not more")
    if not pattern:
        return Layout(("", ""), ("-", ""), grouping=3)
    return _Reader(pattern).read()


class _Reader:
    """Reads a pattern: prefix, digits, suffix; after a `;` the prefix and suffix of negative numbers."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.multiplier = 1
        self.left = self.zeros = self.right = 0
        self.point = self.group = -1
        self.exponent_digits = 0

    def read(self) -> Layout:
        positive = self._half(is_negative=False)
        multiplier = self.multiplier
        negative = "-" + positive[0], positive[1]
        self.at += 1  # the `;`
        if self.at < len(self.pattern):
            self.multiplier = 1
            explicit = self._half(is_negative=True)
            negative = negative if explicit == positive else explicit
        if not self.zeros and self.left and self.point >= 0:
            lead = max(self.point, 1)
            self.left, self.zeros, self.right = lead - 1, 1, self.left - lead
        return self._checked(positive, negative, multiplier)

    def _checked(self, positive: tuple[str, str], negative: tuple[str, str], multiplier: int) -> Layout:
        filled, point = self.left + self.zeros, self.point
        if (self.right if point < 0 else not self.left <= point <= filled) or self.group == 0:
            raise self._wrong("its digits make no number")
        total = filled + self.right
        min_integer = (total if point < 0 else point) - self.left
        return Layout(
            positive,
            negative,
            min_integer,
            self.left + min_integer if self.exponent_digits else None,
            0 if point < 0 else filled - point,
            0 if point < 0 else total - point,
            max(self.group, 0),
            multiplier,
            self.exponent_digits,
            point in (0, total),
        )

    def _half(self, *, is_negative: bool) -> tuple[str, str]:
        """Prefix and suffix; the digits between them are counted, and those within the suffix too, as Java does."""
        prefix = self._affix(is_prefix=True, is_negative=is_negative)
        suffix = ""
        while self.at < len(self.pattern) and self.pattern[self.at] != ";":
            if is_negative:
                self._skip_digits()
            else:
                self._count_digits()
            suffix += self._affix(is_prefix=False, is_negative=is_negative)
        return prefix, suffix

    def _affix(self, *, is_prefix: bool, is_negative: bool) -> str:
        """The text up to the next digit or `;`."""
        pattern, text, is_quoted = self.pattern, "", False
        while self.at < len(pattern):
            character = pattern[self.at]
            if character == "'":
                if pattern.startswith("''", self.at):
                    text += "'"
                    self.at += 1
                else:
                    is_quoted = not is_quoted
            elif is_quoted:
                text += character
            elif character in _DIGITS:
                return text
            elif character == ";":
                if is_prefix or is_negative:
                    raise self._wrong("a `;` is out of place; quote it")
                return text
            elif character == "¤":
                is_double = pattern.startswith("¤¤", self.at)
                self.at += is_double
                text += "USD" if is_double else "$"
            else:
                if character in "%‰":
                    self._multiply(100 if character == "%" else 1000)
                text += character
            self.at += 1
        if is_quoted:
            raise self._wrong("a quote is not closed")
        return text

    def _multiply(self, multiplier: int) -> None:
        if self.multiplier != 1:
            raise self._wrong("there is more than one sign of percent or per mille")
        self.multiplier = multiplier

    def _count_digits(self) -> None:
        while self.at < len(self.pattern):
            character = self.pattern[self.at]
            if character == "#" or character == "0":
                self._count(character)
            elif character == ",":
                self.group = 0
            elif character == ".":
                if self.point >= 0:
                    raise self._wrong("there is more than one decimal point")
                self.point = self.left + self.zeros + self.right
            elif character == "E":
                self._exponent()
                return
            else:
                return
            self.at += 1

    def _count(self, character: str) -> None:
        if character == "#":
            self.right += self.zeros > 0
            self.left += not self.zeros
        elif self.right:
            raise self._wrong("a `0` follows a `#` that follows a `0`")
        else:
            self.zeros += 1
        self.group += self.group >= 0 and self.point < 0

    def _exponent(self) -> None:
        if self.exponent_digits:
            raise self._wrong("there is more than one exponent")
        start = self.at = self.at + 1
        while self.pattern.startswith("0", self.at):
            self.at += 1
        self.exponent_digits = self.at - start
        if not self.left + self.zeros or not self.exponent_digits:
            raise self._wrong("`E` needs digits before it and zeros after it")

    def _skip_digits(self) -> None:
        while self.at < len(self.pattern) and self.pattern[self.at] in _DIGITS + "E":
            self.at += 1

    def _wrong(self, reason: str) -> TemplateError:
        return TemplateError(f"the number format `{self.pattern[:80]}` cannot be used: {reason}")
