"""`nbflow run` and `nbflow flows execute`: start an execution and show it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.options import (
    FlowOption,
    HomeOption,
    InputsArgument,
    LabelOption,
    NamespaceOption,
    Output,
    OutputOption,
    RevisionOption,
    TimeoutOption,
    UsageError,
    WaitOption,
    read_pairs,
    read_uid,
    read_uids,
)
from nbflow.cli.places import Start, open_place
from nbflow.cli.sources import is_file_name, read_source
from nbflow.cli.watching import watch_of

TargetArgument = Annotated[str, typer.Argument(metavar="FILE|NAMESPACE.ID", help="A flow: its file, - , or its name.")]
InputOption = Annotated[
    list[str] | None, typer.Option("--input", "-i", metavar="KEY=VALUE", help="An input; repeat it.")
]
FileOption = Annotated[
    list[str] | None, typer.Option("--file", "-f", metavar="KEY=@PATH", help="The file of a FILE input; repeat it.")
]


def run(
    target: TargetArgument,
    inputs: InputsArgument = None,
    input_: InputOption = None,
    file: FileOption = None,
    label: LabelOption = None,
    timeout: TimeoutOption = None,
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run a flow and show it as it goes. A file is deployed first."""
    start = _start([*(inputs or ()), *(input_ or ())], file, label)
    if is_file_name(target):
        text = read_source(target)
        namespace, flow_id = "", ""
    else:
        text = None
        namespace, flow_id = read_uid(target, None, None)
    with open_place(home) as place:
        if text is not None:
            from nbflow.cli.deploying import deploy

            flow = deploy(place, text, target)
            namespace, flow_id = flow["namespace"], flow["id"]
        status = place.runs.start(namespace, flow_id, start, watch_of(output, timeout, wait=wait))
    raise typer.Exit(status)


def execute(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAMESPACE.ID | NAMESPACE ID] [KEY=VALUE]...", help="The flow, and its inputs."),
    ] = None,
    namespace: NamespaceOption = None,
    flow: FlowOption = None,
    input_: InputOption = None,
    file: FileOption = None,
    label: LabelOption = None,
    revision: RevisionOption = None,
    timeout: TimeoutOption = None,
    wait: WaitOption = True,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run a deployed flow and show it as it goes, as `nbflow run` does."""
    given = list(inputs or [])
    words = []
    while given and "=" not in given[0]:
        words.append(given.pop(0))
    namespace, flow_id = read_uids(words, namespace, flow)
    start = _start([*given, *(input_ or ())], file, label, revision)
    with open_place(home) as place:
        status = place.runs.start(namespace, flow_id, start, watch_of(output, timeout, wait=wait))
    raise typer.Exit(status)


def _start(inputs: list[str], files: list[str] | None, labels: list[str] | None, revision: int | None = None) -> Start:
    pairs, chosen = read_pairs(inputs, "an input"), {}
    for name, value in read_pairs(files, "a file").items():
        path = Path(value.removeprefix("@"))
        if not path.is_file():
            raise UsageError(f"there is no file {path}", hint="--file name=@path")
        chosen[name] = path.absolute()
    return Start(pairs, chosen, read_pairs(labels, "a label"), revision)
