"""The tests after `is`: `is empty`, `is defined`, `is map` …"""

from __future__ import annotations

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Definition, define
from nbflow.expressions.comparing import kind_of
from nbflow.expressions.methods import CONTROLS
from nbflow.expressions.values import Array, LoopState, is_collection, is_map, is_string


def defined(value: object) -> bool:
    """Whether a name exists and is not null.

    Example: `{{ nope is defined }}` gives `false`
    """
    return value is not None


def null(value: object) -> bool:
    """Whether a value is null; a name that does not exist is an error.

    Example: `{{ null is null }}` gives `true`
    """
    return value is None


def empty(value: object) -> bool:
    """Whether a value is null, a blank text, or a list or map without items; 0 and false are not empty.

    Example: `{{ ' ' is empty }}` gives `true`
    """
    if value is None:
        return True
    if is_string(value):
        return not value.strip(CONTROLS)
    if is_collection(value) or (is_map(value) and not isinstance(value, LoopState)):
        return len(value) == 0
    return False


def even(value: object) -> bool:
    """Whether a whole number is even.

    Example: `{{ 4 is even }}` gives `true`
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TemplateError(f"only a whole number is even or odd, and this is {kind_of(value)}")
    return value % 2 == 0


def odd(value: object) -> bool:
    """Whether a whole number is odd.

    Example: `{{ 4 is odd }}` gives `false`
    """
    return not even(value)


def iterable(value: object) -> bool:
    """Whether a value is a list; maps and texts are not.

    Example: `{{ [1] is iterable }}` gives `true`
    """
    return is_collection(value) or isinstance(value, Array)


def is_a_map(value: object) -> bool:
    """Whether a value is a map.

    Example: `{{ {'a': 1} is map }}` gives `true`
    """
    return is_map(value)


def json(value: object) -> bool:
    """Whether a text is JSON.

    Example: `{{ '{"a": 1}' is json }}` gives `true`
    """
    from nbflow.expressions.jackson import is_json

    if not is_string(value):
        raise TemplateError(f"only a text can be JSON, and this is {kind_of(value)}")
    return is_json(value)


TESTS: dict[str, Definition] = {
    name: define("test", name, function)
    for name, function in {
        "defined": defined,
        "null": null,
        "empty": empty,
        "even": even,
        "odd": odd,
        "iterable": iterable,
        "map": is_a_map,
        "json": json,
    }.items()
}
