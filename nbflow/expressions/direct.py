"""Templates of nothing but texts and paths, such as `Hello {{ inputs.name }}`: rendered without being compiled.

Most expressions of flows are of this kind and are rendered once. What fails is rendered again by the compiled form,
which knows where.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from nbflow.expressions.attributes import attribute
from nbflow.expressions.operators import name, show, static
from nbflow.expressions.scope import Body, Scope
from nbflow.expressions.shapes import is_secret
from nbflow.expressions.tree import Attribute, Literal, Name, Node, Print, Template, Text

_Path = tuple[str, tuple[object, ...]]


def direct(template: Template) -> tuple[Body, Callable[[Scope], object] | None] | None:
    """What yields the text of a template, and what gives its value when it is one print; None when it holds more."""
    parts: list[str | _Path] = []
    for node in template.body:
        if isinstance(node, Text):
            parts.append(node.text)
            continue
        path = _path(node.value) if isinstance(node, Print) else None
        if path is None:
            return None
        parts.append(path)

    def root(scope: Scope) -> Generator[str, None, None]:
        for part in parts:
            yield static(scope, part) if isinstance(part, str) else show(scope, _value(scope, part))

    only = parts[0] if len(parts) == 1 else None
    if isinstance(only, tuple):
        path = only
        return root, lambda scope: _value(scope, path)
    return root, None


def _value(scope: Scope, path: _Path) -> object:
    value = name(scope, path[0])
    for key in path[1]:
        value = attribute(scope, value, key)
    return value


def _path(node: Node) -> _Path | None:
    """The name and the keys of a plain path; `vars` are left to the compiled form, which renders them, too."""
    keys: list[object] = []
    while isinstance(node, Attribute):
        if node.arguments is not None or not isinstance(node.key, Literal) or is_secret(node):
            return None
        keys.append(node.key.value)
        node = node.target
    if not isinstance(node, Name) or node.name == "vars":
        return None
    return node.name, tuple(reversed(keys))
