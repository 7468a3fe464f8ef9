"""The entry point of `nbflow`: the commands there are, and what becomes of errors.

Exit status: 0 success, 1 a failed execution or a failure of nbflow itself, 2 something to mend in what was asked,
130 and 143 an interrupt.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from nbflow.cli.connection import (
    Connection,
    PasswordOption,
    ServerOption,
    TokenOption,
    UserOption,
    forget_connection,
    say_connection,
)
from nbflow.cli.groups import Entry, LazyGroup
from nbflow.cli.options import HomeOption
from nbflow.cli.startup import hurry, leave
from nbflow.errors import NbflowError

COMMANDS: dict[str, Entry] = {
    "run": Entry("Run a flow and show it as it goes. A file is deployed first.", ("run:run",), is_remote=True),
    "validate": Entry("Check flows without running them.", ("validate:validate",), is_remote=True),
    "flows": Entry(
        "Deploy, run, test, look at and change flows.",
        ("flows", "flow_facts", "flow_sets", "flow_tests"),
        ("flow",),
    ),
    "executions": Entry(
        "List executions, read their logs, steer them.",
        ("executions", "steering", "execution_facts", "execution_sets"),
        ("execution",),
    ),
    "logs": Entry("Search the logs of all executions.", ("logs",), ("log",)),
    "triggers": Entry(
        "What starts flows: look at it, switch it, see what comes.", ("triggers", "trigger_sets"), ("trigger",)
    ),
    "backfill": Entry("Run past dates of a schedule.", ("backfills",), ("backfills",)),
    "namespaces": Entry("Namespaces, with their files, values and secrets.", ("namespaces",), ("namespace", "ns")),
    "files": Entry("Files that belong to a namespace.", ("files",), ("nsfiles", "file")),
    "kv": Entry("Values that flows keep by key.", ("kv",)),
    "secrets": Entry("Secrets of namespaces; a value is never shown.", ("secrets",), ("secret",)),
    "notebook": Entry("Notebooks that were run.", ("notebooks",), ("notebooks",)),
    "plugins": Entry(
        "List the types that flows can use, explain them, and begin types of your own.", ("plugins",), ("plugin",)
    ),
    "migrate": Entry("Write flows in the present spellings; shows the difference first.", ("migrate:migrate",)),
    "render": Entry("Render an expression.", ("render:render",)),
    "expressions": Entry("List what expressions can call, or explain one of it.", ("expressions:expressions",)),
    "sql": Entry("Query the history with SQL. Nothing is changed.", ("sql:sql",)),
    "server": Entry("Serve the REST API and run schedules, without notebooks.", ("server:server",)),
    "gc": Entry("Remove what nothing refers to any more, and give the space back.", ("upkeep:gc",)),
    "doctor": Entry(
        "Look whether all that nbflow needs is there, and say how to mend what is not.", ("doctor:doctor",)
    ),
    "version": Entry("Show the version.", ("version:version",)),
}
"""The commands by name. A module of its own each; the help of a command stands here so that nothing is imported."""


class _Top(LazyGroup):
    entries: ClassVar[dict[str, Entry]] = COMMANDS


app = typer.Typer(
    name="nbflow",
    cls=_Top,
    help="Workflow orchestration that lives in Jupyter.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from nbflow.cli.version import version

        version()
        raise typer.Exit


@app.callback()
def _top(
    home: HomeOption = None,
    server: ServerOption = None,
    token: TokenOption = None,
    user: UserOption = None,
    password: PasswordOption = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    if home is not None:  # also for what this process starts
        os.environ["NBFLOW_HOME"] = str(Path(home).absolute())
        os.environ.pop("NBFLOW_SERVER", None)
    say_connection(Connection(server, token, user, password))


def exit_status(error: NbflowError) -> int:
    """What the process ends with for an error: 1 where the caller made no mistake, 2 where there is one to mend."""
    from nbflow.cli.options import ServerFailedError
    from nbflow.errors import LeaseLostError, StoreError, TaskFailedError, WaitTimeoutError

    failures = (StoreError, TaskFailedError, WaitTimeoutError, LeaseLostError, ServerFailedError)
    return 1 if isinstance(error, failures) else 2


def main() -> None:
    """Run the command line and end the process."""
    hurry()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a log line must not end the run because a terminal lacks a letter
    leave(invoke())


def invoke() -> int:
    """Run the command line and return the exit status of the process."""
    forget_connection()
    try:
        app(prog_name="nbflow")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except NbflowError as error:
        if os.environ.get("NBFLOW_DEBUG"):
            raise
        from nbflow.cli.showing import show_error

        show_error(error)
        return exit_status(error)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # the outermost handler of this face
        if os.environ.get("NBFLOW_DEBUG"):
            raise
        from nbflow.cli.showing import warn

        warn(f"error: {type(error).__name__}: {error}")
        warn("  this is a fault of nbflow; NBFLOW_DEBUG=1 shows where it comes from")
        return 1
    return 0


if __name__ == "__main__":
    main()
