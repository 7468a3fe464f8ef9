"""`nbflow backfill`: past dates of a schedule, run now."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, LabelOption, Output, OutputOption, UsageError, read_moment, read_pairs
from nbflow.cli.places import Place, Range, Row, TriggerKey, open_place
from nbflow.cli.run import InputOption
from nbflow.cli.showing import coloured, local_time, say, show_data, show_done, show_rows, warn
from nbflow.cli.triggers import FlowOption, KeyArgument, NamespaceOption, TriggerOption, read_key

WhichArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID | NAMESPACE FLOW TRIGGER", help="A backfill, or the trigger whose backfill goes on."),
]
_OVER = ("DONE", "CANCELLED")
_LOOK_SECONDS = 0.25

app = new_group("Run past dates of a schedule.")


@verb(app, "create", "start", is_remote=True)
def create(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    start: Annotated[str | None, typer.Option("--start", "--from", metavar="DATE", help="The first date.")] = None,
    end: Annotated[str | None, typer.Option("--end", "--to", metavar="DATE", help="The last; now if not said.")] = None,
    date: Annotated[list[str] | None, typer.Option("--date", metavar="DATE", help="One date; repeat it.")] = None,
    input_: InputOption = None,
    label: LabelOption = None,
    order: Annotated[str, typer.Option("--order", metavar="oldest|newest", help="Which come first.")] = "oldest",
    parallelism: Annotated[int, typer.Option("--parallelism", "-p", min=1, help="How many run at once.")] = 1,
    only: Annotated[str, typer.Option("--only", metavar="all|missing|failed", help="Which dates are run.")] = "all",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run nothing; show the dates.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Show its progress until it is over.")] = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run the dates of a schedule from one to another, whether it is on or off. The scheduler of the home runs them."""
    wanted = read_key(key, namespace, flow, trigger)
    dates = [moment for text in date or () if (moment := read_moment(text, "--date")) is not None]
    wish = Range(
        read_moment(start, "--start"),
        read_moment(end, "--end"),
        dates or None,
        read_pairs(input_, "an input"),
        read_pairs(label, "a label"),
        order,
        parallelism,
        only,
    )
    with open_place(home) as place:
        made, listed = place.backfills.create(wanted, wish, dry_run=dry_run)
        if dry_run:
            _show_plan(output, made, listed)
            return
        # Where no scheduler is, this very process runs it: leaving would leave it to the next one that comes.
        ended = _watch(place, made["id"], output) if wait or _runs_here(place) else None
    _show_one(output, ended or made)
    if ended is not None and ended["failed"]:
        raise typer.Exit(1)


@verb(app, "list", "ls", is_remote=True)
def list_backfills(
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    going_on: Annotated[bool, typer.Option("--going-on", help="Only those that are not over.")] = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List backfills with their progress, newest first."""
    with open_place(home) as place:
        found = place.backfills.all(namespace, flow, going_on=going_on)
    heads = ("ID", "TRIGGER", "STATE", "DONE", "FAILED", "ETA", "FROM", "TO")
    rows = [
        (
            one["id"],
            f"{one['namespace']}/{one['flowId']}/{one['triggerId']}",
            one["state"],
            f"{one['succeeded'] + one['failed']}/{one['total']}",
            str(one["failed"]),
            one.get("eta") or "",
            _when(one["start"]),
            _when(one["end"]),
        )
        for one in found
    ]
    show_rows(output, found, heads, rows, "no backfills")


@verb(app, "get", "show", is_remote=True)
def get(which: WhichArgument = None, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Show how far a backfill has come."""
    with open_place(home) as place:
        found = place.backfills.get(_which(which))
    _show_one(output, found)


@verb(app, "watch", "follow", is_remote=True)
def watch(which: WhichArgument = None, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Show the progress of a backfill until it is over; exit status 1 when an execution of it failed."""
    with open_place(home) as place:
        ended = _watch(place, place.backfills.get(_which(which))["id"], output)
    _show_one(output, ended)
    if ended["failed"]:
        raise typer.Exit(1)


@verb(app, "pause", is_remote=True)
def pause(which: WhichArgument = None, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Start no more executions of a backfill until it is resumed."""
    _move(which, "pause", output, home)


@verb(app, "resume", "unpause", is_remote=True)
def resume(which: WhichArgument = None, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Go on with a backfill that is paused."""
    _move(which, "resume", output, home)


@verb(app, "cancel", "delete", is_remote=True)
def cancel(which: WhichArgument = None, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """End a backfill; its executions under way go on."""
    _move(which, "cancel", output, home)


def _move(which: list[str] | None, action: str, output: Output, home: HomeOption) -> None:
    with open_place(home) as place:
        moved = place.backfills.move(_which(which), action)
        if action == "resume" and _runs_here(place):
            moved = _watch(place, moved["id"], output)
    _show_one(output, moved)


def _which(words: list[str] | None) -> str | TriggerKey:
    if not words:
        raise UsageError("name a backfill", hint="its id; `nbflow backfill list` shows those there are")
    if len(words) == 1 and not any(sign in words[0] for sign in "./"):
        return words[0]
    return read_key(words, None, None, None)


def _runs_here(place: Place) -> bool:
    """Whether no scheduler is there to run a backfill, so that this process does."""
    from nbflow.cli.local.place import LocalPlace

    return isinstance(place, LocalPlace) and not place.engine.scheduler_status().is_running


def _watch(place: Place, id_: str, output: Output) -> Row:
    """Wait until a backfill is over or paused, with a bar on a terminal."""
    import sys

    if output.is_data or not sys.stderr.isatty():
        while (found := place.backfills.get(id_))["state"] == "RUNNING":
            time.sleep(_LOOK_SECONDS)
        return found
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("backfill")
        while (found := place.backfills.get(id_))["state"] == "RUNNING":
            bar.update(task, total=found["total"], completed=found["succeeded"] + found["failed"])
            time.sleep(_LOOK_SECONDS)
    return found


def _show_plan(output: Output, made: Row, dates: list[str]) -> None:
    if output.is_data:
        show_data(output, {**made, "dates": dates})
        return
    for date in dates:
        say(_when(date))
    say(f"{made['total']} date{'' if made['total'] == 1 else 's'}, {made['order']} first; nothing was run")
    if len(dates) < made["total"]:
        warn(f"only the first {len(dates)} are shown")


def _show_one(output: Output, one: Row) -> None:
    ended = one["succeeded"] + one["failed"]
    eta = f", {one['eta']} to go" if one.get("eta") and one["state"] not in _OVER else ""
    failed = f", {one['failed']} failed" if one["failed"] else ""
    show_done(output, one, f"{one['id']} {coloured(one['state'])} {ended} of {one['total']}{failed}{eta}")


def _when(text: str) -> str:
    from nbflow.cli.reading import read_instant

    return local_time(read_instant(text))
