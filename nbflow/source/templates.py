"""Checks the expressions of a flow before it runs: syntax, names of filters and functions, what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from nbflow.errors import TemplateError
from nbflow.source.document import Path, Place
from nbflow.source.findings import Findings
from nbflow.source.names import Names
from nbflow.source.references import Reference, ReferenceCheck
from nbflow.types import JsonValue

_NEVER_RENDERED = {"description", "displayName", "validator", "documentation"}
_OPENERS = ("{{", "{%", "{#")


class Call(Protocol):
    """A filter, function or test that an expression uses; `problem` says what is wrong with it, if anything."""

    @property
    def name(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def problem(self) -> str: ...
    @property
    def hint(self) -> str: ...


class Inspection(Protocol):
    """What an expression reads and calls."""

    @property
    def references(self) -> Sequence[Reference]: ...
    @property
    def calls(self) -> Sequence[Call]: ...


class Expressions(Protocol):
    """What the check asks of `nbflow.expressions.Environment`."""

    def inspect(self, text: str, /) -> Inspection: ...


def check_templates(findings: Findings, value: JsonValue, names: Names, expressions: Expressions | None) -> None:
    """Note what is wrong with the expressions anywhere in a document."""
    environment = expressions
    for path, text in _texts(value, ()):
        if environment is None:
            environment = _default()
        try:
            inspection = environment.inspect(text)
        except TemplateError as refused:
            where = refused.where
            line, column = (where.line or 1, where.column or 1) if where is not None else (1, 1)
            findings.error_at_run(path, refused.message, refused.hint, place=findings.place_in(path, line, column))
            continue
        for call in inspection.calls:
            if call.problem:
                place = findings.place_in(path, call.line, call.column)
                name = Place(place.line, place.column, len(call.name))
                findings.error_at_run(path, call.problem, call.hint, place=name)
        ReferenceCheck(findings, path, text, names).check(inspection.references)


def _default() -> Expressions:
    from nbflow.expressions import default_environment  # jinja2 is not needed until a flow holds an expression

    return default_environment()


def _texts(value: JsonValue, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text with an expression, keys excepted."""
    if isinstance(value, str):
        if any(opener in value for opener in _OPENERS):
            yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            if name not in _NEVER_RENDERED:
                yield from _texts(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
