"""`nbflow namespaces`: where flows live."""

from __future__ import annotations

from collections import Counter

import typer

from nbflow.cli.options import HomeOption, Output, OutputOption
from nbflow.cli.showing import say, show_json, show_table

app = typer.Typer(help="List namespaces.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """List namespaces."""


@app.command("list")
def list_namespaces(output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """List the namespaces that hold flows."""
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        counts = Counter(flow.namespace for flow in engine.flows())
    if output is Output.JSON:
        show_json([{"id": namespace, "flows": count} for namespace, count in sorted(counts.items())])
    elif counts:
        show_table(("NAMESPACE", "FLOWS"), [(namespace, str(count)) for namespace, count in sorted(counts.items())])
    else:
        say("no namespaces; they come with the flows that name them")
