"""The tree that the parser builds: what a template says, before it is given a meaning.

Every node knows `position`, the character of the template it begins at, counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Node:
    position: int

    def children(self) -> Iterator[Node]:
        """The nodes directly below this one, in the order of the text."""
        for field in fields(self):
            yield from _nodes(getattr(self, field.name))


def _nodes(value: object) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _nodes(item)


@dataclass(slots=True)
class Literal(Node):
    value: object


@dataclass(slots=True)
class Name(Node):
    name: str


@dataclass(slots=True)
class Attribute(Node):
    """`target.name` or `target[key]`; `arguments` is None unless it is called as a method."""

    target: Node
    key: Node
    arguments: list[Node] | None


@dataclass(slots=True)
class ListLiteral(Node):
    items: list[Node]


@dataclass(slots=True)
class MapLiteral(Node):
    pairs: list[tuple[Node, Node]]


@dataclass(slots=True)
class Arguments(Node):
    positional: list[Node]
    named: list[tuple[str, Node]]


@dataclass(slots=True)
class Call(Node):
    """A function or a macro."""

    name: str
    arguments: Arguments


@dataclass(slots=True)
class FilterCall(Node):
    value: Node
    name: str
    arguments: Arguments


@dataclass(slots=True)
class TestCall(Node):
    value: Node
    name: str
    arguments: Arguments
    is_negated: bool


@dataclass(slots=True)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(slots=True)
class Binary(Node):
    operator: str
    left: Node
    right: Node


@dataclass(slots=True)
class Conditional(Node):
    test: Node
    then: Node
    otherwise: Node


@dataclass(slots=True)
class Interpolation(Node):
    """A string with `#{ }` in it."""

    parts: list[Node]


@dataclass(slots=True)
class Captured(Node):
    """The text that a body prints, as a value: what `{% filter %}` filters."""

    body: list[Node]


@dataclass(slots=True)
class Text(Node):
    text: str


@dataclass(slots=True)
class Print(Node):
    value: Node


@dataclass(slots=True)
class If(Node):
    branches: list[tuple[Node, list[Node]]]
    otherwise: list[Node]


@dataclass(slots=True)
class For(Node):
    variable: str
    iterable: Node
    body: list[Node]
    otherwise: list[Node]


@dataclass(slots=True)
class Set(Node):
    name: str
    value: Node


@dataclass(slots=True)
class Macro(Node):
    name: str
    parameters: list[tuple[str, Node | None]]
    body: list[Node]


@dataclass(slots=True)
class Block(Node):
    name: str
    body: list[Node]


@dataclass(slots=True)
class Template(Node):
    body: list[Node]
