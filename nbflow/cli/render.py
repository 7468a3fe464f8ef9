"""`nbflow render`: what an expression gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.options import Output, OutputOption, UsageError, read_pairs
from nbflow.cli.showing import say, show_json


def render(
    text: Annotated[str, typer.Argument(help="Text with {{ expressions }}.")],
    variables: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Variables; `inputs.name=Ada` is nested.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--variables", help="A JSON or YAML file with variables.")] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Render an expression."""
    from nbflow.expressions import render as render_text

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
    rendered = render_text(text, known)
    if output is Output.JSON:
        show_json({"result": rendered})
    else:
        say(str(rendered))


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
