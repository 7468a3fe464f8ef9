"""Writes numbers after a pattern of Java's `DecimalFormat`, rounding half to even."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from nbflow.errors import TemplateError
from nbflow.expressions.values import Number

_EXACT = Context(prec=5000, rounding=ROUND_HALF_EVEN)
_MAX_DIGITS = 340
_DEFAULT = "#,##0.###"


@dataclass(frozen=True, slots=True)
class Format:
    """A pattern taken apart: what goes before and after the digits, and how many there are."""

    prefix: str
    suffix: str
    negative_prefix: str
    negative_suffix: str
    multiplier: int
    group: int
    least_whole: int
    most_whole: int
    least_fraction: int
    most_fraction: int
    exponent: int | None
    has_point: bool


def format_number(value: Number, pattern: str | None) -> str:
    """The number after a pattern, in English. Raises: TemplateError."""
    form = _parsed(_DEFAULT if pattern is None else pattern)
    if isinstance(value, float) and value != value:
        return "NaN"
    is_negative = str(value).startswith("-")
    if isinstance(value, float) and abs(value) == float("inf"):
        return _signed(form, "∞", is_negative=is_negative)
    number = abs(Decimal(repr(float(value))) if isinstance(value, float) else Decimal(value)) * form.multiplier
    exact = Decimal(float(value)).copy_abs() * form.multiplier if isinstance(value, float) else number
    digits = _scientific(form, number, exact) if form.exponent is not None else _plain(form, number, exact)
    if not any(character in "123456789" for character in digits.partition("E")[0]) and not isinstance(value, float):
        is_negative = False
    return _signed(form, digits, is_negative=is_negative)


def _signed(form: Format, digits: str, *, is_negative: bool) -> str:
    if is_negative:
        return f"{form.negative_prefix}{digits}{form.negative_suffix}"
    return f"{form.prefix}{digits}{form.suffix}"


def _rounded(number: Decimal, exact: Decimal, places: int) -> Decimal:
    """Round the shortest digits of a double half to even; a tie of the digits is settled by the double's true value."""
    unit = Decimal(1).scaleb(-places)
    rounded = number.quantize(unit, rounding=ROUND_HALF_EVEN, context=_EXACT)
    if exact != number and abs(number - rounded) * 2 == unit:
        lower = rounded if rounded < number else rounded - unit
        return lower if exact < number else lower + unit
    return rounded


def _plain(form: Format, number: Decimal, exact: Decimal) -> str:
    text = f"{_rounded(number, exact, form.most_fraction):f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(form.least_fraction, "0")
    whole = whole.lstrip("0").rjust(form.least_whole, "0")
    if not whole and not fraction:
        whole = "0"
    if form.group:
        whole = _grouped(whole, form.group)
    return f"{whole}.{fraction}" if fraction or form.has_point else whole


def _grouped(whole: str, size: int) -> str:
    first = len(whole) % size
    parts = [whole[:first]] if first else []
    parts += [whole[at : at + size] for at in range(first, len(whole), size)]
    return ",".join(parts)


def _scientific(form: Format, number: Decimal, exact: Decimal) -> str:
    assert form.exponent is not None
    least_whole, most_whole = form.least_whole, form.most_whole
    exponent = number.adjusted() if number else 0
    repeat = most_whole
    least_digits = least_whole
    if repeat > 1 and repeat > least_whole:
        exponent = exponent // repeat * repeat
        least_digits = 1
    elif number:
        exponent -= least_whole - 1
    shown = number.scaleb(-exponent, context=_EXACT)
    true = exact.scaleb(-exponent, context=_EXACT)
    if repeat > 1 and repeat > least_whole:
        significant = least_whole + form.most_fraction
        places = max(significant - (shown.adjusted() + 1 if shown else 1), 0)
    else:
        places = form.most_fraction
    rounded = _rounded(shown, true, places)
    limit = Decimal(10) ** (repeat if repeat > 1 and repeat > least_whole else least_whole)
    if rounded >= limit and number:
        step = repeat if repeat > 1 and repeat > least_whole else 1
        exponent += step
        rounded = rounded.scaleb(-step, context=_EXACT)
    whole, _, fraction = f"{rounded:f}".partition(".")
    whole = whole.lstrip("0").rjust(least_digits, "0")
    fraction = fraction.rstrip("0").ljust(form.least_fraction if repeat <= least_whole or repeat <= 1 else 0, "0")
    sign = "-" if exponent < 0 else ""
    mantissa = f"{whole}.{fraction}" if fraction or form.has_point else whole
    return f"{mantissa}E{sign}{abs(exponent):0{form.exponent}d}"


@functools.lru_cache(maxsize=128)
def _parsed(pattern: str) -> Format:
    """Raises: TemplateError."""
    if not pattern:
        return Format("", "", "-", "", 1, 3, 0, _MAX_DIGITS, 0, _MAX_DIGITS, None, has_point=False)
    prefix, number, suffix, rest, multiplier = _cut(pattern)
    if rest is None:
        negative_prefix, negative_suffix = f"-{prefix}", suffix
    else:
        negative_prefix, number_again, negative_suffix, more, _ = _cut(rest)
        if more is not None or not number_again:
            raise _wrong(pattern)
        if (negative_prefix, negative_suffix) == (prefix, suffix):
            negative_prefix = f"-{prefix}"
    return _digits(pattern, number, (prefix, suffix, negative_prefix, negative_suffix), multiplier)


def _wrong(pattern: str) -> TemplateError:
    return TemplateError(f"`{pattern[:80]}` is no number pattern", hint="such as `#,##0.00`")


def _cut(pattern: str) -> tuple[str, str, str, str | None, int]:
    """The prefix, the digits, the suffix, what comes after `;`, and the factor of percent signs."""
    parts = ["", "", ""]
    at, phase, multiplier, is_quoted = 0, 0, 1, False
    while at < len(pattern):
        character = pattern[at]
        if is_quoted:
            if character == "'" and pattern[at + 1 : at + 2] == "'":
                parts[phase] += "'"
                at += 1
            elif character == "'":
                is_quoted = False
            else:
                parts[phase] += character
        elif character in "#0,." or (phase == 1 and character == "E" and pattern[at + 1 : at + 2] == "0"):
            if phase == 2:
                raise _wrong(pattern)
            phase = 1
            parts[1] += character
        elif character == "'":
            phase = 2 if phase == 1 else phase
            if pattern[at + 1 : at + 2] == "'":
                parts[phase] += "'"
                at += 1
            else:
                is_quoted = True
        elif character == ";":
            if phase == 0:
                raise _wrong(pattern)
            return parts[0], parts[1], parts[2], pattern[at + 1 :], multiplier
        else:
            phase = 2 if phase == 1 else phase
            if character in "%‰":
                if multiplier != 1:
                    raise _wrong(pattern)
                multiplier = 100 if character == "%" else 1000
            parts[phase] += {"¤": "¤"}.get(character, character)
        at += 1
    if is_quoted:
        raise _wrong(pattern)
    return parts[0], parts[1], parts[2], None, multiplier


def _digits(pattern: str, number: str, affixes: tuple[str, str, str, str], multiplier: int) -> Format:
    body, mark, exponent = number.partition("E")
    if mark and (not exponent or exponent.strip("0")):
        raise _wrong(pattern)
    whole, point, fraction = body.partition(".")
    if "." in fraction or "," in fraction:
        raise _wrong(pattern)
    group = len(whole) - whole.rindex(",") - 1 if "," in whole else 0
    if "," in whole and group == 0:
        raise _wrong(pattern)
    plain = whole.replace(",", "")
    zeros = plain.lstrip("#")
    if zeros.strip("0") or fraction.lstrip("0").strip("#"):
        raise _wrong(pattern)
    if not plain and not fraction:
        raise _wrong(pattern)
    least_whole, least_fraction = len(zeros), fraction.count("0")
    if not least_whole and not least_fraction and plain and not point:
        least_whole = 0
    if not zeros and plain and point and not least_fraction:
        least_whole = 0 if fraction else least_whole
    return Format(
        affixes[0],
        affixes[1],
        affixes[2],
        affixes[3],
        multiplier,
        0 if mark else group,
        least_whole,
        len(plain) if mark else _MAX_DIGITS,
        least_fraction,
        len(fraction),
        len(exponent) if mark else None,
        has_point=bool(point) and not fraction,
    )
