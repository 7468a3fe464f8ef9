"""`+ - * / %` and the signs: on numbers of 64 bits, doubles and decimals, on texts and lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from nbflow.errors import TemplateError, UnsafeTemplateError
from nbflow.expressions.comparing import kind_of, same
from nbflow.expressions.java.numbers import double_text, to_long
from nbflow.expressions.scope import Scope
from nbflow.expressions.text import java_text
from nbflow.expressions.values import (
    Char,
    Float32,
    Frozen,
    MacroText,
    Own,
    is_collection,
    is_list,
    is_number,
)

_DECIMAL128 = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)


_EXACT = Context(prec=10_000)


def check_text(scope: Scope, text: str) -> str:
    if len(text) > scope.budget.limits.text_size:
        raise UnsafeTemplateError(f"a text may have {scope.budget.limits.text_size} characters, not more")
    return text


def check_size(scope: Scope, size: int) -> None:
    """Refuse to make a list of more items than the limit."""
    if size > scope.budget.limits.list_size:
        raise UnsafeTemplateError(f"a list may have {scope.budget.limits.list_size} items, not more")


def add(scope: Scope, left: object, right: object) -> object:
    """`+`: joins when a side is text, extends when the left is a list, else adds numbers."""
    if isinstance(left, str | Char | MacroText) or isinstance(right, str):
        if _is_text(left) or _is_text(right):
            return check_text(scope, java_text(left) + java_text(right))
    elif is_list(left):
        own = _changeable(scope, left)
        if is_collection(right):
            check_size(scope, len(own) + len(right))
            own.extend(list(right))
        else:
            check_size(scope, len(own) + 1)
            own.append(right)
        return own
    return _compute("+", left, right)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and type(value) is not Char


def _changeable(scope: Scope, items: Sequence[object]) -> Own:
    if isinstance(items, Frozen):
        raise TemplateError("this list cannot be changed")
    return scope.own(items)


def subtract(scope: Scope, left: object, right: object) -> object:
    """`-`: removes from a list, else subtracts numbers."""
    if is_list(left):
        own = _changeable(scope, left)
        if is_collection(right):
            own[:] = [item for item in own if not any(same(one, item) for one in right)]
        else:
            index = next((index for index, item in enumerate(own) if same(item, right)), None)
            if index is not None:
                del own[index]
        return own
    return _compute("-", left, right)


def multiply(left: object, right: object) -> object:
    return _compute("*", left, right)


def divide(left: object, right: object) -> object:
    return _compute("/", left, right)


def modulo(left: object, right: object) -> object:
    return _compute("%", left, right)


def minus(value: object) -> object:
    return _compute("*", -1, value)


def plus(value: object) -> object:
    return _compute("*", 1, value)


_WORDS = {"+": "added", "-": "subtracted", "*": "multiplied", "/": "divided", "%": "divided"}


def _compute(operator: str, left: object, right: object) -> object:
    if not is_number(left) or not is_number(right):
        wrong = right if is_number(left) else left
        hint = "turn the text into a number with `| number`" if isinstance(wrong, str) else ""
        raise TemplateError(f"{kind_of(wrong)} cannot be {_WORDS[operator]}", hint=hint)
    if type(left) is int and type(right) is int:
        return _long(operator, left, right)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _decimal(operator, Decimal(double_text(float(left))), Decimal(double_text(float(right))))
    if isinstance(left, int) and isinstance(right, int):
        return _long(operator, left, right)
    result = _double(operator, float(left), float(right))
    is_single = all(isinstance(side, int | Float32) for side in (left, right))
    return Float32(result) if is_single else result


def _long(operator: str, left: int, right: int) -> int:
    if operator == "+":
        return to_long(left + right)
    if operator == "-":
        return to_long(left - right)
    if operator == "*":
        return to_long(left * right)
    left, right = to_long(left), to_long(right)
    if right == 0:
        raise TemplateError("division by zero")
    quotient = abs(left) // abs(right)
    if (left < 0) != (right < 0):
        quotient = -quotient
    return to_long(quotient) if operator == "/" else left - quotient * right


def _double(operator: str, left: float, right: float) -> float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        if right == 0:
            if left == 0 or left != left:
                return math.nan
            return math.copysign(math.inf, left) * math.copysign(1, right)
        return left / right
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def _decimal(operator: str, left: Decimal, right: Decimal) -> Decimal:
    try:
        match operator:
            case "+":
                return _EXACT.add(left, right)
            case "-":
                return _EXACT.subtract(left, right)
            case "*":
                return _DECIMAL128.multiply(left, right)
            case "/":
                return _DECIMAL128.divide(left, right)
        return _DECIMAL128.remainder(left, right)
    except (InvalidOperation, ZeroDivisionError, ArithmeticError) as wrong:
        raise TemplateError("these decimals cannot be computed with") from wrong
