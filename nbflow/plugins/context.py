"""What a task gets to do its work: its log, its files, rendering, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from nbflow.model.execution import LogEntry
from nbflow.model.task import LogLevel
from nbflow.types import JsonValue


class TaskLog(Protocol):
    """The log of a task run; what is written here is stored with the execution. Safe to use from any thread.

    `message` may hold `%s` marks that `values` fill, as in the standard library's logging.
    """

    def trace(self, message: str, *values: object) -> None: ...
    def debug(self, message: str, *values: object) -> None: ...
    def info(self, message: str, *values: object) -> None: ...
    def warning(self, message: str, *values: object) -> None: ...
    def error(self, message: str, *values: object) -> None: ...
    def write(self, level: LogLevel, message: str) -> None:
        """Write one line as it is."""
        ...


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


class RunContext(Protocol):
    """One attempt of a task run, as its task sees it."""

    namespace: str
    flow_id: str
    execution_id: str
    task_id: str
    task_run_id: str
    attempt: int
    """Number of the attempt, from 0."""
    storage: FileStorage

    @property
    def log(self) -> TaskLog:
        """The log of this attempt."""
        ...

    @property
    def variables(self) -> Mapping[str, object]:
        """What expressions see: `inputs`, `outputs`, `vars`, `execution`, `taskrun`, …"""
        ...

    @property
    def working_dir(self) -> Path:
        """A directory of this attempt's own (or shared within a WorkingDirectory); removed afterwards."""
        ...

    def path(self, name: str | Path) -> Path:
        """A path inside the working directory. Raises: TaskFailedError when it would leave it."""
        ...

    def render(self, text: str, extra: Mapping[str, object] | None = None) -> str:
        """Render a text; `extra` variables are added for this one time."""
        ...

    def render_value(self, value: object, extra: Mapping[str, object] | None = None) -> object:
        """Render a value, deep; a text that is a single print gives the value itself."""
        ...

    def store_file(self, source: Path, name: str | None = None) -> str:
        """Put a file of this task run into the internal storage; returns its URI."""
        ...

    def store_bytes(self, content: bytes, name: str) -> str:
        """Put bytes into the internal storage as a file of this task run; returns its URI."""
        ...

    def file(self, reference: str) -> Path:
        """A local path for a `kestra:///` URI, or for a name inside the working directory; to be read only."""
        ...

    def metric(self, name: str, value: float, *, type: str = "counter", tags: Mapping[str, str] | None = None) -> None:
        """Report a number: a `counter`, a `gauge`, or a `timer` in milliseconds."""
        ...

    def now(self) -> datetime:
        """The present instant, UTC."""
        ...

    def add_labels(self, labels: Mapping[str, str]) -> None:
        """Add labels to the execution, or replace those of the same key."""
        ...

    def set_variables(self, variables: Mapping[str, JsonValue]) -> None:
        """Set variables of this execution: `{{ vars.name }}` sees them from here on."""
        ...

    def logs(self, *, task_id: str | None = None, min_level: LogLevel = LogLevel.TRACE) -> list[LogEntry]:
        """Lines written so far in this execution."""
        ...

    def secret(self, name: str) -> str:
        """A secret's value, masked wherever it would be shown. Raises: TemplateError when there is none."""
        ...
