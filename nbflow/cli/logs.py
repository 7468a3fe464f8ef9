"""`nbflow logs`: the logs of all executions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.executions import FlowOption, IdArgument, NamespaceOption, log_line, show_logs
from nbflow.cli.executions import logs as logs_of_one
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, IdOption, Output, OutputOption, read_id, read_level, read_moment
from nbflow.cli.places import LogQuery, open_place
from nbflow.cli.saving import save_below
from nbflow.cli.showing import say, show_data

LevelOption = Annotated[
    str | None, typer.Option("--level", "--min-level", help="Only at or above: TRACE DEBUG INFO WARN ERROR.")
]

app = new_group("Search the logs of all executions.")
verb(app, "list", "ls", "get", is_remote=True)(logs_of_one)


@verb(app, "search", is_remote=True)
def search(
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="Only lines that hold this text.")] = None,
    query: Annotated[str | None, typer.Option("--query", "-q", help="The same.")] = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    execution: Annotated[str | None, typer.Option("--execution", "-e", metavar="ID", help="Only this one.")] = None,
    task: Annotated[str | None, typer.Option("--task", "--task-id", help="Only of this task.")] = None,
    trigger: Annotated[str | None, typer.Option("--trigger", "--trigger-id", help="Only of this trigger.")] = None,
    level: LevelOption = None,
    since: Annotated[str | None, typer.Option("--from", "--start", metavar="DATE", help="Not before.")] = None,
    until: Annotated[str | None, typer.Option("--to", "--end", metavar="DATE", help="Before this.")] = None,
    limit: Annotated[int, typer.Option("--limit", "--size", min=1, max=1000, help="At most so many.")] = 50,
    page: Annotated[int, typer.Option("--page", min=1, help="Which so many.")] = 1,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Find log lines of all executions, newest last."""
    wanted = LogQuery(
        text or query,
        namespace,
        flow,
        execution,
        task,
        trigger,
        read_level(level),
        read_moment(since, "--from"),
        read_moment(until, "--to"),
        limit,
        page,
    )
    with open_place(home) as place:
        found = place.search_logs(wanted)
    if output.is_data:
        show_data(output, found)
        return
    for entry in reversed(found):
        say(f"{entry['executionId']} {entry['namespace']}.{entry['flowId']}  {log_line(entry)}")
    if not found:
        say("no lines")


@verb(app, "download", is_remote=True)
def download(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    level: LevelOption = None,
    task: Annotated[str | None, typer.Option("--task", "--task-id", help="Only of this task.")] = None,
    target: Annotated[
        Path | None, typer.Option("--output-file", "--to", metavar="FILE", help="Where to put it, not to stdout.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Fetch the log of an execution as plain text."""
    with open_place(home) as place:
        entries = place.executions.logs(read_id(execution_id, id_), read_level(level), task)
    if target is None:
        show_logs(Output.TEXT, entries)
        return
    lines = [f"{entry['timestamp']} {entry['level']} {entry['message']}\n" for entry in entries]
    save_below(target.parent, (target.name,), "".join(lines).encode("utf-8"))
    say(f"{target}: {len(lines)} lines")
