"""The expression language of flows: `{{ … }}`, Pebble as Kestra configures it, over a plain mapping of variables.

It knows nothing of flows; anything above the foundations may import it. What it needs of an engine comes in as
`Services`.
"""

from __future__ import annotations

from nbflow.expressions.environment import (
    Environment,
    default_environment,
    expression_filter,
    expression_function,
    has_expression,
    render,
)
from nbflow.expressions.limits import Limits
from nbflow.expressions.names import Call, Inspection, Reference
from nbflow.expressions.services import NoServices, Services
from nbflow.expressions.values import AuthorText

__all__ = [
    "AuthorText",
    "Call",
    "Environment",
    "Inspection",
    "Limits",
    "NoServices",
    "Reference",
    "Services",
    "default_environment",
    "expression_filter",
    "expression_function",
    "has_expression",
    "render",
]
