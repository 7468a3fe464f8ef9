"""`nbflow render`: what an expression gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError, read_pairs
from nbflow.cli.showing import say, show_data


def render(
    text: Annotated[str, typer.Argument(help="Text with {{ expressions }}.")],
    variables: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Variables; `inputs.name=Ada` is nested.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--variables", help="A JSON or YAML file with variables.")] = None,
    execution: Annotated[
        str | None, typer.Option("--execution", "-e", metavar="ID", help="Render it on this execution, or the `last`.")
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="With --execution: as a property of this task (run).")
    ] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Render an expression."""
    known = _read_file(file) if file is not None else {}
    for name, value in read_pairs(variables, "a variable").items():
        *path, last = name.split(".")
        branch = known
        for part in path:
            step = branch.setdefault(part, {})
            if not isinstance(step, dict):
                raise UsageError(f"`{name}` lies inside `{part}`, which holds a value already")
            branch = step
        branch[last] = value
    rendered = _render(text, known) if execution is None else _render_in(execution, task, text, known, home)
    if output.is_data:
        show_data(output, {"result": rendered})
    else:
        say(str(rendered))


def _render(text: str, known: dict[str, object]) -> str:
    from nbflow.expressions import render as render_text

    return render_text(text, known)


def _render_in(execution: str, task: str | None, text: str, known: dict[str, object], home: Path | None) -> str:
    from nbflow.engine import Engine

    with Engine(home, takes_over=False) as engine:
        if execution == "last":
            newest = engine.executions(limit=1)
            if not newest:
                raise UsageError("nothing has run yet", hint="nbflow run FILE")
            execution = newest[0].id
        return engine.render(text, execution, task=task, variables=known)


def _read_file(path: Path) -> dict[str, object]:
    from nbflow.model.yaml_text import load_yaml

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise UsageError(f"{path} cannot be read: {cause.strerror}") from cause
    value = json.loads(text) if path.suffix == ".json" else load_yaml(text)
    if not isinstance(value, dict):
        raise UsageError(f"{path} must hold a mapping of variables")
    return dict(value)
