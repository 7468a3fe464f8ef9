"""`nbflow files`, `nbflow namespaces files`, `nbflow nsfiles`: files that belong to a namespace."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from nbflow.cli.completion import complete_namespace
from nbflow.cli.groups import new_group, verb
from nbflow.cli.options import HomeOption, Output, OutputOption, UsageError, placed
from nbflow.cli.places import open_place
from nbflow.cli.progress import tracked
from nbflow.cli.saving import save_below
from nbflow.cli.showing import say, show_done, show_rows

NamespaceArgument = Annotated[
    str | None, typer.Argument(metavar="NAMESPACE", help="The namespace.", autocompletion=complete_namespace)
]
NamespaceOption = Annotated[str | None, typer.Option("--namespace", "-n", help="The same.")]
PathArgument = Annotated[str | None, typer.Argument(metavar="[PATH]", help="Its path in the namespace.")]
PathOption = Annotated[str | None, typer.Option("--path", help="The same.")]

app = new_group("Files that belong to a namespace.")


@verb(app, "list", "ls", is_remote=True)
def list_files(
    namespace: NamespaceArgument = None,
    folder: Annotated[str | None, typer.Argument(metavar="[FOLDER]", help="Only what lies below it.")] = None,
    path: PathOption = None,
    namespace_: NamespaceOption = None,
    recursive: Annotated[bool, typer.Option("--recursive", hidden=True)] = True,  # it always is
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """List the files of a namespace, those in folders too."""
    namespace, folder = placed(namespace_, (namespace, folder), ())
    with open_place(home) as place:
        found = place.files.all(namespace, (folder or path or "").strip("/"))
    show_rows(output, found, ("PATH",), [(one,) for one in found], f"no files in {namespace}")


@verb(app, "get", "cat", is_remote=True)
def get(
    namespace: NamespaceArgument = None,
    path: PathArgument = None,
    path_: PathOption = None,
    namespace_: NamespaceOption = None,
    target: Annotated[
        Path | None, typer.Option("--output-file", "--to", metavar="FILE", help="Where to put it, not to stdout.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Show a file, or fetch it."""
    namespace, path = placed(namespace_, (namespace, path), ())
    wanted = _path(path, path_)
    with open_place(home) as place:
        content = place.files.read(namespace, wanted)
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        save_below(target.parent, (target.name,), content)
        say(f"{target}: {len(content)} bytes")


@verb(app, "put", "upload", is_remote=True)
def put(
    namespace: NamespaceArgument = None,
    source: Annotated[str | None, typer.Argument(metavar="FILE|DIR|-", help="What to put there; - is stdin.")] = None,
    path: PathArgument = None,
    path_: PathOption = None,
    namespace_: NamespaceOption = None,
    override: Annotated[
        bool, typer.Option("--override/--no-override", help="Whether what is there already is replaced.")
    ] = True,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", hidden=True)] = False,  # it is always so
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Put a file, or all files of a directory, into a namespace."""
    import tempfile

    namespace, source, path = placed(namespace_, (namespace, source, path), ("file",))
    start = (path or path_ or "").strip("/")
    with tempfile.TemporaryDirectory() as folder, open_place(home) as place:
        pairs = _pairs(source, start, Path(folder))
        if not override:
            there = set(place.files.all(namespace)) & {target for _, target in pairs}
            if there:
                raise UsageError(f"{', '.join(sorted(there))} is there already", hint="--override replaces it")
        for file, target in tracked(pairs, "uploading"):
            place.files.write(namespace, target, file)
    put = [target for _, target in pairs]
    text = put[0] if len(put) == 1 else f"{len(put)} files"
    show_done(output, {"namespace": namespace, "paths": put}, f"put {text} into {namespace}")


@verb(app, "delete", "rm", is_remote=True)
def delete(
    namespace: NamespaceArgument = None,
    path: PathArgument = None,
    path_: PathOption = None,
    namespace_: NamespaceOption = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="A folder with all that is in it.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="It is all right when there is none.")] = False,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Delete a file; with --recursive a folder."""
    namespace, path = placed(namespace_, (namespace, path), ())
    wanted = _path(path, path_)
    with open_place(home) as place:
        below = [one for one in place.files.all(namespace, wanted) if one.startswith(f"{wanted}/")]
        if below and not recursive:
            raise UsageError(f"`{wanted}` is a folder with {len(below)} files", hint="--recursive deletes it")
        if not force or below or wanted in place.files.all(namespace):
            place.files.delete(namespace, wanted)
    show_done(output, {"namespace": namespace, "path": wanted, "deleted": True}, f"deleted {wanted} of {namespace}")


@verb(app, "move", "mv", is_remote=True)
def move(
    namespace: NamespaceArgument = None,
    source: Annotated[str | None, typer.Argument(metavar="FROM", help="Its path.")] = None,
    target: Annotated[str | None, typer.Argument(metavar="TO", help="Its new path.")] = None,
    namespace_: NamespaceOption = None,
    output: OutputOption = Output.TEXT,
    home: HomeOption = None,
) -> None:
    """Give a file or a folder another path."""
    namespace, source, target = placed(namespace_, (namespace, source, target), ("from", "to"))
    with open_place(home) as place:
        place.files.move(namespace, source.strip("/"), target.strip("/"))
    show_done(output, {"namespace": namespace, "from": source, "to": target}, f"moved {source} to {target}")


def _path(path: str | None, option: str | None) -> str:
    wanted = (path or option or "").strip("/")
    if not wanted:
        raise UsageError("name a file", hint="nbflow files list NAMESPACE shows those there are")
    return wanted


def _pairs(source: str, start: str, folder: Path) -> list[tuple[Path, str]]:
    """Each file to put there, and its path in the namespace. Raises: UsageError."""
    if source == "-":
        if not start:
            raise UsageError("what comes from standard input needs a path", hint="nbflow files put NAMESPACE - PATH")
        file = folder / "stdin"
        file.write_bytes(sys.stdin.buffer.read())
        return [(file, start)]
    path = Path(source)
    if path.is_file():
        return [(path, start or path.name)]
    if not path.is_dir():
        raise UsageError(f"there is no file {source}")
    files = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    if not files:
        raise UsageError(f"there is no file in {source}")
    return [(file, str(PurePosixPath(start, *file.relative_to(path).parts))) for file in files]
