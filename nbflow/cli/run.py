"""`nbflow run`: the command and its options; `live.py` does the work."""

from __future__ import annotations

from typing import Annotated

import typer

from nbflow.cli.options import (
    HomeOption,
    InputsArgument,
    LabelOption,
    Output,
    OutputOption,
    read_pairs,
    read_uid,
)
from nbflow.cli.sources import is_file_name

TimeoutOption = Annotated[
    float | None, typer.Option("--timeout", metavar="SECONDS", help="Kill the execution after so long.", min=0)
]
TargetArgument = Annotated[str, typer.Argument(metavar="FILE|NAMESPACE.ID", help="A flow: its file, - , or its name.")]


def run(
    target: TargetArgument,
    inputs: InputsArgument = None,
    label: LabelOption = None,
    timeout: TimeoutOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Run a flow here and show it as it goes. A file is deployed first."""
    given, labels = read_pairs(inputs, "an input"), read_pairs(label, "a label")
    from nbflow.cli.live import run_deployed, run_file  # the engine is behind it

    if is_file_name(target):
        status = run_file(target, given, labels, timeout, output, home)
    else:
        namespace, flow_id = read_uid(target, None, None)
        status = run_deployed(namespace, flow_id, given, labels, timeout, output, home)
    raise typer.Exit(status)
