"""`nbflow executions`: what has been run."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.completion import complete_execution, complete_namespace
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import (
    HomeOption,
    IdOption,
    LabelOption,
    Output,
    OutputOption,
    TimeoutOption,
    UsageError,
    read_id,
    read_level,
    read_pairs,
)
from nbflow.cli.places import Row, Wanted, open_place
from nbflow.cli.run import execute
from nbflow.cli.showing import coloured, local_time, log_text, say, show_data, show_done, show_json_line, show_rows
from nbflow.cli.sql import diff
from nbflow.cli.startup import settle
from nbflow.cli.upkeep import purge
from nbflow.cli.watching import watch_of

IdArgument = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="Id of the execution.", autocompletion=complete_execution),
]
NamespaceOption = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Only this namespace.", autocompletion=complete_namespace),
]
FlowOption = Annotated[str | None, typer.Option("--flow", "--flow-id", help="Only this flow.")]
StateOption = Annotated[list[str] | None, typer.Option("--state", help="Only in this state; repeat it.")]

app = new_group("List executions, read their logs, steer them.")
verb(app, "run", "execute", "trigger", is_remote=True)(execute)
verb(app, "diff")(diff)
verb(app, "purge")(purge)


@verb(app, "list", "ls", "search", is_remote=True)
def list_executions(
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    state: StateOption = None,
    label: LabelOption = None,
    limit: Annotated[int, typer.Option("--limit", "--size", min=1, help="At most so many.")] = 20,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List executions, newest first."""
    wanted = Wanted(namespace, flow, read_states(state), read_pairs(label, "a label"))
    with open_place(home) as place:
        found = place.executions.find(wanted, limit)
    show_executions(output, found)


@verb(app, "get", "show", "describe", is_remote=True)
def get(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Show an execution and its task runs."""
    with open_place(home) as place:
        execution = place.executions.get(read_id(execution_id, id_))
    if output.is_data:
        show_data(output, execution)
        return
    from nbflow.cli.live import show_execution
    from nbflow.cli.reading import read_execution

    show_execution(*read_execution(execution))


@verb(app, "logs", "log", is_remote=True)
def logs(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution has ended.")] = False,
    level: Annotated[
        str | None, typer.Option("--level", "--min-level", help="Only at or above: TRACE DEBUG INFO WARN ERROR.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", "--task-id", help="Only of this task.")] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only the last so many.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the log of an execution."""
    least = read_level(level)
    with open_place(home) as place:
        if not follow:
            entries = place.executions.logs(read_id(execution_id, id_), least, task)
            show_logs(output, entries[-last:] if last else entries)
            return
        settle()
        for entry in place.executions.follow_logs(read_id(execution_id, id_)):
            if task in (None, entry.get("taskId")) and _is_at_least(entry["level"], least):
                if output.is_data:  # one line each: nobody can wait for the end of a list
                    show_json_line(entry)
                else:
                    say(log_line(entry))


@verb(app, "watch", "follow", is_remote=True)
def watch(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    timeout: TimeoutOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show an execution as it goes until it has ended; the exit status says whether it failed."""
    with open_place(home) as place:
        status = place.runs.watch(read_id(execution_id, id_), watch_of(output, timeout))
    raise typer.Exit(status)


@verb(app, "kill", is_remote=True)
def kill(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """End an execution, wherever it runs."""
    with open_place(home) as place:
        execution = place.executions.kill(read_id(execution_id, id_))
    show_state(output, execution)


def show_state(output: Output, execution: Row) -> None:
    """Show how an execution stands, in a line."""
    show_done(output, execution, f"{execution['id']} {coloured(execution['state']['current'])}")


def show_executions(output: Output, found: list[Row]) -> None:
    """Show executions, a line each."""
    from nbflow.cli.reading import read_instant
    from nbflow.model.durations import parse_duration
    from nbflow.widgets.gantt import seconds

    rows = [
        (
            each["id"],
            each["namespace"],
            each["flowId"],
            each["state"]["current"],
            local_time(read_instant(each["state"]["startDate"])),
            seconds(parse_duration(each["state"]["duration"])),
        )
        for each in found
    ]
    show_rows(output, found, ("ID", "NAMESPACE", "FLOW", "STATE", "START", "DURATION"), rows, "no executions")


def show_logs(output: Output, entries: list[Row]) -> None:
    """Show log lines."""
    if output.is_data:
        show_data(output, entries)
        return
    for entry in entries:
        say(log_line(entry))


def log_line(entry: Row) -> str:
    """A log entry as one line for people."""
    from nbflow.cli.reading import read_instant

    return log_text(read_instant(entry["timestamp"]), entry["level"], entry.get("taskId"), entry["message"])


def read_states(names: list[str] | None) -> list[str]:
    """The states of these names. Raises: UsageError."""
    from nbflow.model.state import State

    wanted = [name.upper() for text in names or () for name in text.split(",")]
    for name in wanted:
        if name not in list(State):
            raise UsageError(f"there is no state `{name}`", hint=f"there are {', '.join(State)}")
    return wanted


def _is_at_least(level: str, least: str | None) -> bool:
    from nbflow.model.task import LogLevel

    return least is None or LogLevel(level).rank >= LogLevel(least).rank
