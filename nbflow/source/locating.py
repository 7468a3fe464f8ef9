"""Finds the place in a flow's text that an expression which failed at run time stands at."""

from __future__ import annotations

from collections.abc import Iterator

from nbflow.errors import Location, TemplateError
from nbflow.source.document import Path, format_path, read_document
from nbflow.types import JsonValue


def locate(error: TemplateError, source: str, task_id: str | None = None) -> TemplateError:
    """The error with its line, column and property path in a flow's text, as far as that holds the expression.

    The same text may stand in several places: one inside the task of `task_id` is preferred.
    """
    if not error.text or error.where is None or error.where.path or not source:
        return error
    document = read_document(source)
    places = list(_places(document.value, error.text, (), None))
    if not places:
        return error
    path, _ = next((place for place in places if place[1] == task_id), places[0])
    place = document.position_in(path, error.where.line, error.where.column)
    error.where = Location(place.line, place.column, format_path(path))
    return error


def _places(value: JsonValue, text: str, path: Path, task_id: str | None) -> Iterator[tuple[Path, str | None]]:
    """Where a text stands, each with the innermost `id` around it."""
    if isinstance(value, str):
        if value == text:
            yield path, task_id
    elif isinstance(value, dict):
        inner = str(value["id"]) if "id" in value else task_id
        for name, item in value.items():
            yield from _places(item, text, (*path, name), inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _places(item, text, (*path, index), task_id)
