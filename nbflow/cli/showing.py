"""How the command line shows things: tables, JSON, states in colour, errors in one clear message."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TextIO

from nbflow.cli.options import Output
from nbflow.errors import FlowValidationError, NbflowError, ProblemsError

_COLOURS = {
    "SUCCESS": "32",
    "WARNING": "33",
    "FAILED": "31",
    "KILLED": "31",
    "CANCELLED": "31",
    "RUNNING": "36",
    "ERROR": "31",
    "WARN": "33",
    "DEBUG": "2",
    "TRACE": "2",
}


def say(text: str = "") -> None:
    """Print a line of the result."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print a line that is not the result."""
    print(text, file=sys.stderr, flush=True)


def show_json(value: object) -> None:
    """Print a value as JSON."""
    say(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_data(output: Output, value: object) -> None:
    """Print a value for programs: as JSON, YAML or CSV; the one place that knows these."""
    if output is Output.YAML:
        say(_yaml(value).rstrip("\n"))
    elif output is Output.CSV:
        _show_csv(value if isinstance(value, list) else [value])
    else:
        show_json(value)


def show_rows(
    output: Output, values: Sequence[object], heads: Sequence[str], rows: Sequence[Sequence[str]], empty: str
) -> None:
    """Print many things: whole for programs, as a table of their `rows` for people, or that there are none."""
    if output.is_data:
        show_data(output, list(values))
    elif rows:
        show_table(heads, rows)
    else:
        say(empty)


def show_done(output: Output, value: object, text: str) -> None:
    """Print what was done: the thing for programs, a line for people."""
    if output.is_data:
        show_data(output, value)
    else:
        say(text)


def _yaml(value: object) -> str:
    import yaml

    plain = json.loads(json.dumps(value, default=str))
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(plain, Dumper=dumper, allow_unicode=True, sort_keys=False, width=120))


def _show_csv(values: Sequence[object]) -> None:
    """A line for each thing, a column for each value in it: `state.current`. Lists of things are left out."""
    import csv

    rows = [dict(_columns(value, "")) for value in values]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(column) for column in columns] for row in rows)
    sys.stdout.flush()


def _columns(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Name and text of each value inside of another."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _columns(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        pairs = [item for item in value if isinstance(item, dict) and {"key", "value"} <= set(item)]
        if len(pairs) == len(value) or not any(isinstance(item, dict | list) for item in value):
            texts = [f"{item['key']}:{item['value']}" for item in pairs] if pairs else map(str, value)
            yield name or "value", ",".join(texts)
    else:
        yield name or "value", json.dumps(value) if isinstance(value, bool) else value


def show_json_line(value: object) -> None:
    """Print a value as JSON in one line."""
    say(json.dumps(value, ensure_ascii=False, default=str))


def coloured(word: str, text: str | None = None, stream: TextIO | None = None) -> str:
    """A state or level in its colour, where the output is a terminal that wants colours."""
    shown = word if text is None else text
    colour = _COLOURS.get(word.strip())
    if colour is None or "NO_COLOR" in os.environ or not (stream or sys.stdout).isatty():
        return shown
    return f"\x1b[{colour}m{shown}\x1b[0m"


def show_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as they need to be, a state among them in its colour."""
    widths = [max(len(cell) for cell in column) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = [coloured(cell, cell.ljust(width)) for cell, width in zip(row, widths, strict=True)]
        say("  ".join(cells).rstrip())


def show_diff(lines: Sequence[str]) -> None:
    """Print the lines of a difference, what came in green and what went in red."""
    for line in lines:
        kind = {"+": "SUCCESS", "-": "FAILED", "@": "RUNNING"}.get(line[:1], "")
        say(coloured(kind, line) if kind else line)


def log_text(moment: datetime, level: str, source: str | None, message: str) -> str:
    """A log line for people."""
    clock = moment.astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"{clock} {coloured(level, f'{level:<5}')}{f' {source}:' if source else ''} {message.rstrip()}"


def local_time(moment: datetime) -> str:
    """An instant in the zone of this machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def show_error(error: NbflowError) -> None:
    """Print what went wrong and how to mend it, on stderr."""
    place = f"{error.where}: " if error.where else ""
    warn(f"{coloured('ERROR', 'error:', sys.stderr)} {place}{error.message}")
    if isinstance(error, ProblemsError):
        for problem in error.problems:
            at = f"{problem.line}:{problem.column} " if isinstance(error, FlowValidationError) else ""
            path = f"{problem.path}: " if problem.path else ""
            warn(f"  {at}{path}{problem.message}")
            if problem.hint:
                warn(f"    mend: {problem.hint}")
    if error.hint:
        warn(f"  mend: {error.hint}")
