"""Where a task keeps what outlives it: files, values by key, files of a namespace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from nbflow.types import JsonValue


class FileStorage(Protocol):
    """The internal storage: files between tasks, spelled `kestra:///namespace/flow/executions/…`.

    Paths in a URI are percent-encoded. Methods block; call them from a thread when a file may be large.
    Raises: StoredFileNotFoundError; StoreError when a URI leaves the storage.
    """

    def put_bytes(self, path: str, content: bytes) -> str:
        """Store `content` under a path relative to the storage's root; returns its URI."""
        ...

    def put_file(self, path: str, source: Path) -> str:
        """Copy (or, on the same disk, link) a local file into the storage; returns its URI."""
        ...

    def read_bytes(self, uri: str) -> bytes: ...

    def fetch(self, uri: str, target: Path) -> Path:
        """Bring a stored file to a local path; returns it."""
        ...

    def local_path(self, uri: str) -> Path | None:
        """Where the file lies on this machine, to be read only; None when the storage is remote."""
        ...

    def exists(self, uri: str) -> bool: ...
    def size(self, uri: str) -> int: ...
    def delete(self, uri: str) -> bool: ...
    def delete_below(self, path: str) -> int:
        """Delete all files below a path, not one that lies there itself; returns how many these were."""
        ...

    def move(self, uri: str, path: str) -> str:
        """Give a file another path, in place of a file that is there; returns its URI."""
        ...

    def list(self, path: str) -> list[str]:
        """URIs of all files below a path."""
        ...


class StoredKey(Protocol):
    """What is known of a value under a key."""

    @property
    def key(self) -> str: ...


class StoredValue(StoredKey, Protocol):
    """A value under a key; dates and durations are text."""

    @property
    def value(self) -> JsonValue: ...


class KvStorage(Protocol):
    """Values under keys of namespaces, some until they expire. Methods block.

    Raises: InvalidNameError for what is no key or no namespace.
    """

    def put(
        self,
        namespace: str,
        key: str,
        value: object,
        now: datetime,
        *,
        type: str | None = None,
        description: str | None = None,
        ttl: timedelta | None = None,
        overwrite: bool = True,
    ) -> StoredValue:
        """Keep a value in place of the one before; `type`, unless that of the Python value, says how it is read.

        Raises: InvalidValueError; ConflictError when there is a value and `overwrite` is False.
        """
        ...

    def get(self, namespace: str, key: str, now: datetime) -> StoredValue | None:
        """The value of a key; None when there is none, or none any more."""
        ...

    def delete(self, namespace: str, key: str, now: datetime) -> bool:
        """Delete a value; False when there is none."""
        ...

    def list(self, namespace: str, now: datetime) -> Sequence[StoredKey]:
        """What is stored in a namespace, sorted by key."""
        ...

    def knows(self, namespace: str) -> bool:
        """Whether there is such a namespace: a flow, a stored value, a secret or settings are in it, or below."""
        ...


class FileOfNamespace(Protocol):
    """A file of a namespace: its path in there, such as `scripts/main.py`, and its URI in the internal storage."""

    @property
    def namespace(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def uri(self) -> str: ...


class NamespaceFileStorage(Protocol):
    """Files of namespaces, such as scripts and queries. Methods block.

    `include` and `exclude` are globs that hold in every folder, unless they begin with `/`.
    Raises: InvalidNameError for a path that would leave the namespace, and for what is no namespace.
    """

    def put(self, namespace: str, path: str, content: bytes | Path) -> FileOfNamespace:
        """Store bytes, or a copy of a local file, in place of the file before."""
        ...

    def exists(self, namespace: str, path: str) -> bool: ...
    def delete(self, namespace: str, path: str) -> int:
        """Delete a file, or a folder with all in it; returns how many files these were."""
        ...

    def list(
        self, namespace: str, prefix: str = "", include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> Sequence[FileOfNamespace]:
        """The files of a namespace itself, sorted by path; those in the folder `prefix` alone, if one is given."""
        ...

    def inherited(
        self, namespace: str, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> Sequence[FileOfNamespace]:
        """The files of a namespace and those around it, sorted by path; of those with one path, the nearest."""
        ...
