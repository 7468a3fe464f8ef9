"""The internal storage in a local directory: files between tasks, spelled `kestra:///namespace/flow/…`.

A file is copied in and out, never linked: a link would share its bytes with the script that wrote it, and a script
that goes on writing would change what the history says was stored. On Linux the kernel copies, and on file systems
that can share blocks (btrfs, XFS) that copies nothing.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import quote, unquote

from nbflow.errors import StoredFileNotFoundError, StoreError
from nbflow.types import new_id

_SCHEMES = ("kestra", "nbflow")
_SAFE = "/-_.~!$&'()*+,;=:@"  # what RFC 3986 allows in a path beside letters and digits
_INCOMING = ".incoming"  # files on their way in lie here, on the same disk, until they are whole


def uri_of(path: str) -> str:
    """The URI of a path relative to the storage's root."""
    return f"kestra:///{quote(path, safe=_SAFE)}"


def path_of(uri: str) -> str:
    """The path, relative to the storage's root, of a URI. Raises: StoreError when it is none or leaves the storage."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in _SCHEMES or not rest.startswith("/"):
        raise StoreError(f"`{uri}` is no URI of a stored file", hint="these begin with kestra:///")
    return inside(unquote(rest[1:]))


def inside(path: str) -> str:
    """A relative path in its plain form. Raises: StoreError when it leaves the storage or names nothing."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0] in ("/", "//", _INCOMING) or parts[0][1:2] == ":" or "\x00" in path:
        raise StoreError(f"`{path}` is no path inside the storage")
    return "/".join(parts)


def not_stored(uri: str) -> StoredFileNotFoundError:
    return StoredFileNotFoundError(f"there is no file {uri} in the storage")


def not_there(source: Path) -> StoredFileNotFoundError:
    return StoredFileNotFoundError(f"{source} is no file to store")


class LocalFiles:
    """Stored files in a local directory. A file appears whole or not at all.

    With `durable`, a file that was put survives power loss, as the history does that names it.
    """

    def __init__(self, root: Path, durable: bool = True) -> None:
        self.root = root
        self._durable = durable

    def put_bytes(self, path: str, content: bytes) -> str:
        return self._put(path, lambda file: file.write(content))

    def put_file(self, path: str, source: Path) -> str:
        def copy(target: BinaryIO) -> None:
            with source.open("rb") as file:
                _copy(file, target)

        if not source.is_file():
            raise not_there(source)
        return self._put(path, copy)

    def read_bytes(self, uri: str) -> bytes:
        with _failures(f"`{uri}` cannot be read"):
            return self._existing(uri).read_bytes()

    def fetch(self, uri: str, target: Path) -> Path:
        with _failures(f"`{uri}` cannot be brought to {target}"):
            source = self._existing(uri)
            target.parent.mkdir(parents=True, exist_ok=True)
            with source.open("rb") as file, target.open("wb") as copy:
                _copy(file, copy)
        return target

    def local_path(self, uri: str) -> Path | None:
        return self._existing(uri)

    def exists(self, uri: str) -> bool:
        return self._place(path_of(uri)).is_file()

    def size(self, uri: str) -> int:
        return self._existing(uri).stat().st_size

    def delete(self, uri: str) -> bool:
        place = self._place(path_of(uri))
        if not place.is_file():
            return False
        with _failures(f"`{uri}` cannot be deleted"):
            place.unlink(missing_ok=True)
            self._prune(place.parent)
        return True

    def delete_below(self, path: str) -> int:
        count = sum(self.delete(uri) for uri in self.list(path))
        for folder, _, _ in os.walk(self._place(inside(path)), topdown=False):  # those that never held a file
            self._prune(Path(folder))
        return count

    def move(self, uri: str, path: str) -> str:
        path = inside(path)
        source, place = self._existing(uri), self._place(path)
        with _failures(f"`{uri}` cannot be moved to `{path}`"):
            _rename(source, place)
            self._prune(source.parent)
            if self._durable:
                sync_directory(place.parent)
        return uri_of(path)

    def list(self, path: str) -> list[str]:
        top = self._place(inside(path))
        below = (
            Path(folder, name).relative_to(self.root.resolve()).as_posix()
            for folder, _, names in os.walk(top)
            for name in names
            if not Path(folder, name).is_symlink()
        )
        return [uri_of(name) for name in sorted(below)]

    def _place(self, path: str) -> Path:
        """Where a path lies, links followed. Raises: StoreError when they lead out of the storage."""
        root = self.root.resolve()
        place = (root / path).resolve()
        if not place.is_relative_to(root):
            raise StoreError(f"`{path}` is no path inside the storage")
        return place

    def _existing(self, uri: str) -> Path:
        place = self._place(path_of(uri))
        if not place.is_file():
            raise not_stored(uri)
        return place

    def _put(self, path: str, fill: Callable[[BinaryIO], object]) -> str:
        path = inside(path)
        place = self._place(path)
        incoming = self.root / _INCOMING
        with _failures(f"`{path}` cannot be stored"):
            incoming.mkdir(parents=True, exist_ok=True)
            whole = incoming / new_id()
            try:
                with whole.open("xb") as file:
                    fill(file)
                    if self._durable:
                        file.flush()
                        os.fsync(file.fileno())
                _rename(whole, place)
            except BaseException:
                whole.unlink(missing_ok=True)
                raise
            if self._durable:
                sync_directory(place.parent)
        return uri_of(path)

    def _prune(self, folder: Path) -> None:
        """Remove a folder and those around it as far as they are empty: there are folders for what lies in them."""
        root = self.root.resolve()
        with contextlib.suppress(OSError):  # not empty, or somebody else was quicker
            while folder != root and folder.is_relative_to(root):
                folder.rmdir()
                folder = folder.parent


def _rename(source: Path, place: Path) -> None:
    """Rename a file, over the one that is there; its folder is made."""
    for tries_left in reversed(range(100)):
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            source.replace(place)
            return
        except (FileNotFoundError, FileExistsError):  # somebody who deleted the last file in it took the folder away
            if not tries_left or not source.exists():
                raise


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    """Copy all bytes, by the kernel where it can."""
    kernel_copy = getattr(os, "copy_file_range", None)
    if kernel_copy is not None:
        try:
            while kernel_copy(source.fileno(), target.fileno(), 1 << 30):
                pass
            return
        except OSError:  # two file systems, or one that cannot: what was copied so far is written again
            source.seek(0)
            target.seek(0)
    shutil.copyfileobj(source, target, 1 << 20)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable; Windows has no way to, and does so by itself."""
    if os.name == "posix":
        try:
            descriptor = os.open(directory, os.O_RDONLY)
        except FileNotFoundError:  # it went with its last file
            return
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _failures(what: str) -> Iterator[None]:
    """Turn what the operating system refuses into a StoreError that begins with `what`."""
    try:
        yield
    except OSError as cause:
        raise StoreError(f"{what}: {cause.strerror or cause}") from cause
