"""The entry point of `nbflow`: the commands there are, and what becomes of errors.

Exit status: 0 success, 1 a failed execution or a failure of nbflow itself, 2 something to mend in what was asked,
130 and 143 an interrupt.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli import (
    executions,
    expressions,
    flows,
    namespaces,
    notebooks,
    plugins,
    render,
    run,
    sql,
    steering,
    upkeep,
    validate,
    version,
)
from nbflow.cli.options import HomeOption
from nbflow.cli.showing import show_error, warn
from nbflow.cli.startup import hurry, leave
from nbflow.errors import LeaseLostError, NbflowError, StoreError, TaskFailedError, WaitTimeoutError

FAILURES: tuple[type[NbflowError], ...] = (StoreError, TaskFailedError, WaitTimeoutError, LeaseLostError)
"""Errors that are no mistake of the caller: exit status 1. All others are to be mended by the caller: 2."""

app = typer.Typer(
    name="nbflow",
    help="Workflow orchestration that lives in Jupyter.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
executions.app.add_typer(steering.app)
executions.app.command("diff")(sql.diff)
for module, names in (
    (flows, ("flows", "flow")),
    (executions, ("executions", "execution")),
    (namespaces, ("namespaces", "namespace")),
    (notebooks, ("notebook", "notebooks")),
    (plugins, ("plugins", "plugin")),
):
    for name in names:
        app.add_typer(module.app, name=name, hidden=name != names[0])
app.command("run")(run.run)
app.command("validate")(validate.validate)
app.command("render")(render.render)
app.command("expressions")(expressions.expressions)
app.command("sql")(sql.sql)
app.command("gc")(upkeep.gc)
app.command("version")(version.version)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        version.version()
        raise typer.Exit


@app.callback()
def _top(
    home: HomeOption = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    if home is not None:  # also for what this process starts
        os.environ["NBFLOW_HOME"] = str(Path(home).absolute())


def exit_status(error: NbflowError) -> int:
    """What the process ends with for an error."""
    return 1 if isinstance(error, FAILURES) else 2


def main() -> None:
    """Run the command line and end the process."""
    hurry()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a log line must not end the run because a terminal lacks a letter
    leave(invoke())


def invoke() -> int:
    """Run the command line and return the exit status of the process."""
    try:
        app(prog_name="nbflow")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except NbflowError as error:
        if os.environ.get("NBFLOW_DEBUG"):
            raise
        show_error(error)
        return exit_status(error)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # the outermost handler of this face
        if os.environ.get("NBFLOW_DEBUG"):
            raise
        warn(f"error: {type(error).__name__}: {error}")
        warn("  this is a fault of nbflow; NBFLOW_DEBUG=1 shows where it comes from")
        return 1
    return 0


if __name__ == "__main__":
    main()
