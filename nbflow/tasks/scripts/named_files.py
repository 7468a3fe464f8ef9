"""Stored files that a script names by their URI: it finds a copy of each in its working directory."""

from __future__ import annotations

import re
import shutil
from pathlib import Path, PurePosixPath

from nbflow.errors import StoredFileNotFoundError
from nbflow.plugins import RunContext

_URI = re.compile(r"(?:kestra|nbflow):///[\w.+~#=%/-]*\w")


class NamedFiles:
    """Puts what texts name into a folder, each file once."""

    def __init__(self, ctx: RunContext, directory: Path) -> None:
        self._ctx = ctx
        self.folder = directory / f".nbflow-in-{ctx.task_run_id}"
        self._paths: dict[str, str] = {}

    def in_place(self, text: str) -> str:
        """The text with the path of the copy where a URI was; a URI that leads nowhere is left as it is."""
        return _URI.sub(lambda found: self._path(found[0]), text) if "://" in text else text

    def _path(self, uri: str) -> str:
        known = self._paths.get(uri)
        if known is None:
            known = self._paths[uri] = self._copied(uri)
        return known

    def _copied(self, uri: str) -> str:
        try:
            stored = self._ctx.file(uri)
        except StoredFileNotFoundError:
            return uri
        if not stored.is_file():
            return uri
        self.folder.mkdir(exist_ok=True)
        copy = self.folder / f"{len(self._paths)}-{PurePosixPath(uri).name}"
        shutil.copyfile(stored, copy)
        return str(copy)
