"""`nbflow secrets`, `nbflow namespaces secrets`: secrets of namespaces; a value is never shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.completion import complete_namespace
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError, placed
from nbflow.cli.places import open_place
from nbflow.cli.showing import show_done, show_rows
from nbflow.cli.sources import read_source

NamespaceArgument = Annotated[
    str | None, typer.Argument(metavar="NAMESPACE", help="The namespace.", autocompletion=complete_namespace)
]
NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", help="The same.")]
NameArgument = Annotated[str | None, typer.Argument(metavar="NAME", help="The name of the secret.")]

app = new_group("Secrets of namespaces; a value is never shown.")


@verb(app, "list", "ls", is_remote=True)
def list_secrets(
    namespace: Annotated[
        str | None,
        typer.Argument(metavar="[NAMESPACE]", help="Only this one.", autocompletion=complete_namespace),
    ] = None,
    namespace_: Annotated[str | None, typer.Option("--namespace", "-n", help="The same.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List the names of secrets."""
    with open_place(home) as place:
        found = place.secrets.all(namespace or namespace_)
    rows = [(one["namespace"], one["key"], one.get("description") or "") for one in found]
    show_rows(output, found, ("NAMESPACE", "NAME", "DESCRIPTION"), rows, "no secrets")


@verb(app, "set", "put", is_remote=True)
def set_secret(
    namespace: NamespaceArgument = None,
    name: NameArgument = None,
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE]", help="Better not here, where others can see it.")
    ] = None,
    namespace_: NamespaceOption = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="A file that holds it; its last line end goes.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Keep a secret. It is asked for, or read from stdin or a file: a command line is seen by others."""
    namespace, name, value = placed(namespace_, (namespace, name, value), ("name",))
    if value and file is not None:
        raise UsageError("a value and a file are given", hint="leave out one of them")
    value = value or _read(namespace, name, file)
    if not value:
        raise UsageError("the secret is empty", hint=f"nbflow secrets set {namespace} {name} < FILE")
    with open_place(home) as place:
        place.secrets.set(namespace, name, value, description)
    show_done(output, {"namespace": namespace, "key": name}, f"set {name} of {namespace}")


@verb(app, "delete", "rm", is_remote=True)
def delete(
    namespace: NamespaceArgument = None,
    name: NameArgument = None,
    namespace_: NamespaceOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Delete a secret."""
    namespace, name = placed(namespace_, (namespace, name), ("name",))
    with open_place(home) as place:
        place.secrets.delete(namespace, name)
    show_done(output, {"namespace": namespace, "key": name, "deleted": True}, f"deleted {name} of {namespace}")


def _read(namespace: str, name: str, file: Path | None) -> str:
    """A secret from a file, from who sits at the terminal, or from standard input."""
    if file is not None:
        return _without_line_end(read_source(str(file)))
    if sys.stdin.isatty():
        asked = typer.prompt(f"{name} of {namespace}", hide_input=True, confirmation_prompt=True, err=True)
        return str(asked)
    return _without_line_end(sys.stdin.read())


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
