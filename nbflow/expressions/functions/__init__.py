"""The functions that expressions call, one family a file."""

from __future__ import annotations

from nbflow.expressions.catalog import Definition, Function, define
from nbflow.expressions.functions import calendar, dates, engine, formats, ids, numbers, rendering

_FAMILIES: tuple[dict[str, Function], ...] = (
    numbers.FUNCTIONS,
    dates.FUNCTIONS,
    calendar.FUNCTIONS,
    formats.FUNCTIONS,
    ids.FUNCTIONS,
    rendering.FUNCTIONS,
    engine.FUNCTIONS,
)

FUNCTIONS: dict[str, Definition] = {
    name: define("function", name, function) for family in _FAMILIES for name, function in family.items()
}
