"""Functions on numbers: max, min, range, random numbers."""

from __future__ import annotations

import random

from nbflow.errors import TemplateError
from nbflow.expressions.arithmetic import check_size
from nbflow.expressions.catalog import Function
from nbflow.expressions.comparing import greater, less
from nbflow.expressions.filters.checks import number_argument, whole_argument
from nbflow.expressions.scope import Scope
from nbflow.expressions.values import Char, is_number, is_string


def max_(*values: object) -> object:
    """The largest of some numbers.

    Example: `{{ max(3, 7, 5) }}` gives `7`
    """
    largest: object = None
    for value in values:
        if largest is None or greater(value, largest):
            largest = value
    return largest


def min_(*values: object) -> object:
    """The smallest of some numbers.

    Example: `{{ min(3, 7, 5) }}` gives `3`
    """
    smallest: object = None
    for value in values:
        if smallest is None or less(value, smallest):
            smallest = value
    return smallest


def range_(scope: Scope, start: object = None, end: object = None, increment: object = None) -> list[object]:
    """Numbers, or letters, from a start to an end, both included.

    Example: `{{ range(1, 10, 3) }}` gives `[1,4,7,10]`
    """
    step = 1 if increment is None else number_argument("range", "increment", increment)
    if is_number(start) and is_number(end):
        first, last = int(start), int(end)
        is_letters = False
    elif is_string(start) and is_string(end) and len(start) == 1 and len(end) == 1:
        first, last, is_letters = ord(start), ord(end), True
    else:
        raise TemplateError("`range` goes from a number to a number, or from a letter to a letter")
    if step == 0:
        raise TemplateError("the increment of `range` cannot be 0")
    numbers = range(first, last + (1 if step > 0 else -1), step)
    # `len` of a range fails beyond 64 bits, hence the count by hand.
    check_size(scope, max(0, (last - first) // step + 1))
    return [Char(chr(number)) for number in numbers] if is_letters else list(numbers)


def random_int(lower: object, upper: object) -> int:
    """A whole number at random, from `lower` up to, and without, `upper`.

    Example: `{{ randomInt(lower=5, upper=6) }}` gives `5`
    """
    low, high = whole_argument("randomInt", "lower", lower), whole_argument("randomInt", "upper", upper)
    if high < low:
        raise TemplateError("the upper bound of `randomInt` is below the lower one")
    return low if high == low else random.randrange(low, high)


def random_port() -> int:
    """A free port of this machine.

    Example: `{{ randomPort() > 0 }}` gives `true`
    """
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


FUNCTIONS: dict[str, Function] = {
    "max": max_,
    "min": min_,
    "randomInt": random_int,
    "randomPort": random_port,
    "range": range_,
}
