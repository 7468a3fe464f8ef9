"""`nbflow flows test`: runs test suites and says what does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError
from nbflow.cli.showing import coloured, say, show_data, warn
from nbflow.cli.sources import find_sources
from nbflow.cli.startup import settle

app = typer.Typer(rich_markup_mode=None)

SuitesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="PATH...", help="Suites and flows: files, directories, or - for stdin.")
]


@app.command("test")
def run_tests(
    paths: SuitesArgument = None,
    case: Annotated[list[str] | None, typer.Option("--case", help="Only the case of this id; repeat it.")] = None,
    at_once: Annotated[int, typer.Option("--parallel", min=1, help="Cases to run at the same time.")] = 4,
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML as well.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Show the JSON Schema of suites; run nothing.")] = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run test suites of flows: cases with inputs, mocked tasks and assertions.

    Each case runs in a home of its own. The flow is that of a file among PATH or beside the suite, or a deployed one.
    Exit status: 1 when a case fails, 2 when a suite is not valid.
    """
    from nbflow.flowtests import SuiteError, find_suites, junit_xml, prepared, run_suites, suite_schema
    from nbflow.source import render_problems
    from nbflow.widgets.flow_tests import suite_text, suites_summary

    if schema:
        show_data(Output.JSON if output in (Output.TEXT, Output.TABLE) else output, suite_schema())
        return
    if not paths:
        raise UsageError("name a test suite", hint="nbflow flows test FILE, or a directory of suites and flows")
    settle()
    with _world(home) as world:
        try:
            suites = find_suites(list(find_sources(paths)), world)
            if not suites:
                raise UsageError(
                    f"there is no test suite in {', '.join(paths)}",
                    hint="a suite has `id`, `namespace`, `flowId` and `testCases`",
                )
            known = [one.id for suite in suites for one in suite.suite.test_cases]
            unknown = [name for name in case or () if name not in known]
            if unknown:
                raise UsageError(f"there is no case `{unknown[0]}`", hint=f"there are {', '.join(known)}")
            with prepared(suites, world) as ready:
                results = run_suites(
                    ready,
                    at_once=at_once,
                    only=case or (),
                    on_suite=None if output.is_data else lambda result: say(suite_text(result)),
                )
        except SuiteError as invalid:
            if output.is_data:
                show_data(output, [_problem_row(invalid, number) for number in range(len(invalid.problems))])
            else:
                warn(render_problems(invalid.problems, invalid.text, invalid.file))
            warn(f"error: {invalid.message}; nothing was run")
            raise typer.Exit(2) from None
    if junit is not None:
        _write(junit, junit_xml(results))
    failed = any(result.is_failure for result in results)
    if output.is_data:
        show_data(output, [result.to_dict() for result in results])
    else:
        say(coloured("FAILED" if failed else "SUCCESS", suites_summary(results)))
    if failed:
        raise typer.Exit(1)


@contextmanager
def _world(home: Path | None) -> Iterator[Any]:  # Any: a nbflow.flowtests.World, imported late
    """The flows of the home, if there is one: tests of files alone make none."""
    from nbflow.flowtests import World
    from nbflow.settings import Settings
    from nbflow.store import Store

    settings = Settings.load(home)
    if not settings.home.is_dir():
        yield World(settings)
        return
    with Store(settings) as store:
        yield World(settings, store)


def _problem_row(invalid: Any, number: int) -> dict[str, object]:  # Any: a nbflow.flowtests.SuiteError
    problem = invalid.problems[number]
    return {"file": invalid.file, **{key: getattr(problem, key) for key in problem.__slots__}}


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as cause:
        raise UsageError(f"{file} cannot be written: {cause.strerror}") from cause
