"""`nbflow validate`: every problem of flows, as compilers show them."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

import typer

from nbflow.cli.connection import chosen_connection
from nbflow.cli.options import HomeOption, Output, OutputOption
from nbflow.cli.places import open_place
from nbflow.cli.progress import tracked
from nbflow.cli.showing import coloured, say, show_data
from nbflow.cli.sources import find_sources
from nbflow.errors import Problem

PathsArgument = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, directories, or - for stdin.")]


def validate(paths: PathsArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Check flows without running them. A server that is named checks them with its own plugins."""
    from nbflow.source import render_problems
    from nbflow.source import validate as find_problems
    from nbflow.source.parts import parts_of

    is_remote = chosen_connection(home is not None) is not None
    place = open_place() if is_remote else None
    find = find_problems if place is None else place.flows.check  # a home need not be opened for it
    files = flows = errors = warnings = 0
    report = []
    try:
        for name, text in tracked(list(find_sources(paths)), "checking"):
            parts = list(parts_of(text))
            problems = [part.in_whole(problem) for part in parts for problem in find(part.text)]
            files, flows = files + 1, flows + len(parts)
            wrong = sum(problem.is_error for problem in problems)
            errors, warnings = errors + wrong, warnings + sum(problem.is_warning for problem in problems)
            if output.is_data:
                report.append({"file": name, "valid": not wrong, "problems": [_entry(each) for each in problems]})
            elif problems:
                say(render_problems(problems, text, name))
                say()
    finally:
        if place is not None:
            place.close()
    if output.is_data:
        show_data(output, report)
    else:
        verdict = coloured("FAILED", "not valid") if errors else coloured("SUCCESS", "valid")
        say(f"{_count(flows, 'flow')} in {_count(files, 'file')}: {verdict}, {_counts(errors, warnings)}")
    if errors:
        raise typer.Exit(2)


def _entry(problem: Problem) -> dict[str, object]:
    return {field.name: getattr(problem, field.name) for field in fields(problem)}


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _counts(errors: int, warnings: int) -> str:
    return f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
