"""A file of the internal storage in Python's hands: its URI as text, and its content as bytes, rows, table or value."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from nbflow.engine.live.opening import OPENERS, read_frame, read_rows
from nbflow.errors import NbflowError
from nbflow.plugins import FileStorage

_SCHEMES = ("kestra:///", "nbflow:///")
_MAGIC = b"PAR1"


class CannotOpenError(NbflowError):
    """A stored file that is no value of Python, or not one to be trusted."""

    code = "cannot-open"


def is_uri(value: object) -> bool:
    """Whether a value names a file of the internal storage."""
    return isinstance(value, str) and value.startswith(_SCHEMES)


class StoredFile(str):
    """The URI of a stored file, which is text as ever, with ways to get at the content.

    Example: `ex.outputs.export.outputFiles["a.csv"].df()`; also `.read()`, `.text()`, `.json()`, `.rows()`, `.path`,
    `.size`, and `.value`: what nbflow takes it for by the ending of its name.
    """

    _files: FileStorage
    _is_own: bool

    def __new__(cls, uri: str, files: FileStorage, *, is_own: bool = False) -> StoredFile:
        """`is_own`: nbflow itself wrote it to hand on a value, so that even a pickle may be read."""
        made = super().__new__(cls, uri)
        made._files = files
        made._is_own = is_own
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)

    def __str__(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        return f"StoredFile({str.__repr__(self)})"

    @property
    def name(self) -> str:
        """The name of the file."""
        return unquote(self.rpartition("/")[2])

    @property
    def size(self) -> int:
        """Bytes in it."""
        return self._files.size(self)

    @property
    def is_table(self) -> bool:
        """Whether its name says that it is a table."""
        return self.name.lower().endswith((".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".ion"))

    @property
    def path(self) -> Path:
        """The file on this machine, to be read only; what lies in a remote storage is copied here first."""
        return self._files.local_path(self) or self._files.fetch(self, _folder() / f"{abs(hash(self))}" / self.name)

    def read(self) -> bytes:
        """All of it."""
        return self._files.read_bytes(self)

    def text(self) -> str:
        """All of it as UTF-8 text."""
        return self.read().decode("utf-8-sig")

    def json(self) -> Any:  # Any: whatever the file holds
        """The JSON value in it."""
        return json.loads(self.read())

    def rows(self) -> list[Any]:  # Any: as above
        """Its records, one dictionary each; needs no pandas. Raises: CannotOpenError."""
        found: list[Any] = self._read_table(read_rows)
        return found

    def df(self) -> Any:  # Any: a pandas.DataFrame
        """Its table as a data frame. Raises: CannotOpenError; MissingExtraError without pandas."""
        return self._read_table(read_frame)

    @property
    def value(self) -> Any:  # Any: as the file says
        """What is in it: a data frame, an array, a JSON value; the file itself where it is none of these."""
        path = self.path
        ending = self._ending(path)
        if ending == ".pickle" and not self._is_own:
            return self
        opener = OPENERS.get(ending)
        if opener is None:
            return self
        try:
            return opener(path)
        except (ValueError, OSError, EOFError) as wrong:
            raise CannotOpenError(
                f"{self.name} cannot be read as {ending}: {wrong}", hint=".read() gives its bytes"
            ) from wrong

    def _read_table(self, read: Any) -> Any:  # Any: one of the two readers, and what it gives
        path = self.path
        try:
            return read(path, self._ending(path))
        except KeyError:
            raise CannotOpenError(
                f"{self.name} is no table", hint="tables are Parquet, CSV, TSV, JSON Lines, Ion and JSON files"
            ) from None
        except ValueError as wrong:
            raise CannotOpenError(f"{self.name} is no table: {wrong}", hint=".read() gives its bytes") from wrong

    def _ending(self, path: Path) -> str:
        """The ending that says how to read it; the longest that is known. Parquet is known without one."""
        name = self.name.lower()
        found = max((ending for ending in OPENERS if name.endswith(ending)), key=len, default="")
        if not found and "." not in name:
            with path.open("rb") as file:
                return ".parquet" if file.read(len(_MAGIC)) == _MAGIC else ""
        return found

    def __dir__(self) -> Iterator[str]:
        return iter(("df", "json", "name", "path", "read", "rows", "size", "text", "value"))


_copies: list[Path] = []


def _folder() -> Path:
    """Where copies of remote files lie until this process ends."""
    if not _copies:
        _copies.append(Path(tempfile.mkdtemp(prefix="nbflow-files-")))
        atexit.register(shutil.rmtree, _copies[0], ignore_errors=True)
    return _copies[0]
