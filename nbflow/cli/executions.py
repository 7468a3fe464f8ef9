"""`nbflow executions`: what has been run."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.options import (
    HomeOption,
    LabelOption,
    NamespaceOption,
    Output,
    OutputOption,
    UsageError,
    read_id,
    read_pairs,
)
from nbflow.cli.showing import coloured, local_time, say, show_json, show_json_line, show_table
from nbflow.cli.startup import settle
from nbflow.cli.upkeep import purge

IdArgument = Annotated[str | None, typer.Argument(metavar="[ID]", help="Id of the execution.")]
IdOption = Annotated[str | None, typer.Option("--id", help="Id of the execution.")]

app = typer.Typer(help="List executions, read their logs, kill them.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_executions(
    namespace: NamespaceOption = None,
    flow: Annotated[str | None, typer.Option("--flow", help="Only this flow.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only in this state; repeat it.")] = None,
    label: LabelOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 20,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List executions, newest first."""
    from nbflow.engine import Engine
    from nbflow.model.state import State
    from nbflow.widgets.gantt import seconds

    wanted = [name.upper() for name in state or ()]
    for name in wanted:
        if name not in list(State):
            raise UsageError(f"there is no state `{name}`", hint=f"there are {', '.join(State)}")
    with Engine(home, takes_over=False) as engine:
        found = engine.executions(namespace, flow, wanted or None, read_pairs(label, "a label"), limit=limit)
        if output is Output.JSON:
            show_json([execution.to_dict() for execution in found])
            return
        if not found:
            say("no executions")
            return
        rows = [
            (each.id, each.namespace, each.flow_id, each.state, local_time(each.start), seconds(each.duration))
            for each in found
        ]
    show_table(("ID", "NAMESPACE", "FLOW", "STATE", "START", "DURATION"), rows)


@app.command("get")
def get(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """Show an execution and its task runs."""
    from nbflow.cli.live import show_execution
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        execution = engine.execution(read_id(execution_id, id_))
        if output is Output.JSON:
            show_json(execution.to_dict())
        else:
            show_execution(execution)


@app.command("logs")
def logs(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the execution has ended.")] = False,
    level: Annotated[str | None, typer.Option("--level", help="Only at or above: TRACE DEBUG INFO WARN ERROR.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Only of this task.")] = None,
    last: Annotated[int | None, typer.Option("--last", min=1, help="Only the last so many.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the log of an execution."""
    from nbflow.cli.live import log_line
    from nbflow.engine import Engine
    from nbflow.model.events import LogWritten
    from nbflow.model.task import LogLevel

    if level is not None and level.upper() not in list(LogLevel):
        raise UsageError(f"there is no log level `{level}`", hint=f"there are {', '.join(LogLevel)}")
    least = LogLevel(level.upper()) if level else None
    with Engine(home, takes_over=False) as engine:
        execution = engine.execution(read_id(execution_id, id_))
        if not follow:
            entries = execution.logs(least, task, last)
            if output is Output.JSON:
                show_json([entry.to_dict(execution.record) for entry in entries])
            else:
                for entry in entries:
                    say(log_line(entry))
            return
        settle()
        for _, event in engine.events(execution.id):
            if not isinstance(event, LogWritten):
                continue
            entry = event.entry
            if task not in (None, entry.task_id) or (least is not None and entry.level.rank < least.rank):
                continue
            if output is Output.JSON:  # one line each: nobody can wait for the end of a list
                show_json_line(entry.to_dict(execution.record))
            else:
                say(log_line(entry))


@app.command("kill")
def kill(
    execution_id: IdArgument = None, id_: IdOption = None, output: OutputOption = Output.TEXT, home: HomeOption = None
) -> None:
    """End an execution, wherever it runs."""
    from nbflow.cli.live import KILL_SECONDS
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        execution = engine.kill(read_id(execution_id, id_))
        engine.wait(execution.id, timeout=KILL_SECONDS)
        execution.refresh()
        if output is Output.JSON:
            show_json(execution.to_dict())
        else:
            say(f"{execution.id} {coloured(execution.state)}")


app.command("purge")(purge)
