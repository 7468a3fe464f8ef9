"""`nbflow doctor`: whether all that nbflow needs is there, and how to mend what is not."""

from __future__ import annotations

import typer

from nbflow.cli.options import HomeOption, Output, OutputOption
from nbflow.cli.showing import coloured, say, show_data

_WORDS = {"ok": ("SUCCESS", "ok"), "warning": ("WARNING", "look"), "error": ("FAILED", "bad")}


def doctor(output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Look whether all that nbflow needs is there, and say how to mend what is not. Exit status 2 if it cannot work."""
    from nbflow.cli.checks import all_checks

    found = []
    for check in all_checks(home):
        found.append(check)
        if not output.is_data:  # one by one: some take a moment
            colour, word = _WORDS[check.verdict]
            say(f"{coloured(colour, f'{word:<4}')}  {check.name:<12} {check.what}")
            if check.mend:
                say(f"{'':<6}{'':<12} mend: {check.mend}")
    bad = sum(check.verdict == "error" for check in found)
    odd = sum(check.verdict == "warning" for check in found)
    if output.is_data:
        show_data(output, [check.to_dict() for check in found])
    else:
        say(f"\n{len(found)} checks: {bad} must be mended, {odd} worth a look")
    if bad:
        raise typer.Exit(2)
