"""`nbflow triggers by-query`, and what kestractl says of backfills under `triggers`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from nbflow.cli import backfills
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError
from nbflow.cli.places import Place, TriggerKey, open_place
from nbflow.cli.progress import tracked
from nbflow.cli.showing import show_done
from nbflow.cli.triggers import FlowOption, NamespaceOption
from nbflow.errors import ConflictError

app = new_group("")
verb(app, "create-backfill", is_remote=True, is_hidden=True)(backfills.create)
verb(app, "backfill-pause", is_remote=True, is_hidden=True)(backfills.pause)
verb(app, "backfill-unpause", is_remote=True, is_hidden=True)(backfills.resume)
verb(app, "backfill-delete", is_remote=True, is_hidden=True)(backfills.cancel)


class Deed(StrEnum):
    """What can be done to many triggers."""

    ENABLE = "enable"
    DISABLE = "disable"
    UNLOCK = "unlock"
    DELETE = "delete"


@verb(app, "by-query", is_remote=True)
def by_query(
    deed: Annotated[Deed, typer.Argument(help="What to do.")],
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Do the same to all triggers of a namespace and those below it, or of a flow; what cannot be done is skipped."""
    if namespace is None:
        raise UsageError("that would be all triggers", hint="say which: --namespace, and perhaps --flow")
    done = 0
    with open_place(home) as place:
        act = _act(place, deed)
        found = place.triggers.all(namespace, flow)
        for one in tracked(found, str(deed)):
            try:
                act((one["namespace"], one["flowId"], one["triggerId"]))
            except ConflictError:
                continue
            done += 1
    show_done(output, {"count": done, "total": len(found)}, f"{deed}: {done} of {len(found)} triggers")


def _act(place: Place, deed: Deed) -> Callable[[TriggerKey], object]:
    acts: dict[Deed, Callable[[TriggerKey], object]] = {
        Deed.ENABLE: lambda key: place.triggers.switch(key, disabled=False),
        Deed.DISABLE: lambda key: place.triggers.switch(key, disabled=True),
        Deed.UNLOCK: place.triggers.unlock,
        Deed.DELETE: place.triggers.delete,
    }
    return acts[deed]


def _spelled(deed: Deed) -> Callable[..., None]:
    """`enable-by-query` as kestractl spells it."""

    def act(
        namespace: NamespaceOption = None,
        flow: FlowOption = None,
        output: OutputOption = Output.TEXT,
        home: HomeOption = None,
    ) -> None:
        """Do the same to all triggers of a namespace."""
        by_query(deed, namespace, flow, output, home)

    return act


for _deed in Deed:
    verb(app, f"{_deed}-by-query", is_remote=True, is_hidden=True)(_spelled(_deed))
