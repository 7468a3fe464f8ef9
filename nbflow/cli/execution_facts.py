"""`nbflow executions outputs|files|labels|metrics|eval`: what an execution left, and what is known of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from nbflow.cli.executions import IdArgument
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, IdOption, Output, OutputOption, UsageError, read_id, read_pairs
from nbflow.cli.places import Row, open_place
from nbflow.cli.saving import save_below
from nbflow.cli.showing import say, show_data, show_done, show_rows
from nbflow.cli.steering import IdNeeded

TaskOption = Annotated[str | None, typer.Option("--task", "--task-id", help="Only of this task.")]

app = new_group("")


@verb(app, "outputs", is_remote=True)
def outputs(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    task: TaskOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the outputs of an execution, or of the last run of a task."""
    with open_place(home) as place:
        execution = place.executions.get(read_id(execution_id, id_))
    found = execution.get("outputs") or {}
    if task is not None:
        found = _last_run(execution, task).get("outputs") or {}
    if output.is_data:
        show_data(output, found)
    else:
        for name, value in found.items():
            say(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
        if not found:
            say("no outputs")


@verb(app, "files", is_remote=True)
def files(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    save: Annotated[
        Path | None, typer.Option("--save", "--to", metavar="DIR", help="Write them all below this directory.")
    ] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List the files that an execution was given and has put out; or fetch them."""
    with open_place(home) as place:
        execution = place.executions.get(read_id(execution_id, id_))
        found = list(_files(execution))
        if save is not None:
            for row in found:
                content = place.executions.read_file(execution["id"], row["uri"])
                row["path"] = str(save_below(save, (row["from"], row["name"]), content))
    rows = [(row["from"], row["name"], row.get("path") or row["uri"]) for row in found]
    show_rows(output, found, ("FROM", "NAME", "WHERE"), rows, "no files")


@verb(app, "file", "download-file", is_remote=True)
def file(
    execution_id: IdNeeded,
    uri: Annotated[str | None, typer.Argument(metavar="[URI|NAME]", help="Its address, or its name.")] = None,
    path: Annotated[str | None, typer.Option("--path", help="The same.")] = None,
    target: Annotated[
        Path | None, typer.Option("--output-file", "--to", metavar="FILE", help="Where to put it, not to stdout.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Fetch a file of an execution."""
    wanted = uri or path
    if wanted is None:
        raise UsageError("name a file", hint="its kestra:// address or its name; `executions files ID` lists them")
    with open_place(home) as place:
        if "://" not in wanted:
            found = [row["uri"] for row in _files(place.executions.get(execution_id)) if row["name"] == wanted]
            if not found:
                raise UsageError(f"the execution has no file `{wanted}`", hint="`executions files ID` lists them")
            wanted = found[-1]
        content = place.executions.read_file(execution_id, wanted)
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        save_below(target.parent, (target.name,), content)
        say(f"{target}: {len(content)} bytes")


@verb(app, "labels", "set-labels", is_remote=True)
def labels(
    execution_id: IdNeeded,
    pairs: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Labels to set; without: show them.")
    ] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the labels of an execution, or set some once it has ended."""
    given = read_pairs(pairs, "a label")
    with open_place(home) as place:
        execution = place.executions.set_labels(execution_id, given) if given else place.executions.get(execution_id)
    found = execution.get("labels") or []
    rows = [(label["key"], label["value"]) for label in found]
    show_rows(output, found, ("KEY", "VALUE"), rows, "no labels")


@verb(app, "eval", "eval-expression", is_remote=True)
def evaluate(
    execution_id: IdNeeded,
    text: Annotated[str, typer.Argument(help="Text with {{ expressions }}.")],
    task: Annotated[str | None, typer.Option("--task", help="As a property of this task (run).")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show what an expression comes to in an execution."""
    with open_place(home) as place:
        result = place.executions.evaluate(execution_id, text, task)
    show_done(output, {"result": result}, result)


@verb(app, "metrics", is_remote=True)
def metrics(
    execution_id: IdArgument = None,
    id_: IdOption = None,
    task: TaskOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show the numbers of an execution: how long its tasks took, waited and tried, and what they reported."""
    with open_place(home) as place:
        found = place.executions.metrics(read_id(execution_id, id_), task)
    rows = [(one["taskId"], one["name"], one["type"], f"{one['value']:g}") for one in found]
    show_rows(output, found, ("TASK", "NAME", "TYPE", "VALUE"), rows, "no metrics")


def _last_run(execution: Row, task: str) -> Row:
    runs = [run for run in execution.get("taskRunList") or () if run["taskId"] == task]
    if not runs:
        known = ", ".join(dict.fromkeys(run["taskId"] for run in execution.get("taskRunList") or ())) or "none"
        raise UsageError(f"there is no task run of `{task}`", hint=f"there are: {known}")
    return dict(runs[-1])


def _files(execution: Row) -> Iterator[Row]:
    """Each file once: where it comes from, its name and its address."""
    seen = set()
    places = [("inputs", execution.get("inputs")), ("outputs", execution.get("outputs"))]
    places += [(run["taskId"], run.get("outputs")) for run in execution.get("taskRunList") or ()]
    for source, value in places:
        for uri in _uris(value):
            if uri not in seen:
                seen.add(uri)
                yield {"from": source, "name": PurePosixPath(uri).name, "uri": uri}


def _uris(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(("kestra://", "nbflow://")):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _uris(item)
