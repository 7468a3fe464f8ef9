"""Functions that read a format: JSON, Ion, YAML."""

from __future__ import annotations

from nbflow.errors import TemplateError
from nbflow.expressions.catalog import Function
from nbflow.expressions.filters.checks import text_argument
from nbflow.expressions.jackson import read_json


def from_json(json: object) -> object:
    """Read a text as JSON.

    Example: `{{ fromJson('{"a": [1, 2]}').a[1] }}` gives `2`
    """
    return None if json is None else read_json(text_argument("fromJson", "json", json))


def json_(json: object) -> object:
    """Read a text as JSON: an older name of `fromJson`.

    Example: `{{ json('[1, 2]') | last }}` gives `2`
    """
    return from_json(json)


def from_ion(ion: object) -> object:
    """Read a text as Ion.

    Example: `{{ fromIon('{a: 1}').a }}` gives `1`
    """
    from nbflow.expressions.java.ion import read_ion

    return None if ion is None else read_ion(text_argument("fromIon", "ion", ion))


def yaml(yaml: object) -> object:
    """Read a text as YAML.

    Example: `{{ yaml('a: [1, 2]').a[0] }}` gives `1`
    """
    from nbflow.expressions.java.yaml import read_yaml

    if yaml is None:
        raise TemplateError("`yaml` takes a text")
    return read_yaml(text_argument("yaml", "yaml", yaml))


FUNCTIONS: dict[str, Function] = {"fromIon": from_ion, "fromJson": from_json, "json": json_, "yaml": yaml}
