"""Filters that write values in a format: JSON, Ion, YAML; and `jq`, which asks a value for its parts."""

from __future__ import annotations

from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_argument
from nbflow.expressions.jackson import read_json
from nbflow.expressions.java.paths import follow, simple_path
from nbflow.expressions.java.programs import run_program
from nbflow.expressions.scope import Scope
from nbflow.expressions.text import json_text
from nbflow.expressions.values import is_string


def to_json(value: object) -> str:
    """Write a value as JSON.

    Example: `{{ {'a': [1, true]} | toJson }}` gives `{"a":[1,true]}`
    """
    return json_text(value)


def json_(value: object) -> str:
    """Write a value as JSON: an older name of `toJson`.

    Example: `{{ [1, 'a'] | json }}` gives `[1,"a"]`
    """
    return json_text(value)


def to_ion(value: object) -> str:
    """Write a value as Ion text.

    Example: `{{ 'a' | toIon | trim }}` gives `"a"`
    """
    from nbflow.expressions.java.ion import ion_text

    return "null" if value is None else ion_text(value)


def yaml(value: object) -> str:
    """Write a value as YAML, with a new line at the end.

    Example: `{{ {'a': 1} | yaml | trim }}` gives `a: 1`
    """
    from nbflow.expressions.java.yaml import yaml_text

    return "null" if value is None else yaml_text(value)


def jq(scope: Scope, value: object, expression: object) -> list[object] | None:
    """Ask a value with a jq expression; the answer is always a list. A text is read as JSON first.

    Example: `{{ {'a': [1, 2]} | jq('.a[]') }}` gives `[1,2]`
    """
    if value is None:
        return None
    query = text_argument("jq", "expression", expression)
    if is_string(value) and not value.strip() and query.strip() == ".":
        return []  # an empty document, as it is
    tree = read_json(value) if is_string(value) else read_json(json_text(value))
    steps = simple_path(query)
    if steps is not None:
        return follow(tree, steps)
    return run_program(query, json_text(tree), scope.budget.limits.seconds)


FILTERS: dict[str, Function] = {"jq": jq, "json": json_, "toIon": to_ion, "toJson": to_json, "yaml": yaml}
