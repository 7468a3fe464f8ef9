"""Zip archives that come from outside or go there: packed in memory, unpacked within limits."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbflow.server.errors import RequestError

MAX_FILES = 10_000
MAX_FILE = 256 * 2**20
MAX_WHOLE = 1024 * 2**20
MAX_RATIO = 200
"""How many times larger than the archive its content may be, once it is larger than `WORTH_A_LOOK`."""
WORTH_A_LOOK = 16 * 2**20


def zipped(files: Iterable[tuple[str, bytes | str]]) -> bytes:
    """An archive of some files, each with its path."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files:
            archive.writestr(zipfile.ZipInfo(path, date_time=(2000, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def unpack(file: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, each with its path, one at a time.

    Everything that the archive says of itself is checked before the first, and what comes out is counted all the same.
    Raises: RequestError when it is none, when a path leaves it, when it is encrypted, or a bomb.
    """
    size = file.stat().st_size
    try:
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _check(members, size)
            whole = 0
            for member in members:
                with archive.open(member) as stream:
                    content = stream.read(MAX_FILE + 1)
                whole += len(content)
                _refuse_bomb(len(content), whole, size)
                yield _path(member.filename), content
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError) as cause:
        raise RequestError(f"the file is no zip archive that can be read: {cause}") from cause
    except RuntimeError as cause:  # how zipfile says that a password is needed
        raise RequestError(f"the archive cannot be read: {cause}") from cause


def _check(members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > MAX_FILES:
        raise RequestError(f"the archive holds {len(members)} files; at most {MAX_FILES} are taken", status=413)
    for member in members:
        _path(member.filename)
        if member.flag_bits & 1:
            raise RequestError("the archive is encrypted")
    _refuse_bomb(max((member.file_size for member in members), default=0), sum(one.file_size for one in members), size)


def _refuse_bomb(largest: int, whole: int, size: int) -> None:
    if largest > MAX_FILE or whole > MAX_WHOLE or (whole > WORTH_A_LOOK and whole > MAX_RATIO * size):
        raise RequestError("the content of the archive is too large", status=413, hint="upload its files one by one")


def _path(name: str) -> str:
    """The path of a member in its plain form. Raises: RequestError when it would leave the archive."""
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts or not parts or ":" in parts[0] or "\x00" in plain:
        raise RequestError(f"the archive holds a file that would lie outside of it: {name!r}", path=name[:200])
    return "/".join(parts)
