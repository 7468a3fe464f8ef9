"""`nbflow version`: which nbflow this is."""

from __future__ import annotations

from nbflow import __version__
from nbflow.cli.options import Output, OutputOption
from nbflow.cli.showing import say, show_data


def version(output: OutputOption = Output.TEXT) -> None:
    """Show the version."""
    if output.is_data:
        show_data(output, {"nbflow": __version__})
    else:
        say(f"nbflow {__version__}")
