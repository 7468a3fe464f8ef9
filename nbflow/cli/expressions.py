"""`nbflow expressions`: the filters, functions and tests of the expression language."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nbflow.cli.options import Output, OutputOption, UsageError
from nbflow.cli.showing import say, show_data, show_table


def expressions(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A filter, function or test.")] = None,
    page: Annotated[bool, typer.Option("--page", help="The whole reference as Markdown.")] = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """List what expressions can call, or explain one of them."""
    from nbflow.expressions import default_environment
    from nbflow.nearest import did_you_mean

    environment = default_environment()
    if page:
        say(environment.reference_page().rstrip("\n"))
        return
    everything = environment.reference()
    found = [entry for entry in everything if name in (None, entry.name)]
    if not found:
        hint = did_you_mean(name or "", [entry.name for entry in everything])
        raise UsageError(f"there is no filter, function or test `{name}`", hint=hint)
    if output.is_data:
        show_data(output, [asdict(entry) for entry in found])
    elif name is None:
        show_table(("KIND", "HOW", "WHAT IT DOES"), [(entry.kind, entry.usage, entry.title) for entry in found])
    else:
        say("\n\n".join(entry.text for entry in found))
