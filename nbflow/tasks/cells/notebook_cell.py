"""A cell that names a notebook: its path on the first line, properties of its task as YAML below.

reports/daily.ipynb
parameters: {region: north}
html: true
"""

from __future__ import annotations

import yaml

from nbflow.types import JsonValue


def read_notebook_cell(code: str) -> tuple[str, dict[str, JsonValue]]:
    """The path and the properties. Raises: SyntaxError."""
    path, _, rest = code.strip().partition("\n")
    path = path.strip()
    if not path:
        raise SyntaxError("it names no notebook: write its path on the first line")
    try:
        properties = yaml.safe_load(rest) if rest.strip() else {}
    except yaml.YAMLError as wrong:
        raise SyntaxError(f"what stands below the path is no YAML: {str(wrong).splitlines()[0]}") from None
    if not isinstance(properties, dict):
        raise SyntaxError(f"below the path stand properties, such as `parameters: {{rows: 3}}`; got {properties!r}")
    if not isinstance(properties.get("parameters", {}), dict):
        raise SyntaxError("`parameters` are name: value")
    return path, properties
