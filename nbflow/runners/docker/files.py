"""Files of a working directory, into a container and back out, as the archives that engines take and give.

The directory has the same path inside as outside. Back out come only files that the container has changed: they are
told by size and time, so what goes in is dated back.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from nbflow.errors import TaskFailedError

Sent = dict[str, tuple[int, int]]
"""What went in: path below the directory → size, and time in whole seconds."""

_DATED_BACK = 60
"""Seconds: a file that is changed at once, and keeps its size, is still known by its time."""


def pack(directory: Path, now: float) -> tuple[IO[bytes], Sent]:
    """An archive of a directory, to be unpacked at `/`, and what is in it. Anybody may read and write it in there."""
    sent: Sent = {}
    latest = int(now) - _DATED_BACK
    archive = tempfile.TemporaryFile()  # noqa: SIM115  # whoever asked for it closes it
    try:
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path, name in _walk(directory, ""):
                entry = tar.gettarinfo(path, f"{path_inside(directory)}/{name}".strip("/"))
                if entry is None:  # sockets
                    continue
                if entry.islnk():  # a further name of a file: a container may change one of the two
                    entry.type, entry.size = tarfile.REGTYPE, path.stat().st_size
                entry.uid = entry.gid = 0
                entry.uname = entry.gname = ""
                entry.mtime = min(int(entry.mtime), latest)
                entry.mode |= 0o777 if entry.isdir() else 0o666
                if entry.isreg():
                    sent[name] = (entry.size, int(entry.mtime))
                    with path.open("rb") as content:
                        tar.addfile(entry, content)
                elif entry.isdir() or entry.issym():
                    tar.addfile(entry)
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return archive, sent


def path_inside(directory: Path) -> str:
    """The path of a directory in a container: the same, without a drive of Windows."""
    return "/" + directory.as_posix().partition(":")[2].lstrip("/") if directory.drive else directory.as_posix()


def _walk(path: Path, name: str) -> Iterator[tuple[Path, str]]:
    yield path, name
    if path.is_dir() and not path.is_symlink():
        for inner in sorted(path.iterdir()):
            yield from _walk(inner, f"{name}/{inner.name}".lstrip("/"))


def unpack(chunks: Iterable[bytes], directory: Path, sent: Sent) -> int:
    """Bring what a container changed in its directory back into ours; how many files that were.

    Links that would leave the directory are left out. Raises: TaskFailedError when the archive is broken.
    """
    base = directory.resolve()
    chunks = iter(chunks)
    seen: set[str] = set()
    count = 0
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Chunks(chunks), 1024 * 1024), mode="r|") as tar:
            for entry in tar:
                name = PurePosixPath(*PurePosixPath(entry.name.lstrip("/")).parts[1:])  # it begins with the directory
                if not name.parts or ".." in name.parts:
                    continue
                seen.add(str(name))
                count += _take(tar, entry, base, name, sent)
        for _ in chunks:  # what pads the archive: a connection that is read to its end is closed well
            pass
    except (tarfile.TarError, EOFError) as broken:
        raise TaskFailedError(f"the files of the container cannot be read: {broken}") from broken
    for gone in sent.keys() - seen:
        with contextlib.suppress(OSError):
            (base / gone).unlink()
    return count


def _take(tar: tarfile.TarFile, entry: tarfile.TarInfo, base: Path, name: PurePosixPath, sent: Sent) -> int:
    target = base / name
    if not target.parent.resolve().is_relative_to(base):  # below a link that leads elsewhere
        return 0
    if entry.isdir():
        if not target.is_dir():
            target.unlink(missing_ok=True)
            target.mkdir(parents=True)
        return 0
    if entry.isreg() and sent.get(str(name)) == (entry.size, int(entry.mtime)):
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.issym():
        aim = target.parent / entry.linkname
        if PurePosixPath(entry.linkname).is_absolute() or not aim.resolve().is_relative_to(base):
            return 0
        _clear(target)
        target.symlink_to(entry.linkname)
        return 1
    if entry.islnk():  # a further name of a file that came before
        first = base / PurePosixPath(*PurePosixPath(entry.linkname.lstrip("/")).parts[1:])
        if first.resolve().is_relative_to(base) and first.is_file():
            _clear(target)
            shutil.copyfile(first, target)
            return 1
        return 0
    content = tar.extractfile(entry) if entry.isreg() else None
    if content is None:  # devices and pipes
        return 0
    _clear(target)
    with target.open("wb") as file:
        shutil.copyfileobj(content, file, 1024 * 1024)
    target.chmod((entry.mode & 0o777) | 0o600)
    os.utime(target, (entry.mtime, entry.mtime))
    return 1


def _clear(target: Path) -> None:
    """Make room: what is there may be a link, or another name of a file that lies elsewhere."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


class _Chunks(io.RawIOBase):
    """Chunks, to be read as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # Any: a buffer has no type before Python 3.12
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        room = memoryview(buffer).cast("B")
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
