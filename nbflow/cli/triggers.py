"""`nbflow triggers`: what starts flows, how it stands, and what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from nbflow.cli.completion import complete_flow
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError, read_moment, read_uid, read_uids
from nbflow.cli.places import Place, Row, TriggerKey, open_place
from nbflow.cli.showing import local_time, say, show_data, show_done, show_rows

KeyArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAMESPACE FLOW TRIGGER]",
        help="The trigger; NAMESPACE.FLOW TRIGGER and NAMESPACE/FLOW/TRIGGER do as well.",
        autocompletion=complete_flow,
    ),
]
NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", help="Its namespace.")]
FlowOption = Annotated[str | None, typer.Option("--flow", "--flow-id", help="Its flow.")]
TriggerOption = Annotated[str | None, typer.Option("--trigger", "--trigger-id", help="Its id.")]
FromOption = Annotated[
    str | None, typer.Option("--from", "--start", metavar="DATE", help="Where to begin.", show_default="now")
]

app = new_group("What starts flows: look at it, switch it, see what comes.")


@verb(app, "list", "ls", "search-for-flow", is_remote=True)
def list_triggers(
    words: Annotated[list[str] | None, typer.Argument(metavar="[NAMESPACE [FLOW]]", help="Only of these.")] = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List triggers, what they wait for and when they fire next."""
    given = list(words or ())
    with open_place(home) as place:
        found = place.triggers.all(
            namespace or (given[0] if given else None), flow or (given[1] if given[1:] else None)
        )
    heads = ("NAMESPACE", "FLOW", "TRIGGER", "KIND", "STATE", "NEXT", "LAST")
    rows = [
        (
            one["namespace"],
            one["flowId"],
            one["triggerId"],
            one.get("kind") or "",
            _state(one),
            _when(one.get("nextExecutionDate")),
            _when(one.get("date")),
        )
        for one in found
    ]
    show_rows(output, found, heads, rows, "no triggers")


@verb(app, "get", "show", "describe", is_remote=True)
def get(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show how a trigger stands."""
    with open_place(home) as place:
        found = place.triggers.get(read_key(key, namespace, flow, trigger))
    show_data(output if output.is_data else Output.YAML, {name: one for name, one in found.items() if one is not None})


@verb(app, "enable", is_remote=True)
def enable(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Switch a trigger on; what was due while it was off is left out."""
    wanted = read_key(key, namespace, flow, trigger)
    _move(lambda place: place.triggers.switch(wanted, disabled=False), output, home)


@verb(app, "disable", is_remote=True)
def disable(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Switch a trigger off."""
    wanted = read_key(key, namespace, flow, trigger)
    _move(lambda place: place.triggers.switch(wanted, disabled=True), output, home)


@verb(app, "unlock", is_remote=True)
def unlock(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Let a trigger wait no longer for the execution that it started."""
    wanted = read_key(key, namespace, flow, trigger)
    _move(lambda place: place.triggers.unlock(wanted), output, home)


@verb(app, "restart", is_remote=True)
def restart(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Begin anew with a trigger: forget its last error and what it waits for."""
    wanted = read_key(key, namespace, flow, trigger)
    _move(lambda place: place.triggers.restart(wanted), output, home)


@verb(app, "delete", "rm", is_remote=True)
def delete(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Forget a trigger that its flow no longer has."""
    wanted = read_key(key, namespace, flow, trigger)
    with open_place(home) as place:
        place.triggers.delete(wanted)
    show_done(output, {**_named(wanted), "deleted": True}, f"deleted {'/'.join(wanted)}")


@verb(app, "poll")
def poll(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Let a polling trigger look once, here and now; what it starts runs here."""
    from nbflow.engine import Engine

    wanted = read_key(key, namespace, flow, trigger)
    with Engine(home, takes_over=False) as engine:
        execution = engine.poll(*wanted)
        ended = None if execution is None else engine.wait(execution.id)
    if output.is_data:
        show_data(output, None if ended is None else ended.to_dict())
    else:
        say("nothing was found" if ended is None else f"{ended.id} {ended.state}")
    if ended is not None and ended.state.is_failure:
        raise typer.Exit(1)


@verb(app, "next", is_remote=True)
def next_dates(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    count: Annotated[int, typer.Option("--count", "-c", min=1, max=1000, help="How many.")] = 10,
    since: FromOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show when the schedules of a flow fire next, their conditions considered."""
    namespace, flow_id, trigger_id = read_place(key, namespace, flow, trigger)
    from nbflow.cli.simulating import simulator

    with open_place(home) as place, simulator(place) as engine:
        found = engine.next_dates(
            place.flows.get(namespace, flow_id)["source"], trigger_id, count, after=read_moment(since, "--from")
        )
    dates = [{"date": date.isoformat(), "local": local_time(date)} for date in found]
    show_rows(output, dates, ("LOCAL", "UTC"), [(one["local"], one["date"]) for one in dates], "it will not fire")


@verb(app, "simulate", is_remote=True)
def simulate(
    key: KeyArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    trigger: TriggerOption = None,
    since: FromOption = None,
    until: Annotated[str | None, typer.Option("--to", "--end", metavar="DATE", help="Where to end.")] = None,
    days: Annotated[float, typer.Option("--days", min=0, help="How long, where no end is named.")] = 30,
    file: Annotated[
        str | None, typer.Option("--file", "-f", metavar="FILE", help="A flow that is not deployed.")
    ] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show every date of the schedules of a flow and what comes of it, or came; runs nothing."""
    from nbflow.cli.simulating import simulator
    from nbflow.cli.sources import read_source

    start, end = read_moment(since, "--from"), read_moment(until, "--to")
    with open_place(home) as place, simulator(place) as engine:
        if file is not None:
            found = engine.simulate_flow(read_source(file), start, days, end=end, trigger_id=trigger)
        else:
            namespace, flow_id, trigger_id = read_place(key, namespace, flow, trigger)
            if place.is_remote:
                source = place.flows.get(namespace, flow_id)["source"]
                found = engine.simulate_flow(source, start, days, end=end, trigger_id=trigger_id)
            else:
                found = engine.simulate(namespace, flow_id, start, days, end=end, trigger_id=trigger_id)
    if output is Output.CSV:
        show_data(output, [one.to_dict() for one in found.dates])
        return
    if output.is_data:
        show_data(output, found.to_dict())
        return
    heads = ("LOCAL", "TRIGGER", "OUTCOME", "WHY")
    rows = [(one.local, one.trigger_id, str(one.outcome), one.reason or one.note or "") for one in found.dates]
    show_rows(output, [], heads, rows, "no date within that time")
    counts = found.to_dict()["counts"]
    assert isinstance(counts, dict)
    say(", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing fires")
    if found.is_cut:
        say("there are more dates than are shown; ask for fewer days")


def read_key(words: list[str] | None, namespace: str | None, flow: str | None, trigger: str | None) -> TriggerKey:
    """The names of a trigger; of two words the first is a whole flow. Raises: UsageError."""
    given = [part for word in words or () for part in word.split("/")]
    if len(given) == 2 and namespace is None:
        given = [*read_uid(given[0], None, None), given[1]]
    elif len(given) == 1 and namespace and flow:
        given = [namespace, flow, given[0]]
    namespace, flow, trigger = read_place(given, namespace, flow, trigger)
    if trigger is None:
        raise UsageError("name a trigger", hint="NAMESPACE FLOW TRIGGER; `nbflow triggers list` shows those there are")
    return namespace, flow, trigger


def read_place(
    words: list[str] | None, namespace: str | None, flow: str | None, trigger: str | None
) -> tuple[str, str, str | None]:
    """Namespace and flow, and the trigger if one is named; of two words both are the flow. Raises: UsageError."""
    given = [part for word in words or () for part in word.split("/")]
    if len(given) > 3:
        raise UsageError(f"`{' '.join(given)}` is too much for one trigger", hint="NAMESPACE FLOW TRIGGER")
    if len(given) == 3:
        trigger = given.pop()
    return *read_uids(given, namespace, flow), trigger


def _move(move: Callable[[Place], Row], output: Output, home: HomeOption) -> None:
    with open_place(home) as place:
        row = move(place)
    show_done(output, row, f"{row['namespace']}/{row['flowId']}/{row['triggerId']} {_state(row)}")


def _named(key: TriggerKey) -> Row:
    return {"namespace": key[0], "flowId": key[1], "triggerId": key[2]}


def _state(row: Row) -> str:
    state = "off" if row.get("disabled") else "on"
    if row.get("locked"):
        state += f", waits for {row.get('executionId')}"
    if row.get("backfill"):
        state += ", backfill"
    return f"{state}, failed" if row.get("error") else state


def _when(text: str | None) -> str:
    from nbflow.cli.reading import read_instant

    return "" if not text else local_time(read_instant(text))
