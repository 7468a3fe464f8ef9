"""A file system to work on, whichever it is: opened by a task, asked through fsspec, and closed again."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from nbflow.errors import MissingExtraError, NbflowError, TaskFailedError


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder: its path there, size in bytes, when it was changed."""

    path: str
    is_folder: bool
    size: int
    modified: datetime | None
    details: dict[str, Any]

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(slots=True)
class Place:
    """A file system of fsspec. `prefix` is what makes a path there a URI, without user name and password."""

    system: Any  # fsspec has no types
    prefix: str
    root: str = ""
    """Folder that paths are relative to; empty where they are taken as they are."""
    close: Callable[[], object] = field(default=lambda: None)

    def path(self, given: str) -> str:
        """A path there, from a path or a URI of this place."""
        scheme = f"{self.prefix.partition('://')[0]}://"
        if given.startswith(scheme):
            given = given.removeprefix(scheme)
            if self.has_host:
                given = f"/{given.partition('/')[2]}"
        return f"{self.root.rstrip('/')}/{given.lstrip('/')}" if self.root else given

    @property
    def has_host(self) -> bool:
        """Whether URIs of this place name a machine."""
        return not self.prefix.endswith("://")

    def shown(self, path: str) -> str:
        """The path of a file there as flows spell it."""
        inside = path.removeprefix(self.root.rstrip("/")) if self.root else path
        return inside if inside.startswith("/") or not self.root else f"/{inside}"

    def name(self, path: str) -> str:
        """What a file there is called once it is stored."""
        return PurePosixPath(path).name

    def uri(self, path: str) -> str:
        """The URI of a file there."""
        shown = self.shown(path)
        return f"{self.prefix}{shown if shown.startswith('/') or not self.has_host else f'/{shown}'}"

    def entry(self, path: str) -> Entry | None:
        """What is at a path; None when nothing is."""
        self.system.invalidate_cache()
        try:
            return _entry(self.system.info(path))
        except FileNotFoundError:
            return None

    def entries(self, path: str, *, recursive: bool = False) -> list[Entry]:
        """What lies in a folder, sorted by path."""
        self.system.invalidate_cache()
        found = [_entry(info) for info in self.system.ls(path, detail=True)]
        found = [entry for entry in found if entry.path.rstrip("/") != path.rstrip("/") or not entry.is_folder]
        if recursive:
            for folder in [entry for entry in found if entry.is_folder]:
                found.extend(self.entries(folder.path, recursive=True))
        return sorted(found, key=lambda entry: entry.path)

    def put(self, source: Path, path: str) -> None:
        """Put a local file there."""
        self.system.put_file(str(source), path)

    def make_folder_of(self, path: str) -> None:
        """Make the folder that a file is to lie in."""
        folder = path.rstrip("/").rpartition("/")[0]
        if folder and folder.strip("/."):
            with suppress(FileExistsError):
                self.system.makedirs(folder, exist_ok=True)


_CHANGED = ("mtime", "LastModified", "modify", "last_modified", "updated", "created")


def _entry(info: dict[str, Any]) -> Entry:
    changed = next((info[key] for key in _CHANGED if info.get(key)), None)
    return Entry(
        path=str(info["name"]).rstrip("/") or "/",
        is_folder=info.get("type") == "directory",
        size=int(info.get("size") or 0),
        modified=_moment(changed),
        details=info,
    )


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str):
        with suppress(ValueError):
            if value[:14].isdigit():  # of FTP's MLSD
                return datetime.strptime(value[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            return datetime.fromisoformat(value)
    return None


@contextmanager
def working_on(open_place: Callable[[], Place], what: str) -> Iterator[Place]:
    """Open a place, turn what goes wrong there into words, and close it in the end. Raises: TaskFailedError."""
    place: Place | None = None
    try:
        place = open_place()
        yield place
    except NbflowError:
        raise
    except FileNotFoundError as cause:
        raise TaskFailedError(f"{what}: there is no {_shown_error(cause)}") from cause
    except (OSError, EOFError, ValueError) as cause:
        raise TaskFailedError(f"{what}: {_shown_error(cause)}") from cause
    except NotImplementedError as cause:
        raise TaskFailedError(f"{what}: this file system cannot do that") from cause
    except Exception as cause:
        if not _is_of_library(cause):
            raise
        raise TaskFailedError(f"{what}: {type(cause).__name__}: {_shown_error(cause)}") from cause
    finally:
        if place is not None:
            with suppress(Exception):
                place.close()


_LIBRARIES = ("paramiko", "ftplib", "smbprotocol", "botocore", "s3fs", "gcsfs", "google", "aiohttp", "fsspec")


def _is_of_library(cause: Exception) -> bool:
    return type(cause).__module__.partition(".")[0] in _LIBRARIES


def _shown_error(cause: Exception) -> str:
    text = " ".join(str(cause).split())
    return text[:500] or type(cause).__name__


def library(name: str, extra: str) -> Any:  # Any: a library without types
    """A package of an extra. Raises: MissingExtraError."""
    try:
        return importlib.import_module(name)
    except ImportError as missing:
        raise MissingExtraError(
            f"this needs the package `{name.partition('.')[0]}`", hint=f"pip install 'jupyter-nbflow[{extra}]'"
        ) from missing
