"""`nbflow flows export|import|migrate`: many flows at once, as files or in a zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nbflow.cli.flows import UidsArgument
from nbflow.cli.groups import new_group, verb
from nbflow.cli.migrate import migrate
from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError, read_uid
from nbflow.cli.places import Place, open_place
from nbflow.cli.progress import tracked
from nbflow.cli.saving import save_below
from nbflow.cli.showing import say, show_data, warn
from nbflow.cli.sources import SUFFIXES, find_sources
from nbflow.errors import FlowValidationError, NbflowError

app = new_group("")
verb(app, "migrate")(migrate)

BelowOption = Annotated[str | None, typer.Option("--namespace", "-n", help="This one and those below it.")]
_MOST_BYTES = 64 * 2**20


@verb(app, "export", "export-by-query", "export-by-ids", is_remote=True)
def export(
    uids: UidsArgument = None,
    namespace: BelowOption = None,
    target: Annotated[
        Path,
        typer.Option("--output-file", "--to", metavar="FILE.zip|DIR", help="A zip, or a directory for the files."),
    ] = Path("flows.zip"),
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Write the sources of flows into a zip or a directory, each as `namespace.id.yml`."""
    wanted = {read_uid(uid.replace("/", "."), None, None) for uid in uids or ()}
    with open_place(home) as place:
        found = _names(place, namespace)
        missing = wanted - set(found)
        if missing:
            raise UsageError(f"there is no flow {', '.join(sorted('.'.join(names) for names in missing))}")
        chosen = [names for names in found if not wanted or names in wanted]
        sources = [
            (f"{names[0]}.{names[1]}.yml", str(place.flows.get(*names)["source"]))
            for names in tracked(chosen, "reading")
        ]
    if target.suffix == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, source in sources:
                archive.writestr(name, source)
        save_below(target.parent, (target.name,), packed.getvalue())
    else:
        for name, source in sources:
            save_below(target, (name,), source.encode("utf-8"))
    if output.is_data:
        show_data(output, {"file": str(target), "flows": [name for name, _ in sources]})
    else:
        say(f"{len(sources)} flow{'' if len(sources) == 1 else 's'} in {target}")


class Deed(StrEnum):
    """What can be done to many flows."""

    ENABLE = "enable"
    DISABLE = "disable"
    DELETE = "delete"


@verb(app, "by-query", is_remote=True)
def by_query(
    deed: Annotated[Deed, typer.Argument(help="What to do.")],
    namespace: BelowOption = None,
    query: Annotated[str | None, typer.Option("--query", "-q", help="Only those whose id holds this text.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do nothing; show which they are.")] = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Do the same to all flows that a query finds."""
    if namespace is None and query is None:
        raise UsageError("that would be all flows", hint="say which: --namespace, --query")
    with open_place(home) as place:
        chosen = [names for names in _names(place, namespace) if query is None or query.lower() in names[1].lower()]
        for names in tracked([] if dry_run else chosen, str(deed)):
            if deed is Deed.DELETE:
                place.flows.delete(*names)
            else:
                place.flows.switch(*names, disabled=deed is Deed.DISABLE)
    found = [{"namespace": names[0], "id": names[1]} for names in chosen]
    if output.is_data:
        show_data(output, found)
        return
    for names in chosen:
        say(".".join(names))
    say(f"{'would ' if dry_run else ''}{deed}: {len(chosen)} flow{'' if len(chosen) == 1 else 's'}")


def _spelled(deed: Deed) -> Callable[..., None]:
    """`enable-by-query` as kestractl spells it."""

    def act(
        namespace: BelowOption = None,
        query: Annotated[str | None, typer.Option("--query", "-q", help="Only those whose id holds this text.")] = None,
        output: OutputOption = Output.TEXT,
        home: HomeOption = None,
    ) -> None:
        """Do the same to all flows that a query finds."""
        by_query(deed, namespace, query, False, output, home)

    return act


for _deed in Deed:
    verb(app, f"{_deed}-by-query", is_remote=True, is_hidden=True)(_spelled(_deed))


@verb(app, "import", is_remote=True)
def import_flows(
    paths: Annotated[list[str], typer.Argument(metavar="FILE.zip|FILE|DIR...", help="Where the flows are.")],
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Save all flows that are valid, of files, directories or zips; tell which are not. Exit status 2 if any."""
    from nbflow.source import render_problems, split_documents

    texts = [pair for path in paths for pair in (_zipped(path) if path.endswith(".zip") else find_sources([path]))]
    documents = [(name, document) for name, text in texts for document in split_documents(text)]
    results = []
    with open_place(home) as place:
        for name, document in tracked(documents, "importing"):
            try:
                flow = place.flows.save(document)
            except NbflowError as error:
                if isinstance(error, FlowValidationError) and not output.is_data:
                    warn(render_problems(error.problems, document, name))
                results.append({"file": name, "imported": False, "error": str(error)})
            else:
                results.append({"file": name, "imported": True, "flow": f"{flow['namespace']}.{flow['id']}"})
    failed = [result for result in results if not result["imported"]]
    if output.is_data:
        show_data(output, results)
    else:
        say(f"imported {len(results) - len(failed)} of {len(results)} flows")
        for result in failed:
            warn(f"{result['file']}: not imported")
    if failed:
        raise typer.Exit(2)


def _names(place: Place, namespace: str | None) -> list[tuple[str, str]]:
    """Namespace and id of the flows of a namespace and those below it, or of all."""
    found = [(flow["namespace"], flow["id"]) for flow in place.flows.all()]
    return [names for names in found if namespace is None or f"{names[0]}.".startswith(f"{namespace}.")]


def _zipped(path: str) -> list[tuple[str, str]]:
    """Name and text of each YAML file of a zip. Raises: UsageError."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(SUFFIXES)]
            if sum(one.file_size for one in members) > _MOST_BYTES:
                raise UsageError(f"the flows in {path} are larger than {_MOST_BYTES // 2**20} MiB together")
            return [(f"{path}:{one.filename}", archive.read(one).decode("utf-8")) for one in members]
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError, RuntimeError) as cause:
        raise UsageError(f"{path} cannot be read: {cause}") from cause
