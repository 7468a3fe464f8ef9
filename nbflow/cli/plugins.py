"""`nbflow plugins`: the types that flows can use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.options import Output, OutputOption, UsageError
from nbflow.cli.showing import say, show_data, show_json, show_table

app = typer.Typer(
    help="List the types that flows can use, explain them, and begin types of your own.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_plugins(
    kind: Annotated[str | None, typer.Option(help="Only task, trigger, condition or runner.")] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """List task types, trigger types, conditions and task runners."""
    from nbflow.plugins.reference import KINDS, reference_of, types_of

    if kind is not None and kind not in KINDS:
        raise UsageError(f"there is no kind `{kind}`", hint=f"there are {', '.join(KINDS)}")
    found = [reference_of(cls) for each in KINDS if kind in (None, each) for cls in types_of(each)]
    if output.is_data:
        show_data(
            output, [{"type": one.name, "kind": one.kind, "aliases": one.aliases, "title": one.title} for one in found]
        )
        return
    show_table(
        ("KIND", "TYPE", "ALSO", "WHAT IT IS FOR"),
        [(one.kind, one.name, ", ".join(one.aliases), one.title) for one in found],
    )


@app.command("doc")
def doc(
    type_name: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="A type name or alias.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--all", metavar="DIR", help="Write the pages of all types into a directory.")
    ] = None,
    output: OutputOption = Output.TEXT,
) -> None:
    """Explain a type: its properties, its outputs, and examples; or write the whole reference."""
    from nbflow.plugins.pages import text
    from nbflow.plugins.reference import find_type, reference_of

    if (type_name is None) == (folder is None):
        raise UsageError("name a type, or a directory with --all", hint="nbflow plugins doc log")
    if folder is not None:
        say(f"{_write_all(folder)} pages are in {folder}")
        return
    reference = reference_of(find_type(type_name or ""))
    if output.is_data:
        show_data(output, reference.to_dict())
    else:
        say(text(reference))


@app.command("schema")
def schema(
    type_name: Annotated[
        str | None, typer.Argument(metavar="[TYPE]", help="A type name or alias; the whole flow if none is given.")
    ] = None,
) -> None:
    """Print the JSON Schema of a type, or of flows, for editors."""
    from nbflow.plugins.reference import find_type
    from nbflow.source.schema import flow_schema, task_schema

    show_json(flow_schema() if type_name is None else task_schema(find_type(type_name)))


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the package, such as acme-flows.")],
    folder: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Where to put it; NAME in this directory if not said.")
    ] = None,
) -> None:
    """Begin a package with types of your own: a module, its tests, a README, ready to install."""
    from nbflow.cli.skeleton import write_skeleton

    target = folder or Path(name)
    for path in write_skeleton(name, target):
        say(str(path))
    say(f"\nNext: cd {target} && pip install -e . && python -m pytest")


def _write_all(folder: Path) -> int:
    """Write all pages; what was written before and is no type any more goes."""
    from nbflow.plugins.pages import all_pages

    pages = all_pages()
    for name, page in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    for part in {name.partition("/")[0] for name in pages if "/" in name}:
        for path in (folder / part).glob("*.md"):
            if f"{part}/{path.name}" not in pages:
                path.unlink()
    return len(pages)
