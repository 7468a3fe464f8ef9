"""`nbflow namespaces`: where flows live, what is set there, and what lies there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nbflow.cli import files, kv, secrets
from nbflow.cli.completion import complete_namespace
from nbflow.cli.groups import join, new_group, verb
from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError, read_pairs
from nbflow.cli.places import Row, open_place
from nbflow.cli.showing import show_data, show_done, show_rows

NamespaceArgument = Annotated[
    str, typer.Argument(metavar="NAMESPACE", help="The namespace.", autocompletion=complete_namespace)
]
DescriptionOption = Annotated[str | None, typer.Option("--description", help="What it is for.")]
VariableOption = Annotated[
    list[str] | None,
    typer.Option("--variable", "--var", metavar="KEY=VALUE", help="A variable; JSON where it is some; repeat it."),
]
FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file", "-f", metavar="FILE", help="Its settings as YAML or JSON: description, variables, pluginDefaults."
    ),
]

app = new_group("Namespaces, with their files, values and secrets.")
join(app, files.app, "files", "file")
join(app, kv.app, "kv")
join(app, secrets.app, "secrets", "secret")


@verb(app, "list", "ls", "search", is_remote=True)
def list_namespaces(
    query: Annotated[str | None, typer.Option("--query", "-q", help="Only those that hold this text.")] = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List the namespaces that hold flows, or have settings."""
    with open_place(home) as place:
        found = place.namespaces.all(query)
    rows = [(one["id"], str(one.get("flows", "")), one.get("description") or "") for one in found]
    show_rows(
        output,
        found,
        ("NAMESPACE", "FLOWS", "DESCRIPTION"),
        rows,
        "no namespaces; they come with the flows that name them",
    )


@verb(app, "get", "show", "describe", is_remote=True)
def get(namespace: NamespaceArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Show what is set for a namespace."""
    with open_place(home) as place:
        found = place.namespaces.get(namespace)
    show_data(output if output.is_data else Output.YAML, found)


@verb(app, "create", is_remote=True)
def create(
    namespace: NamespaceArgument,
    description: DescriptionOption = None,
    variable: VariableOption = None,
    file: FileOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Set something for a namespace that has no settings yet."""
    settings = _settings({}, description, variable, file)
    with open_place(home) as place:
        saved = place.namespaces.save(namespace, settings, is_new=True)
    show_done(output, saved, f"created {namespace}")


@verb(app, "update", is_remote=True)
def update(
    namespace: NamespaceArgument,
    description: DescriptionOption = None,
    variable: VariableOption = None,
    file: FileOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Change what is set for a namespace; what is not named stays."""
    with open_place(home) as place:
        settings = _settings(place.namespaces.get(namespace), description, variable, file)
        saved = place.namespaces.save(namespace, settings, is_new=False)
    show_done(output, saved, f"updated {namespace}")


@verb(app, "delete", "rm", is_remote=True)
def delete(namespace: NamespaceArgument, output: OutputOption = Output.TEXT, home: HomeOption = None) -> None:
    """Forget what is set for a namespace; what lies in it stays."""
    with open_place(home) as place:
        place.namespaces.delete(namespace)
    show_done(output, {"id": namespace, "deleted": True}, f"deleted the settings of {namespace}")


def _settings(before: Row, description: str | None, variables: list[str] | None, file: Path | None) -> Row:
    """Settings as they were, with what a file and the options say in their place."""
    names = ("description", "variables", "pluginDefaults")
    settings = {name: before[name] for name in names if before.get(name)}
    if file is not None:
        read = _read(file)
        unknown = sorted(set(read) - {*names, "id"})
        if unknown:
            raise UsageError(
                f"{file}: `{unknown[0]}` is no setting of a namespace", hint=f"there are {', '.join(names)}"
            )
        settings.update({name: value for name, value in read.items() if name != "id"})
    if description is not None:
        settings["description"] = description
    if variables:
        given = {name: _value(text) for name, text in read_pairs(variables, "a variable").items()}
        settings["variables"] = {**(settings.get("variables") or {}), **given}
    return settings


def _read(file: Path) -> dict[str, Any]:
    """The mapping of a YAML or JSON file. Any: values of JSON."""
    from nbflow.cli.sources import read_source
    from nbflow.model.yaml_text import load_yaml

    value = load_yaml(read_source(str(file)))
    if not isinstance(value, dict):
        raise UsageError(f"{file} must hold a mapping")
    return dict(value)


def _value(text: str) -> Any:
    """JSON where it is some, else the text itself. Any: values of JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text
