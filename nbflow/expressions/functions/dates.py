"""Functions on dates: the present moment."""

from __future__ import annotations

from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.dates import date
from nbflow.expressions.scope import Scope


def now(
    scope: Scope,
    format: object = "iso",  # the name that expressions write
    time_zone: object = None,
    existing_format: object = None,
    locale: object = "en",
) -> str | None:
    """The present moment in a format; the arguments are those of the filter `date`.

    Example: `{{ now('yyyy') | length }}` gives `4`
    """
    return date(scope.renderer.clock.now(), format, time_zone, existing_format, locale)


FUNCTIONS: dict[str, Function] = {"now": now}
