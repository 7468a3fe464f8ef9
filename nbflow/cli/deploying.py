"""Saves flows at a place, and shows every problem of those that are not valid."""

from __future__ import annotations

from nbflow.cli.options import UsageError
from nbflow.cli.places import Place, Row
from nbflow.cli.showing import warn
from nbflow.errors import FlowValidationError, Problem
from nbflow.source import render_problems
from nbflow.source.parts import parts_of


def deploy(place: Place, text: str, file: str) -> Row:
    """Save a flow. Raises: UsageError after all its problems have been shown with their places in the file."""
    try:
        return place.flows.save(text)
    except FlowValidationError as invalid:
        warn(render_problems(invalid.problems, text, file))
        errors = sum(problem.is_error for problem in invalid.problems)
        raise UsageError(f"{file} is not a valid flow: {errors} error{'' if errors == 1 else 's'}") from invalid


def problems_of(place: Place, text: str) -> list[Problem]:
    """The problems of all flows of a text, each with its place in the whole."""
    return [part.in_whole(problem) for part in parts_of(text) for problem in place.flows.check(part.text)]
