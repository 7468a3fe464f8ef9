"""How a command asks a place to show an execution while it goes on."""

from __future__ import annotations

from functools import partial

from nbflow.cli.options import Output
from nbflow.cli.places import Watch
from nbflow.cli.showing import show_data


def watch_of(output: Output, timeout: float | None = None, *, wait: bool = True) -> Watch:
    """For people it is shown as it goes; for programs only how it ended."""
    return Watch(output.is_data, partial(show_data, output), timeout, wait)
