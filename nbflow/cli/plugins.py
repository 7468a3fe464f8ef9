"""`nbflow plugins`: the types that flows can use."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from nbflow.cli.options import Output, OutputOption, UsageError
from nbflow.cli.showing import say, show_json, show_table

app = typer.Typer(
    help="List the types that flows can use, and explain them.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_plugins(
    kind: Annotated[str | None, typer.Option(help="Only task, trigger, condition or runner.")] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List task types, trigger types, conditions and task runners."""
    from nbflow.cli.reference import KINDS, types_of

    if kind is not None and kind not in KINDS:
        raise UsageError(f"there is no kind `{kind}`", hint=f"there are {', '.join(KINDS)}")
    found = [(each, cls) for each in KINDS if kind in (None, each) for cls in types_of(each)]
    if output is Output.JSON:
        show_json(
            [{"type": cls.type_name, "kind": each, "aliases": cls.aliases, "title": title(cls)} for each, cls in found]
        )
        return
    show_table(
        ("KIND", "TYPE", "ALSO", "WHAT IT IS FOR"),
        [(each, cls.type_name, ", ".join(cls.aliases), title(cls)) for each, cls in found],
    )


@app.command("doc")
def doc(
    type_name: Annotated[str, typer.Argument(metavar="TYPE", help="A type name or alias.")],
    output: OutputOption = Output.TEXT,
) -> None:
    """Explain a type: its properties and its outputs."""
    from nbflow.cli.reference import find_type, outputs_of, properties_of

    cls = find_type(type_name)
    properties, outputs = properties_of(cls), outputs_of(cls)
    description = inspect.cleandoc(cls.__doc__ or "")
    if output is Output.JSON:
        show_json(
            {
                "type": cls.type_name,
                "aliases": [*cls.aliases, *cls.old_names],
                "description": description,
                "properties": properties,
                "outputs": outputs,
            }
        )
        return
    say(cls.type_name)
    if cls.aliases or cls.old_names:
        say(f"also: {', '.join((*cls.aliases, *cls.old_names))}")
    say(f"\n{description}")
    for head, entries in (("properties", properties), ("outputs", outputs)):
        if entries:
            say(f"\n{head}:")
            for name, entry in entries.items():
                need = " (required)" if entry.get("required") else ""
                say(f"  {name}{need}: {entry['description']}")


def title(cls: type) -> str:
    """The first line of what a class says about itself."""
    return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]
