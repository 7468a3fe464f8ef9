"""Finds what a template reads and calls, without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nbflow.expressions.catalog import Catalog
from nbflow.expressions.lexer import location
from nbflow.expressions.shapes import problem_of
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
from nbflow.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable with the steps into it that are known, such as `("outputs", "extract", "uri")`.

    `is_guarded` tells that the expression copes with its absence: `??`, `???`, `default`, `is defined`;
    `is_rendered` that what it holds is rendered: it stands inside `render(…)` or `renderOnce(…)`.
    """

    path: tuple[str, ...]
    line: int
    column: int
    is_guarded: bool = False
    is_rendered: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A use of a filter, function or test; `kind` is one of these words.

    `problem` says what is wrong with it, `hint` how to mend that; both are empty when nothing is.
    """

    kind: str
    name: str
    line: int
    column: int
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a template reads and calls, each in the order of the text."""

    references: tuple[Reference, ...] = ()
    calls: tuple[Call, ...] = ()


def inspect(text: str, template: Template, catalog: Catalog) -> Inspection:
    """The variables of the caller that a template reads, and what it calls; macros of its own are left out."""
    found = list(_References(text).within(template, _Place()))
    # What is asked for in one place, as in `{% if a.b is defined %}`, may be used in another.
    guarded = [reference.path for reference in found if reference.is_guarded]
    for index, reference in enumerate(found):
        if any(reference.path[: len(path)] == path for path in guarded):
            found[index] = replace(reference, is_guarded=True)
    return Inspection(tuple(found), tuple(_calls(text, template, catalog)))


def _calls(text: str, template: Template, catalog: Catalog) -> Iterator[Call]:
    macros = {node.name for node in _walk(template) if isinstance(node, Macro)}
    used = [node for node in _walk(template) if isinstance(node, FilterCall | TestCall | CallNode)]
    for node in sorted(used, key=lambda node: node.position):
        kind = {FilterCall: "filter", TestCall: "test"}.get(type(node), "function")
        if kind == "function" and (node.name in macros or node.name == "block"):
            continue
        place = location(text, node.position)
        known = catalog.of_kind(kind)
        definition = known.get(node.name)
        if definition is None:
            problem, hint = f"there is no {kind} `{node.name}`", did_you_mean(node.name, known)
        elif definition.is_variadic or definition.arguments is None:
            problem, hint = "", ""
        else:
            problem, hint = problem_of(node.name, definition.arguments, node.arguments), ""
        yield Call(kind, node.name, place.line, place.column, problem, hint)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children():
        yield from _walk(child)


@dataclass(frozen=True, slots=True)
class _Place:
    """What holds for a part of a template: names of its own, and what is done with what it reads."""

    local: frozenset[str] = frozenset()
    is_guarded: bool = False
    is_rendered: bool = False


class _References:
    """Walks over a template and finds the variables that it reads."""

    def __init__(self, text: str) -> None:
        self._text = text

    def within(self, node: Node, place: _Place) -> Iterator[Reference]:
        match node:
            case Name() | Attribute():
                yield from self._path(node, place)
            case Binary(operator="??" | "???", left=left, right=right):
                yield from self.within(left, replace(place, is_guarded=True))
                yield from self.within(right, place)
            case FilterCall(name="default", value=value, arguments=arguments):
                yield from self.within(value, replace(place, is_guarded=True))
                yield from self.within(arguments, place)
            case TestCall(name="defined", value=value):
                yield from self.within(value, replace(place, is_guarded=True))
            case CallNode(name="render" | "renderOnce", arguments=arguments):
                yield from self.within(arguments, replace(place, is_rendered=True))
            case For(variable=variable, iterable=iterable, body=body, otherwise=otherwise):
                yield from self.within(iterable, place)
                yield from self._in_order(body, replace(place, local=place.local | {variable, "loop"}))
                yield from self._in_order(otherwise, place)
            case Macro(parameters=parameters, body=body):
                own = frozenset(name for name, _ in parameters)
                yield from self._in_order(body, _Place(own, is_guarded=True))
            case _:
                yield from self._in_order(list(node.children()), place)

    def _in_order(self, body: list[Node], place: _Place) -> Iterator[Reference]:
        for node in body:
            yield from self.within(node, place)
            place = replace(place, local=place.local | {inner.name for inner in _walk(node) if isinstance(inner, Set)})

    def _path(self, node: Node, place: _Place) -> Iterator[Reference]:
        steps: list[str] = []
        while isinstance(node, Attribute):
            key = node.key
            if not isinstance(key, Literal):
                yield from self.within(key, place)
                steps.clear()
            elif node.arguments is not None:
                for argument in node.arguments:
                    yield from self.within(argument, place)
                steps.clear()
            else:
                steps.append(str(key.value))
            node = node.target
        if not isinstance(node, Name):
            yield from self.within(node, place)
        elif node.name not in place.local:
            at = location(self._text, node.position)
            path = (node.name, *reversed(steps))
            yield Reference(path, at.line, at.column, place.is_guarded, place.is_rendered)
