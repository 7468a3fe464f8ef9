"""The internal storage wherever fsspec reaches: S3 and what speaks its protocol, GCS, Azure, memory."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from nbflow.errors import MissingExtraError, StoreError
from nbflow.store.files import inside, not_stored, not_there, path_of, uri_of


class RemoteFiles:
    """Stored files under a URL of fsspec. URIs and errors are those of `LocalFiles`."""

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._options = dict(options or {})

    def put_bytes(self, path: str, content: bytes) -> str:
        path = inside(path)
        self._call("pipe_file", self._place(path), content)
        return uri_of(path)

    def put_file(self, path: str, source: Path) -> str:
        path = inside(path)
        if not source.is_file():
            raise not_there(source)
        self._call("put_file", str(source), self._place(path))
        return uri_of(path)

    def read_bytes(self, uri: str) -> bytes:
        content: bytes = self._call("cat_file", self._existing(uri))
        return content

    def fetch(self, uri: str, target: Path) -> Path:
        place = self._existing(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._call("get_file", place, str(target))
        return target

    def local_path(self, uri: str) -> Path | None:
        path_of(uri)
        return None

    def exists(self, uri: str) -> bool:
        self._look_anew()
        return bool(self._call("isfile", self._place(path_of(uri))))

    def size(self, uri: str) -> int:
        return int(self._call("size", self._existing(uri)))

    def delete(self, uri: str) -> bool:
        if not self.exists(uri):
            return False
        self._call("rm_file", self._place(path_of(uri)))
        return True

    def delete_below(self, path: str) -> int:
        found = self.list(path)
        if found:
            self._call("rm", self._place(inside(path)), True)
        return len(found)

    def move(self, uri: str, path: str) -> str:
        path = inside(path)
        self._call("mv", self._existing(uri), self._place(path))
        return uri_of(path)

    def list(self, path: str) -> list[str]:
        _, root = self._opened
        top = f"{self._place(inside(path))}/"
        self._look_anew()
        found: list[str] = self._call("find", top)
        return [uri_of(name.removeprefix(root).lstrip("/")) for name in sorted(found) if name.startswith(top)]

    @cached_property
    def _opened(self) -> tuple[Any, str]:  # Any: fsspec has no types
        """The file system and the root on it. Importing and connecting take a while, so not before a file is used."""
        try:
            from fsspec.core import url_to_fs

            system, root = url_to_fs(self._url, **self._options)
        except ImportError as missing:
            raise MissingExtraError(
                f"the storage {self._url} needs a package that is not installed: {missing}"
            ) from missing
        return system, root.rstrip("/")

    def _place(self, path: str) -> str:
        return f"{self._opened[1]}/{path}"

    def _existing(self, uri: str) -> str:
        if not self.exists(uri):
            raise not_stored(uri)
        return self._place(path_of(uri))

    def _look_anew(self) -> None:
        """Forget what was listed before: other processes put files here too, and fsspec would not see them."""
        self._call("invalidate_cache")

    def _call(self, method: str, *arguments: object) -> Any:  # Any: fsspec has no types
        system, _ = self._opened
        try:
            return getattr(system, method)(*arguments)
        except OSError as cause:
            raise StoreError(f"the storage {self._url} cannot be used: {cause}") from cause
