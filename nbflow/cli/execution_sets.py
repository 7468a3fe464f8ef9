"""`nbflow executions by-query`: the same done to all executions that a query finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from nbflow.cli.executions import FlowOption, NamespaceOption, StateOption, read_states, show_executions
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, LabelOption, Output, OutputOption, UsageError, read_pairs
from nbflow.cli.places import Again, Place, Row, Wanted, Watch, open_place
from nbflow.cli.progress import tracked
from nbflow.cli.showing import say, show_data
from nbflow.errors import NbflowError


class Deed(StrEnum):
    """What can be done to many executions."""

    KILL = "kill"
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"
    REPLAY = "replay"
    FORCE_RUN = "force-run"
    DELETE = "delete"


LimitOption = Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Do nothing; show which they are.")]
IdsArgument = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of executions.")]

app = new_group("")


@verb(app, "by-query", is_remote=True)
def by_query(
    deed: Annotated[Deed, typer.Argument(help="What to do.")],
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    state: StateOption = None,
    label: LabelOption = None,
    limit: LimitOption = 1000,
    dry_run: DryOption = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Do the same to all executions that a query finds. The query must name something."""
    wanted = Wanted(namespace, flow, read_states(state), read_pairs(label, "a label"))
    if wanted == Wanted(states=[]):
        raise UsageError("that would be all executions", hint="say which: --namespace, --flow, --state, --label")
    with open_place(home) as place:
        found = place.executions.find(wanted, limit)
        if dry_run:
            show_executions(output, found)
            return
        failed = _do(place, deed, [one["id"] for one in found], output)
    raise typer.Exit(1 if failed else 0)


@verb(app, "by-ids", is_remote=True)
def by_ids(
    deed: Annotated[Deed, typer.Argument(help="What to do.")],
    ids: IdsArgument,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Do the same to some executions."""
    with open_place(home) as place:
        failed = _do(place, deed, ids, output)
    raise typer.Exit(1 if failed else 0)


def _spelled_by_query(deed: Deed) -> Callable[..., None]:
    """`kill-by-query` as kestractl spells it."""

    def act(
        namespace: NamespaceOption = None,
        flow: FlowOption = None,
        state: StateOption = None,
        label: LabelOption = None,
        limit: LimitOption = 1000,
        dry_run: DryOption = False,
        output: OutputOption = Output.TEXT,
        home: HomeOption = None,
    ) -> None:
        """Do the same to all executions that a query finds."""
        by_query(deed, namespace, flow, state, label, limit, dry_run, output, home)

    return act


def _spelled_by_ids(deed: Deed) -> Callable[..., None]:
    """`kill-bulk` as kestractl spells it."""

    def act(ids: IdsArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
        """Do the same to some executions."""
        by_ids(deed, ids, output, home)

    return act


for _deed in Deed:
    verb(app, f"{_deed}-by-query", is_remote=True, is_hidden=True)(_spelled_by_query(_deed))
    verb(app, f"{_deed}-bulk", f"{_deed}-by-ids", is_remote=True, is_hidden=True)(_spelled_by_ids(_deed))


def _do(place: Place, deed: Deed, ids: Sequence[str], output: Output) -> int:
    """Do it to each; what cannot be done to one is told and keeps nobody from the next. Returns how many failed."""
    act = _act(place, deed)
    results = []
    for id_ in tracked(ids, str(deed)):
        try:
            act(id_)
        except NbflowError as error:
            results.append({"id": id_, "done": False, "error": error.message})
        else:
            results.append({"id": id_, "done": True})
    failed = [result for result in results if not result["done"]]
    if output.is_data:
        show_data(output, results)
    else:
        for result in failed:
            say(f"{result['id']}: {result['error']}")
        say(f"{deed}: {len(results) - len(failed)} of {len(results)} executions")
    return len(failed)


def _act(place: Place, deed: Deed) -> Callable[[str], object]:
    """A server goes on with executions by itself; in a home each is run here, one after another."""
    watch = Watch(is_data=True, show=_say_nothing, wait=not place.is_remote)
    acts: dict[Deed, Callable[[str], object]] = {
        Deed.KILL: place.executions.kill,
        Deed.PAUSE: place.executions.pause,
        Deed.DELETE: place.executions.delete,
        Deed.RESUME: lambda id_: place.runs.resume(id_, {}, watch),
        Deed.RESTART: lambda id_: place.runs.restart(id_, None, watch),
        Deed.REPLAY: lambda id_: place.runs.replay(id_, Again(), watch),
        Deed.FORCE_RUN: lambda id_: place.runs.force_run(id_, watch),
    }
    return acts[deed]


def _say_nothing(_execution: Row) -> None:
    """What was done to each is told together."""
