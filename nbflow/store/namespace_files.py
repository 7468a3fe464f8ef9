"""Files of a namespace, such as scripts and queries: they lie in the internal storage, in the namespace's `_files`."""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate
from operator import or_
from pathlib import Path

from nbflow.errors import ConflictError, StoredFileNotFoundError
from nbflow.model.namespace import lineage
from nbflow.plugins.storages import FileStorage
from nbflow.store.files import path_of, uri_of
from nbflow.store.namespaces import InvalidNameError, checked_namespace

_FOLDER = "_files"
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class NamespaceFile:
    """A file of a namespace: its path within the namespace, such as `scripts/main.py`, and its URI in the storage."""

    namespace: str
    path: str
    uri: str


class NamespaceFiles:
    """Puts, finds, moves and deletes files of namespaces. There are folders for the files in them, never empty ones.

    Paths are relative, with `/` between their parts. All methods block, and raise InvalidNameError for a path that
    would leave the namespace and for what is no namespace, StoreError when the storage cannot be used.
    """

    def __init__(self, files: FileStorage) -> None:
        self._files = files

    def put(self, namespace: str, path: str, content: bytes | Path) -> NamespaceFile:
        """Store bytes, or a copy of a local file, in place of the file before."""
        place = self._place(namespace, path)
        if isinstance(content, Path):
            return self._file(namespace, self._files.put_file(place, content))
        return self._file(namespace, self._files.put_bytes(place, content))

    def uri(self, namespace: str, path: str) -> str:
        """The URI of a file, whether it is there or not: `kestra:///company/team/_files/scripts/main.py`."""
        return uri_of(self._place(namespace, path))

    def read(self, namespace: str, path: str) -> bytes:
        """The content of a file. Raises: StoredFileNotFoundError."""
        return self._files.read_bytes(self.uri(namespace, path))

    def exists(self, namespace: str, path: str) -> bool:
        """Whether there is a file; a folder is none."""
        return self._files.exists(self.uri(namespace, path))

    def delete(self, namespace: str, path: str) -> int:
        """Delete a file, or a folder with all in it; returns how many files these were, 0 when there was none."""
        return int(self._files.delete(self.uri(namespace, path))) + self._files.delete_below(
            self._place(namespace, path)
        )

    def move(
        self, namespace: str, source: str, target: str, *, overwrite: bool = False
    ) -> builtins.list[NamespaceFile]:
        """Give a file or a folder another path; the files where they are now. A folder's files go one by one.

        Raises: StoredFileNotFoundError; ConflictError when something is at `target` and `overwrite` is False, or
        `target` lies in `source`.
        """
        start, end = self._place(namespace, source), self._place(namespace, target)
        moves = {uri_of(start): end} if self._files.exists(uri_of(start)) else {}
        moves |= {uri: end + path_of(uri).removeprefix(start) for uri in self._files.list(start)}
        if not moves:
            raise StoredFileNotFoundError(f"there is no file `{source}` in {namespace}")
        if end == start:
            return [self._file(namespace, uri) for uri in moves]
        if end.startswith(f"{start}/"):
            raise ConflictError(f"`{source}` cannot be moved into itself, to `{target}`")
        if not overwrite and (self._files.exists(uri_of(end)) or self._files.list(end)):
            raise ConflictError(f"`{target}` is there already in {namespace}", hint="set `overwrite` to replace it")
        return [self._file(namespace, self._files.move(uri, place)) for uri, place in moves.items()]

    def list(
        self, namespace: str, prefix: str = "", include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> builtins.list[NamespaceFile]:
        """The files of a namespace itself, sorted by path; those in the folder `prefix` alone, if one is given.

        `include` and `exclude` are globs of whole paths: `*` and `?` stay within a folder, `**` does not, `{a,b}` is
        either. As in Kestra a pattern holds in every folder, unless it begins with `/`; one that ends in `/` takes
        all in a folder. Without `include`, all are taken.
        """
        place = self._place(namespace, prefix) if prefix.strip("/") else _folder(namespace)
        files = [self._file(namespace, uri) for uri in self._files.list(place)]
        wanted, unwanted = _globs(include), _globs(exclude)
        return [
            file
            for file in sorted(files, key=lambda file: file.path)
            if (not include or _is_match(file.path, wanted)) and not _is_match(file.path, unwanted)
        ]

    def inherited(
        self, namespace: str, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> builtins.list[NamespaceFile]:
        """The files of a namespace and its parents, sorted by path; of those with one path, the nearest."""
        nearest = {
            file.path: file for one in lineage(namespace) for file in self.list(one, include=include, exclude=exclude)
        }
        return [nearest[path] for path in sorted(nearest)]

    def _place(self, namespace: str, path: str) -> str:
        return f"{_folder(namespace)}/{checked_path(path)}"

    def _file(self, namespace: str, uri: str) -> NamespaceFile:
        return NamespaceFile(namespace, path_of(uri).removeprefix(f"{_folder(namespace)}/"), uri)


def checked_path(path: str) -> str:
    """A path inside a namespace in its plain form. Raises: InvalidNameError."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    fault = _fault(path, parts)
    if fault:
        raise InvalidNameError(
            f"`{path}` is no path of a namespace file: {fault}", hint="one such as scripts/main.py, with `/` between"
        )
    return "/".join(parts)


def _fault(path: str, parts: list[str]) -> str:
    """What is wrong with a path; empty when nothing is."""
    if path.startswith("/") or path[1:2] == ":":
        return "it is absolute"
    if ".." in parts:
        return "it holds `..`"
    if "\\" in path:
        return "it holds a backslash"
    if "\x00" in path or not _is_text(path):
        return "it holds what no name of a file may"
    return "" if parts else "it names no file"


def _is_text(path: str) -> bool:
    """Whether a path has no halves of surrogate pairs, which a URI cannot spell."""
    return not any("\ud800" <= character <= "\udfff" for character in path)


def _folder(namespace: str) -> str:
    parts = checked_namespace(namespace).split(".")
    if _FOLDER in parts:  # its files would lie among those of another namespace
        raise InvalidNameError(f"the namespace `{namespace}` can have no files: a part of it is `{_FOLDER}`")
    return "/".join([*parts, _FOLDER])


def _globs(patterns: Sequence[str]) -> list[list[str]]:
    """Patterns as the globs of each part of a path, `**` standing for any folders, without braces.

    Source: java.nio.file.FileSystem.getPathMatcher, which Kestra takes, and the `**/` that it puts before.
    """
    globs = []
    for pattern in patterns:
        whole = f"{pattern}**" if pattern.endswith("/") else pattern
        whole = whole[1:] if whole.startswith("/") else f"**/{whole}"
        for plain in _without_braces(whole):
            plain = re.sub(r"\*\*(?=[^/*])", "**/*", plain)
            globs.append((f"{plain}/*" if plain.endswith("**") else plain).split("/"))
    return globs


def _without_braces(pattern: str) -> list[str]:
    """`*.{csv,json}` stands for two patterns."""
    found = _BRACES.search(pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [plain for part in found[1].split(",") for plain in _without_braces(before + part + after)]


def _is_match(path: str, globs: list[list[str]]) -> bool:
    parts = path.split("/")
    return any(_starts(parts, glob)[len(parts)] for glob in globs)


def _starts(parts: list[str], glob: list[str]) -> list[bool]:
    """For each number of parts from 0 on, whether the first so many match the whole glob."""
    reached = [True] + [False] * len(parts)
    for wanted in glob:
        if wanted == "**":
            reached = list(accumulate(reached, or_))
        else:
            reached = [False] + [reached[number] and fnmatchcase(part, wanted) for number, part in enumerate(parts)]
    return reached
