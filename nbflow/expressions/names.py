"""Finds what a template reads and calls, without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nbflow.expressions.lexer import location
from nbflow.expressions.tree import (
    Attribute,
    Binary,
    FilterCall,
    For,
    Literal,
    Macro,
    Name,
    Node,
    Set,
    Template,
    TestCall,
)
from nbflow.expressions.tree import Call as CallNode


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable with the steps into it that are known, such as `("outputs", "extract", "uri")`.

    `is_guarded` tells that the expression copes with its absence: `??`, `???`, `default`, `is defined`.
    """

    path: tuple[str, ...]
    line: int
    column: int
    is_guarded: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A use of a filter, function or test; `kind` is one of these words."""

    kind: str
    name: str
    line: int
    column: int


def references(text: str, template: Template) -> tuple[Reference, ...]:
    """The variables of the caller that a template reads, in the order of the text."""
    return tuple(_references(text, template, frozenset(), is_guarded=False))


def calls(text: str, template: Template) -> tuple[Call, ...]:
    """The filters, functions and tests that a template uses; macros of its own are left out."""
    macros = {node.name for node in _walk(template) if isinstance(node, Macro)}
    found = []
    for node in _walk(template):
        kind = {FilterCall: "filter", TestCall: "test", CallNode: "function"}.get(type(node))
        if kind is None:
            continue
        assert isinstance(node, FilterCall | TestCall | CallNode)
        if kind == "function" and (node.name in macros or node.name == "block"):
            continue
        place = location(text, node.position)
        found.append((node.position, Call(kind, node.name, place.line, place.column)))
    return tuple(call for _, call in sorted(found, key=lambda pair: pair[0]))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children():
        yield from _walk(child)


def _references(text: str, node: Node, local: frozenset[str], *, is_guarded: bool) -> Iterator[Reference]:
    match node:
        case Name() | Attribute():
            yield from _path(text, node, local, is_guarded=is_guarded)
            return
        case Binary(operator="??" | "???", left=left, right=right):
            yield from _references(text, left, local, is_guarded=True)
            yield from _references(text, right, local, is_guarded=is_guarded)
            return
        case FilterCall(name="default", value=value, arguments=arguments):
            yield from _references(text, value, local, is_guarded=True)
            yield from _references(text, arguments, local, is_guarded=is_guarded)
            return
        case TestCall(name="defined", value=value):
            yield from _references(text, value, local, is_guarded=True)
            return
        case For(variable=variable, iterable=iterable, body=body, otherwise=otherwise):
            yield from _references(text, iterable, local, is_guarded=is_guarded)
            yield from _in_order(text, body, local | {variable, "loop"}, is_guarded=is_guarded)
            yield from _in_order(text, otherwise, local, is_guarded=is_guarded)
            return
        case Macro(parameters=parameters, body=body):
            own = frozenset(name for name, _ in parameters)
            yield from _in_order(text, body, own, is_guarded=True)
            return
    yield from _in_order(text, list(node.children()), local, is_guarded=is_guarded)


def _in_order(text: str, body: list[Node], local: frozenset[str], *, is_guarded: bool) -> Iterator[Reference]:
    for node in body:
        yield from _references(text, node, local, is_guarded=is_guarded)
        local |= {inner.name for inner in _walk(node) if isinstance(inner, Set)}


def _path(text: str, node: Node, local: frozenset[str], *, is_guarded: bool) -> Iterator[Reference]:
    steps: list[str] = []
    while isinstance(node, Attribute):
        key = node.key
        if not isinstance(key, Literal):
            yield from _references(text, key, local, is_guarded=is_guarded)
            steps.clear()
        elif node.arguments is not None:
            for argument in node.arguments:
                yield from _references(text, argument, local, is_guarded=is_guarded)
            steps.clear()
        else:
            steps.append(str(key.value))
        node = node.target
    if not isinstance(node, Name):
        yield from _references(text, node, local, is_guarded=is_guarded)
        return
    if node.name not in local:
        place = location(text, node.position)
        yield Reference((node.name, *reversed(steps)), place.line, place.column, is_guarded)
