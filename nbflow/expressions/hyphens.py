"""What `outputs.my-task.value` may have meant: to the grammar it is a subtraction, to its author a key."""

from __future__ import annotations

from dataclasses import replace

from nbflow.expressions.tree import Attribute, Binary, FilterCall, Literal, Name, Node


def hyphenated(text: str, node: Node) -> Node | None:
    """The expression with the hyphens read as parts of a key; None where they cannot be."""
    if not isinstance(node, Binary) or node.operator != "-" or not _is_tight(text, node.position):
        return None
    left = hyphenated(text, node.left) or node.left
    path = _last(left)
    first = _first(node.right)
    if path is None or first is None:
        return None
    assert isinstance(path.key, Literal)
    joined = replace(path, key=Literal(path.key.position, f"{path.key.value}-{first.name}"))
    return _grafted(node.right, joined, left)


def _is_tight(text: str, position: int) -> bool:
    around = text[position - 1 : position] + text[position + 1 : position + 2]
    return len(around) == 2 and all(character.isalnum() or character == "_" for character in around)


def _last(node: Node) -> Attribute | None:
    """The path that an expression ends in."""
    if isinstance(node, Attribute):
        is_plain = node.arguments is None and isinstance(node.key, Literal) and isinstance(node.key.value, str)
        return node if is_plain else None
    return _last(node.right) if isinstance(node, Binary) else None


def _with_last(node: Node, path: Node) -> Node:
    return replace(node, right=_with_last(node.right, path)) if isinstance(node, Binary) else path


def _first(node: Node) -> Name | None:
    """The name that an expression begins with."""
    match node:
        case Name():
            return node
        case Attribute(target=inner) | FilterCall(value=inner) | Binary(left=inner):
            return _first(inner)
    return None


def _grafted(node: Node, joined: Attribute, left: Node) -> Node:
    """The right side with its first name read as the end of a key, and the left side put around the path."""
    match node:
        case FilterCall(value=inner):
            return replace(node, value=_grafted(inner, joined, left))
        case Binary(left=inner):
            return replace(node, left=_grafted(inner, joined, left))
    return _with_last(left, _extended(node, joined))


def _extended(node: Node, joined: Node) -> Node:
    """`joined` with the attributes that follow the name on the right side."""
    return replace(node, target=_extended(node.target, joined)) if isinstance(node, Attribute) else joined
