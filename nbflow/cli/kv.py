"""`nbflow kv`, `nbflow namespaces kv`: values that flows keep by key."""

from __future__ import annotations

import json
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
KeyArgument = Annotated[str | None, typer.Argument(metavar="KEY", help="The key.")]

app = new_group("Values that flows keep by key.")


@verb(app, "list", "ls", is_remote=True)
def list_keys(
    namespace: Annotated[
        str | None,
        typer.Argument(metavar="[NAMESPACE]", help="Only this one.", autocompletion=complete_namespace),
    ] = None,
    namespace_: Annotated[str | None, typer.Option("--namespace", "-n", help="The same.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List keys, without their values."""
    with open_place(home) as place:
        found = place.values.all(namespace or namespace_)
    heads = ("NAMESPACE", "KEY", "TYPE", "EXPIRES", "DESCRIPTION")
    rows = [
        (one["namespace"], one["key"], one["type"], one.get("expirationDate") or "", one.get("description") or "")
        for one in found
    ]
    show_rows(output, found, heads, rows, "no keys")


@verb(app, "get", "show", is_remote=True)
def get(
    namespace: NamespaceArgument = None,
    key: KeyArgument = None,
    namespace_: NamespaceOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Show a value."""
    namespace, key = placed(namespace_, (namespace, key), ("key",))
    with open_place(home) as place:
        found = place.values.get(namespace, key)
    value = found["value"]
    show_done(output, found, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


@verb(app, "set", "put", "update", is_remote=True)
def set_value(
    namespace: NamespaceArgument = None,
    key: KeyArgument = None,
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE]", help="JSON, a date, a duration, or a text; - is stdin.")
    ] = None,
    namespace_: NamespaceOption = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="A file that holds it.")] = None,
    is_text: Annotated[bool, typer.Option("--text", help="A text, whatever it looks like.")] = False,
    ttl: Annotated[
        str | None, typer.Option("--ttl", metavar="DURATION", help="How long it lives: PT12H, P30D.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Keep a value under a key."""
    has_value = sum(word is not None for word in (namespace_, namespace, key, value)) > 2
    namespace, key, value = placed(namespace_, (namespace, key, value), ("key",))
    if has_value == (file is not None):
        raise UsageError("give a value, or a file with --file", hint="nbflow kv set NAMESPACE KEY VALUE")
    text = read_source(str(file)) if file is not None else sys.stdin.read() if value == "-" else value
    with open_place(home) as place:
        place.values.set(namespace, key, json.dumps(text) if is_text else text, ttl, description)
    show_done(output, {"namespace": namespace, "key": key}, f"set {key} of {namespace}")


@verb(app, "delete", "rm", is_remote=True)
def delete(
    namespace: NamespaceArgument = None,
    key: KeyArgument = None,
    namespace_: NamespaceOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Delete a key with its value."""
    namespace, key = placed(namespace_, (namespace, key), ("key",))
    with open_place(home) as place:
        if not place.values.delete(namespace, key):
            raise UsageError(f"{namespace} has no key `{key}`", hint=f"nbflow kv list {namespace}")
    show_done(output, {"namespace": namespace, "key": key, "deleted": True}, f"deleted {key} of {namespace}")
