"""Finds a notebook and reads it: `.ipynb` of any version, or a Python file in the percent format (`# %%`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from nbflow.errors import TaskFailedError
from nbflow.nearest import did_you_mean
from nbflow.plugins import RunContext

Notebook = dict[str, Any]
"""The JSON of a notebook, version 4. Any: what extensions put into it."""

_MARK = re.compile(r"^# %%(?P<rest>.*)$", re.MULTILINE)
_TAGS = re.compile(r"tags\s*=\s*(\[[^\]]*\])")
_OPTIONS = re.compile(r"\[.*|\w+\s*=.*")


@dataclass(frozen=True, slots=True)
class Place:
    """A notebook that was found. `directory` is the folder it runs in, `name` that of its file without the ending."""

    text: str
    name: str
    directory: Path
    is_python: bool = False


def find_notebook(ctx: RunContext, path: str) -> Place:
    """The notebook of a path: in the working directory, stored, a namespace file, or a file of the project. Blocks.

    The project is the folder around a home that is called `.nbflow`; a notebook there runs in its own folder, as in
    Jupyter. All others run in the working directory. Raises: TaskFailedError.
    """
    if urlsplit(path).scheme in ("kestra", "nbflow"):
        return _read(ctx.file(path), PurePosixPath(urlsplit(path).path).name, ctx.working_dir)
    project = _project(ctx)
    if Path(path).is_absolute():
        found = Path(path).resolve()
        if found.is_relative_to(ctx.working_dir.resolve()) and found.is_file():
            return _read(found, found.name, ctx.working_dir)
    else:
        inside = ctx.path(path) if project is None else (ctx.working_dir / path)
        if inside.is_file() and inside.resolve().is_relative_to(ctx.working_dir.resolve()):
            return _read(inside, inside.name, ctx.working_dir)
        for file in ctx.namespace_files.inherited(ctx.namespace, [f"/{path}"]):
            if file.path == path:
                return _read(ctx.file(file.uri), PurePosixPath(path).name, ctx.working_dir)
    if project is not None:
        found = (project / path).resolve()
        if found.is_file() and found.is_relative_to(project):
            return _read(found, found.name, found.parent)
    raise TaskFailedError(f"there is no notebook `{path}`{_guess(ctx, path, project)}", hint=_hint(project))


def read_notebook(text: str, name: str = "notebook", *, is_python: bool = False) -> Notebook:
    """The notebook of a text. Raises: TaskFailedError when it is none."""
    if is_python:
        return from_percent(text)
    try:
        read = json.loads(text)
    except ValueError as cause:
        raise TaskFailedError(
            f"`{name}` is no notebook: it is no JSON ({cause})", hint="open it in Jupyter and save it"
        ) from cause
    if not isinstance(read, dict) or not isinstance(read.get("cells", read.get("worksheets")), list):
        raise TaskFailedError(f"`{name}` is no notebook: it has no cells")
    if read.get("nbformat") != 4 or read.get("nbformat_minor", 0) < 5:
        import nbformat

        read = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(read), 4)))  # type: ignore[no-untyped-call]
        read["nbformat_minor"] = max(read.get("nbformat_minor", 0), 5)
    read.setdefault("metadata", {})
    for number, cell in enumerate(read["cells"]):
        cell["source"] = joined(cell.get("source", ""))
        cell.setdefault("metadata", {})
        cell.setdefault("id", f"cell-{number}")
    return dict(read)


def from_percent(text: str) -> Notebook:
    """A notebook from Python in the percent format: `# %%` begins a cell, `# %% [markdown]` one of Markdown."""
    cells: list[Notebook] = []
    marks = list(_MARK.finditer(text))
    head = text[: marks[0].start()] if marks else text
    parts = [("", head)] if head.strip() else []
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    parts += [(mark["rest"], text[mark.end() + 1 : end]) for mark, end in zip(marks, ends, strict=True)]
    for number, (rest, source) in enumerate(parts):
        tags = _TAGS.search(rest)
        metadata: Notebook = {"tags": json.loads(tags[1].replace("'", '"'))} if tags else {}
        cell: Notebook = {
            "id": f"cell-{number}",
            "cell_type": "code",
            "metadata": metadata,
            "source": source.strip("\n"),
        }
        if "[markdown]" in rest or "[md]" in rest:
            lines = [line.removeprefix("#").removeprefix(" ") for line in source.strip("\n").splitlines()]
            cell.update(cell_type="markdown", source="\n".join(lines).strip().strip('"').strip())
        else:
            cell.update(outputs=[], execution_count=None)
            if title := _OPTIONS.sub("", rest).strip():
                metadata["name"] = title
        cells.append(cell)
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}


def joined(source: object) -> str:
    """A text of a notebook's JSON, where it may be a list of lines."""
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def tags_of(cell: Notebook) -> list[str]:
    """The tags of a cell."""
    tags = cell["metadata"].get("tags")
    return [str(tag) for tag in tags] if isinstance(tags, list) else []


def _read(file: Path, name: str, directory: Path) -> Place:
    text = file.read_text(encoding="utf-8")
    return Place(text, Path(name).stem, directory, Path(name).suffix == ".py")


def _project(ctx: RunContext) -> Path | None:
    home = ctx.settings.home.resolve()
    return home.parent if home.name == ".nbflow" else None


def _guess(ctx: RunContext, path: str, project: Path | None) -> str:
    near = [file.name for file in ctx.working_dir.glob("*.ipynb")]
    near += [file.name for file in project.glob("*.ipynb")] if project is not None else []
    near += [file.path for file in ctx.namespace_files.inherited(ctx.namespace, ["*.ipynb"])]
    guess = did_you_mean(path, near)
    return f"; {guess}" if guess else ""


def _hint(project: Path | None) -> str:
    own = f", or save it in {project}" if project is not None else ""
    return f"hand it over with `inputFiles`, put it among the namespace's files{own}"
