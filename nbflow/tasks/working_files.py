"""Files in and out of a task's working directory: `inputFiles` are put there, `outputFiles` are stored from there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from nbflow.errors import TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.scripts.settings import IfExists, NamespaceFiles
from nbflow.types import JsonValue

_STORED = ("kestra://", "nbflow://")
_WILD = re.compile(r"[*?\[{]")
_BRACES = re.compile(r"\{([^{}]*)\}")
_HIDDEN = ".nbflow"


def is_stored(value: object) -> bool:
    """Whether a value is the URI of a file in the internal storage."""
    return isinstance(value, str) and value.startswith(_STORED) and "\n" not in value


def put_input_files(ctx: RunContext, files: Mapping[str, JsonValue] | str, extra: Mapping[str, object]) -> list[str]:
    """Render `inputFiles` and write them into the working directory; their names.

    A value is the content of a file, or the URI of a stored one. Raises: TaskFailedError; StoreError.
    """
    names = []
    for name, value in _entries(ctx.render_value(files, extra)):
        target = ctx.path(name)
        if target.is_dir():
            raise TaskFailedError(f"`inputFiles`: `{name}` is a directory here", hint="give the file a name")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(value, str) and is_stored(value.strip()):
            shutil.copyfile(ctx.file(value.strip()), target)  # a copy: a script may write to what it is given
        else:
            target.write_text(_content(value), encoding="utf-8")
        names.append(name)
    return names


def _entries(files: object) -> Iterator[tuple[str, object]]:
    if isinstance(files, str):
        try:
            files = json.loads(files)
        except ValueError as cause:
            raise TaskFailedError(
                "`inputFiles` is text that is no JSON", hint="write a map of file names and contents"
            ) from cause
    if not isinstance(files, Mapping):
        raise TaskFailedError(f"`inputFiles` must be a map of file names and contents, got {type(files).__name__}")
    for name, value in files.items():
        yield str(name), value


def _content(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def put_namespace_files(ctx: RunContext, wanted: NamespaceFiles) -> list[str]:
    """Copy files of the namespace, and of those around it, into the working directory; their names there.

    Where two have one path, the nearest namespace wins, or of `namespaces` the last one.
    Raises: TaskFailedError; InvalidNameError; StoreError.
    """
    include, exclude = ([ctx.render(pattern) for pattern in patterns] for patterns in (wanted.include, wanted.exclude))
    if wanted.namespaces:
        places = [ctx.render(namespace) for namespace in wanted.namespaces]
        files = [file for place in places for file in ctx.namespace_files.list(place, "", include, exclude)]
    else:
        files = list(ctx.namespace_files.inherited(ctx.namespace, include, exclude))
    names = []
    for file in files:
        name = f"{file.namespace}/{file.path}" if wanted.folder_per_namespace else file.path
        target = ctx.path(name)
        if target.exists() and not _replaces(ctx, wanted.if_exists, name):
            continue
        try:
            ctx.storage.fetch(file.uri, target)
        except OSError as cause:
            raise TaskFailedError(f"the namespace file `{name}` cannot be written: {cause}") from cause
        names.append(name)
    ctx.log.debug("%d files of the namespace", len(names))
    return names


def _replaces(ctx: RunContext, if_exists: IfExists, name: str) -> bool:
    """Whether a namespace file takes the place of a file that is there. Raises: TaskFailedError."""
    if if_exists is IfExists.FAIL:
        raise TaskFailedError(f"the file `{name}` is there already", hint="set `ifExists: OVERWRITE` to replace it")
    if if_exists is IfExists.WARN:
        ctx.log.warning("the file `%s` is there already; that of the namespace is left out", name)
    return if_exists is IfExists.OVERWRITE


def store_output_files(ctx: RunContext, patterns: Sequence[str], leave_out: Iterable[Path] = ()) -> dict[str, str]:
    """Store the files that match, by their path in the working directory; name → URI.

    Patterns are globs (`*.csv`, `**/*.parquet`, `*.{csv,json}`) or plain names.
    """
    base = ctx.working_dir.resolve()
    skipped = {path.resolve() for path in leave_out}
    stored: dict[str, str] = {}
    for pattern in patterns:
        found = 0
        for path in matching_files(ctx, pattern):
            if path.resolve() in skipped:
                continue
            name = path.relative_to(base).as_posix()
            found += 1
            if name not in stored:
                if not path.resolve().is_relative_to(base):
                    raise TaskFailedError(f"`outputFiles`: `{name}` is a link that leaves the working directory")
                stored[name] = ctx.store_file(path, name)
        if not found:
            ctx.log.warning("outputFiles: nothing matches `%s`%s", pattern, _what_is_there(base, skipped))
    return stored


def store_directory(ctx: RunContext, directory: Path) -> dict[str, str]:
    """Store all files below a directory; path inside it → URI."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    return {name: ctx.store_file(path, name) for path in files for name in [path.relative_to(directory).as_posix()]}


def matching_files(ctx: RunContext, pattern: str) -> Iterator[Path]:
    """The files of the working directory that match a glob or are named so, without those of nbflow's own.

    Raises: TaskFailedError when the pattern leaves the directory.
    """
    base = ctx.working_dir.resolve()
    for path in _matching(ctx, base, pattern):
        if not path.relative_to(base).as_posix().startswith(_HIDDEN):
            yield path


def _matching(ctx: RunContext, base: Path, pattern: str) -> Iterator[Path]:
    exact = ctx.path(pattern)  # refuses what leaves the working directory
    if exact.is_file():
        yield base / PurePosixPath(pattern)
        return
    pattern = pattern.removeprefix(f"{base}/").removeprefix("./")
    if exact.is_dir():
        pattern = f"{pattern.rstrip('/')}/**"
    elif not _WILD.search(pattern):
        return
    for plain in _without_braces(pattern):
        yield from sorted(path for path in base.glob(_as_glob(plain)) if path.is_file())


def _without_braces(pattern: str) -> list[str]:
    """`*.{csv,json}` stands for two patterns, as in globs of Java and of shells."""
    match = _BRACES.search(pattern)
    if match is None:
        return [pattern]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [plain for part in match[1].split(",") for plain in _without_braces(before + part + after)]


def _as_glob(pattern: str) -> str:
    """A pattern as pathlib reads it: there `**` stands for directories alone, and only between slashes."""
    pattern = re.sub(r"\*\*(?=[^/*])", "**/*", pattern)
    return f"{pattern}/*" if pattern.endswith("**") else pattern


def _what_is_there(base: Path, skipped: set[Path]) -> str:
    names = sorted(
        path.name for path in base.iterdir() if path.resolve() not in skipped and not path.name.startswith(_HIDDEN)
    )
    if not names:
        return ": the working directory is empty"
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"; there are {shown}"
