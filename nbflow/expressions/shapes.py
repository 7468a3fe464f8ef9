"""What the shape of an expression tells: chains, paths, arguments that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

from nbflow.expressions.tree import Arguments, Attribute, Binary, Literal, Name, Node


def problem_of(name: str, known: Sequence[str], arguments: Arguments) -> str:
    if len(arguments.positional) > len(known):
        return f"`{name}` takes {len(known)} argument{'' if len(known) == 1 else 's'}, not {len(arguments.positional)}"
    for given, _ in arguments.named:
        if given not in known:
            return f"`{name}` has no argument `{given}`" + (f"; there are {', '.join(known)}" if known else "")
    return ""


def chain(node: Binary) -> list[Node]:
    """The parts of `a ~ b ~ c`."""
    parts: list[Node] = []
    left: Node = node
    while isinstance(left, Binary) and left.operator == "~":
        parts.append(left.right)
        left = left.left
    parts.append(left)
    return parts[::-1]


def is_secret(node: Attribute) -> bool:
    """Whether this is `secret.NAME`, which means `secret('NAME')`."""
    is_named = isinstance(node.target, Name) and node.target.name == "secret"
    return is_named and node.arguments is None and isinstance(node.key, Literal) and isinstance(node.key.value, str)


def root(node: Node) -> str:
    while isinstance(node, Attribute):
        node = node.target
    return node.name if isinstance(node, Name) else ""


def path_text(node: Node) -> str:
    """A path as one writes it: `outputs.extract['my-key']`."""
    if isinstance(node, Name):
        return node.name
    if not isinstance(node, Attribute):
        return "(…)"
    target = path_text(node.target)
    if not isinstance(node.key, Literal):
        return f"{target}[{path_text(node.key)}]"
    key = node.key.value
    if isinstance(key, str) and key.isidentifier():
        return f"{target}.{key}"
    return f"{target}[{key!r}]"
