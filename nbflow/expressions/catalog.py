"""The filters, functions and tests that expressions may use, each with the arguments that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Filters, functions and tests differ in their parameters; the binder checks arguments against `arguments`.
Function = Callable[..., Any]

_SPELLED_AS_IS = {"replace_pairs"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A filter, function or test: its name, its code, and the names of its arguments in their order.

    `arguments` is None where none are declared: then positional ones are computed and ignored.
    """

    kind: str
    name: str
    function: Function
    arguments: tuple[str, ...] | None
    parameters: tuple[str, ...]
    is_variadic: bool
    needs_scope: bool

    @property
    def alias(self) -> str:
        """The name of the function inside compiled templates."""
        return f"{self.kind}_{self.name}"


def takes_scope(function: Function) -> bool:
    """Whether a function's first parameter is the scope of the rendering."""
    return next(iter(inspect.signature(function).parameters), "") == "scope"


def define(kind: str, name: str, function: Function, *, is_strict: bool = False) -> Definition:
    """Read off a function's parameters which arguments an expression may give.

    Filters and tests take the value first. `is_strict` is for filters that declare an empty list of arguments.
    """
    has_value = kind != "function"
    parameters = list(inspect.signature(function).parameters.values())
    needs_scope = takes_scope(function)
    own = parameters[1:] if needs_scope else parameters
    own = own[1:] if has_value else own
    is_variadic = any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in own)
    names = tuple(parameter.name for parameter in own)
    arguments: tuple[str, ...] | None = tuple(_camel(parameter) for parameter in names)
    if is_variadic or (not names and has_value and not is_strict):
        arguments = None
    return Definition(kind, name, function, arguments, names, is_variadic, needs_scope)


def _camel(name: str) -> str:
    if name in _SPELLED_AS_IS:
        return name
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that can be called in an expression, by name."""

    filters: Mapping[str, Definition]
    functions: Mapping[str, Definition]
    tests: Mapping[str, Definition]

    def of_kind(self, kind: str) -> Mapping[str, Definition]:
        """All filters, functions or tests; `kind` is one of these words in the singular."""
        return {"filter": self.filters, "function": self.functions, "test": self.tests}[kind]
