"""`nbflow validate`: every problem of flows, as compilers show them."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.options import Output, OutputOption
from nbflow.cli.showing import coloured, say, show_json
from nbflow.cli.sources import find_sources

PathsArgument = Annotated[list[str], typer.Argument(metavar="PATH...", help="Files, directories, or - for stdin.")]


def validate(paths: PathsArgument, output: OutputOption = Output.TEXT) -> None:
    """Check flows without running them."""
    from nbflow.source import render_problems
    from nbflow.source import validate as find_problems
    from nbflow.source.parts import parts_of

    files = flows = errors = warnings = 0
    report = []
    for name, text in find_sources(paths):
        parts = list(parts_of(text))
        problems = [part.in_whole(problem) for part in parts for problem in find_problems(part.text)]
        files, flows = files + 1, flows + len(parts)
        wrong = sum(problem.is_error for problem in problems)
        errors, warnings = errors + wrong, warnings + sum(problem.is_warning for problem in problems)
        if output is Output.JSON:
            entries = [{key: getattr(problem, key) for key in problem.__slots__} for problem in problems]
            report.append({"file": name, "valid": not wrong, "problems": entries})
        elif problems:
            say(render_problems(problems, text, name))
            say()
    if output is Output.JSON:
        show_json(report)
    else:
        verdict = coloured("FAILED", "not valid") if errors else coloured("SUCCESS", "valid")
        say(f"{_count(flows, 'flow')} in {_count(files, 'file')}: {verdict}, {_counts(errors, warnings)}")
    if errors:
        raise typer.Exit(2)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _counts(errors: int, warnings: int) -> str:
    return f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
