"""Files that a task writes before they are stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlsplit

from nbflow.errors import TaskFailedError
from nbflow.plugins import RunContext
from nbflow.tasks.working_files import is_stored

_SUFFIX = re.compile(r"\.[\w.-]{1,40}", re.ASCII)


@contextmanager
def scratch_file(ctx: RunContext, name: str = "") -> Iterator[Path]:
    """A path of this task run's own in the working directory, which others may share; removed afterwards."""
    path = ctx.path(f".nbflow-scratch-{ctx.task_run_id}{name}")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def stored(ctx: RunContext, uri: str, name: str) -> Path:
    """A local path to read a stored file at. Raises: TaskFailedError when the property `name` holds no URI of one."""
    uri = uri.strip()
    if not is_stored(uri):
        raise TaskFailedError(
            f"`{name}` must be the URI of a stored file, got {uri[:200]!r}",
            hint="hand over a FILE input or the `uri` that a task put out",
        )
    return ctx.file(uri)


def suffix_of(uri: str, default: str = "") -> str:
    """How the name of a stored file ends, such as `.csv`."""
    suffix = PurePosixPath(urlsplit(uri.strip()).path).suffix
    return suffix if _SUFFIX.fullmatch(suffix) else default


def checked_suffix(extension: str) -> str:
    """An extension with its dot. Raises: TaskFailedError when it is none."""
    suffix = extension if extension.startswith(".") or not extension else f".{extension}"
    if suffix and not _SUFFIX.fullmatch(suffix):
        raise TaskFailedError(f"`{extension}` is no extension of a file", hint="write one such as .csv")
    return suffix


def copy_portions(source: BinaryIO, target: BinaryIO) -> int:
    """Copy the rest of a file; how many bytes that were."""
    copied = 0
    while portion := source.read(1 << 20):
        target.write(portion)
        copied += len(portion)
    return copied
