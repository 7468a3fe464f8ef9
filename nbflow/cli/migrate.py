"""`nbflow migrate`: flow files in the present spellings."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.options import Output, OutputOption, UsageError
from nbflow.cli.showing import say, show_data, show_diff, warn
from nbflow.cli.sources import find_sources
from nbflow.cli.validate import PathsArgument


def migrate(
    paths: PathsArgument,
    write: Annotated[bool, typer.Option("--write", "-w", help="Change the files, not only show how.")] = False,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 when something is to be changed.")] = False,
    output: OutputOption = Output.TEXT,
) -> None:
    """Write flows in the present spellings: shows the difference first. Comments and layout stay as they are."""
    from nbflow.source.migrating import migrate as migrated

    if write and "-" in paths:
        raise UsageError("standard input cannot be written", hint="leave out --write, or name a file")
    report = []
    count = changed = by_hand = 0
    for name, text in find_sources(paths):
        found = migrated(text)
        lines = list(difflib.unified_diff(text.splitlines(), found.text.splitlines(), name, name, lineterm=""))
        count += len(found.changes)
        changed += bool(found.changes)
        by_hand += len(found.left)
        if output.is_data:
            changes, left = [asdict(one) for one in found.changes], [str(one) for one in found.left]
            report.append({"file": name, "changes": changes, "left": left, "diff": "\n".join(lines)})
        else:
            show_diff(lines)
            for problem in found.left:
                warn(f"{name}:{problem}; this one by hand")
        if write and found.changes:
            Path(name).write_bytes(found.text.encode("utf-8"))
    if output.is_data:
        show_data(output, report)
    else:
        _tell(count, changed, by_hand, write=write)
    if check and (count or by_hand):
        raise typer.Exit(1)


def _tell(count: int, changed: int, by_hand: int, *, write: bool) -> None:
    if not count:
        say("nothing to change" if not by_hand else "nothing to change by itself")
        return
    names = f"{count} older spelling{'' if count == 1 else 's'} in {changed} file{'' if changed == 1 else 's'}"
    say(f"{names}{' replaced' if write else '; --write replaces them'}")
