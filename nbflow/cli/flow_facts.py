"""`nbflow flows revisions|diff|graph`: how a flow came to be, and how its tasks follow each other."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from nbflow.cli.flows import UidsArgument
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import (
    FlowOption,
    HomeOption,
    NamespaceOption,
    Output,
    OutputOption,
    RevisionOption,
    UsageError,
    read_uids,
)
from nbflow.cli.places import Row, open_place
from nbflow.cli.showing import local_time, say, show_data, show_diff, show_rows
from nbflow.cli.sources import read_source

app = new_group("")


@verb(app, "revisions", "history", is_remote=True)
def revisions(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List the revisions of a flow, and how many lines each changed."""
    from nbflow.cli.reading import read_instant

    with open_place(home) as place:
        found = place.flows.revisions(*read_uids(uid, namespace, flow))
    rows, before = [], ""
    for one in found:
        added, gone = _changed(before, one["source"])
        when = local_time(read_instant(one["updated"])) if one.get("updated") else ""
        rows.append((str(one["revision"]), when, f"+{added} -{gone}"))
        before = one["source"]
    show_rows(output, found, ("REVISION", "SINCE", "LINES"), rows, "no revisions")


@verb(app, "diff", is_remote=True)
def diff(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    left: Annotated[int | None, typer.Option("--from", "--left", min=1, help="The older revision.")] = None,
    right: Annotated[int | None, typer.Option("--to", "--right", min=1, help="The newer revision.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", metavar="FILE", help="A file, not a revision.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show what changed from one revision of a flow to another; the last two unless said otherwise."""
    with open_place(home) as place:
        found = {one["revision"]: one["source"] for one in place.flows.revisions(*read_uids(uid, namespace, flow))}
    numbers = sorted(found)
    if file is not None:
        first = numbers[-1] if left is None else left
        second, after = file, read_source(file)
    else:
        newer = numbers[-1] if right is None else right
        older = [number for number in numbers if number < newer]
        if left is None and not older:
            raise UsageError("there is one revision only", hint="--file FILE compares it with a file")
        first = older[-1] if left is None else left
        second, after = f"revision {newer}", _source(found, newer)
    lines = list(
        difflib.unified_diff(
            _source(found, first).splitlines(), after.splitlines(), f"revision {first}", second, lineterm=""
        )
    )
    if output.is_data:
        show_data(output, {"from": first, "to": second, "diff": "\n".join(lines)})
    elif lines:
        show_diff(lines)
    else:
        say("nothing has changed")


@verb(app, "graph", is_remote=True)
def graph(
    uid: UidsArgument = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    revision: RevisionOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the tasks of a flow as a tree, each with those that it waits for."""
    with open_place(home) as place:
        found = place.flows.graph(*read_uids(uid, namespace, flow), revision)
    if output.is_data:
        show_data(output, found)
        return
    before: dict[str, list[str]] = {}
    for edge in found["edges"]:
        before.setdefault(edge["target"], []).append(edge["source"])
    for line in _tree(found["nodes"], before, None, 0):
        say(line)


def _tree(nodes: list[Row], before: dict[str, list[str]], parent: str | None, depth: int) -> list[str]:
    lines = []
    for node in nodes:
        if node["parent"] == parent:
            branch = f"{node['branch']}: " if node["branch"] else ""
            after = f"  after {', '.join(before[node['taskId']])}" if node["taskId"] in before else ""
            lines.append(f"{'  ' * depth}{branch}{node['taskId']}  ({node['type']}){after}")
            lines += _tree(nodes, before, node["taskId"], depth + 1)
    return lines


def _source(found: dict[int, str], number: int) -> str:
    if number not in found:
        raise UsageError(f"there is no revision {number}", hint=f"there are {', '.join(map(str, sorted(found)))}")
    return found[number]


def _changed(before: str, after: str) -> tuple[int, int]:
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    return sum(line.startswith("+ ") for line in lines), sum(line.startswith("- ") for line in lines)
