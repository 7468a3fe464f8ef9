"""What a task gets to do its work: its log, its files, rendering, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from nbflow.model.execution import LogEntry
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.settings import Settings
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

    def write_lines(self, level: LogLevel, lines: Sequence[str]) -> None:
        """Write several lines as they are; of thousands, this is the quick way."""
        ...

    async def room(self) -> None:
        """Return once there is room for more lines; to be awaited now and then by who writes thousands."""
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


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was deleted with executions."""

    executions: int = 0
    logs: int = 0
    metrics: int = 0
    files: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(
            self.executions + other.executions,
            self.logs + other.logs,
            self.metrics + other.metrics,
            self.files + other.files,
        )


class Triggers(Protocol):
    """The triggers of the home's flows. Methods block."""

    def switch(self, namespace: str, flow_id: str, trigger_id: str, *, is_on: bool) -> None:
        """Switch a trigger on or off, whatever its flow says. Raises: NotFoundError when there is none."""
        ...


class Upkeep(Protocol):
    """Deletes what the history need not keep. Methods block; what is under way is never touched.

    A `namespace` means all below it too, unless a `flow_id` names one flow. Both ends of a span of time are included.
    """

    def purge_executions(
        self,
        now: datetime,
        *,
        end_date: datetime | None = None,
        start_date: datetime | None = None,
        namespace: str | None = None,
        flow_id: str | None = None,
        states: Sequence[State | str] = (),
        purge_execution: bool = True,
        purge_log: bool = True,
        purge_metric: bool = True,
        purge_storage: bool = True,
        portion: int = 500,
    ) -> Purged:
        """Delete executions that began at `start_date` or later and had ended by `end_date` (`now` unless said).

        The four flags say what of them goes; `states` which of them; `portion` how many share a transaction.
        """
        ...

    def purge_logs(
        self,
        end_date: datetime,
        *,
        start_date: datetime | None = None,
        namespace: str | None = None,
        flow_id: str | None = None,
        execution_id: str | None = None,
        levels: Sequence[LogLevel | str] = (),
        portion: int = 10_000,
    ) -> int:
        """Delete log lines, of some levels or of all; returns how many these were."""
        ...

    def purge_kv(
        self,
        now: datetime,
        *,
        namespaces: Sequence[str] = (),
        namespace_pattern: str | None = None,
        with_children: bool = True,
        key_pattern: str | None = None,
        expired_only: bool = True,
    ) -> int:
        """Delete values under keys, everywhere unless said otherwise; returns how many these were.

        In patterns `*` stands for any characters and `?` for one.
        """
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


class Executions(Protocol):
    """The executions of the home, the running one among them. Methods block.

    Raises: ExecutionNotFoundError for an id that no execution has.
    """

    def count(
        self,
        namespace: str,
        flow_id: str | None = None,
        *,
        states: Sequence[State | str] = (),
        start_after: datetime | None = None,
        start_before: datetime | None = None,
    ) -> int:
        """How many there are of a namespace itself, or of one flow; `start_after` is included, `start_before` not."""
        ...

    def find(
        self,
        *,
        namespace: str | None = None,
        flow_id: str | None = None,
        states: Sequence[State | str] = (),
        labels: Mapping[str, str] | None = None,
        start_after: datetime | None = None,
        start_before: datetime | None = None,
        parent_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[Mapping[str, JsonValue]]:
        """Executions, the newest first, as Kestra's JSON without their task runs; of a namespace and those below it."""
        ...

    def flow_of(self, execution_id: str) -> tuple[str, str]:
        """The namespace and the id of an execution's flow."""
        ...

    def get(self, execution_id: str) -> Mapping[str, JsonValue]:
        """An execution as Kestra's JSON of it, with its task runs as they stand."""
        ...

    def logs(
        self, execution_id: str, *, task_id: str | None = None, min_level: LogLevel = LogLevel.TRACE
    ) -> Sequence[Mapping[str, JsonValue]]:
        """What an execution, or one task of it, has written so far, as Kestra's JSON of log entries."""
        ...

    def resume(self, execution_id: str, inputs: Mapping[str, JsonValue]) -> None:
        """Let a paused execution go on soon; `inputs` are what its Pause asks for with `onResume`.

        Raises: ConflictError when it is not paused; InputError.
        """
        ...

    def kill(self, execution_id: str, *, with_children: bool = True) -> None:
        """End an execution soon, those that it started, and every process of theirs; nothing of it if it has ended."""
        ...


@dataclass(frozen=True, slots=True)
class FlowSource:
    """A revision of a flow, and its text."""

    namespace: str
    id: str
    revision: int
    source: str


class FlowSources(Protocol):
    """The deployed flows of the home, as texts. Methods block."""

    def list(self, namespace: str, *, with_children: bool = False) -> Sequence[FlowSource]:
        """The newest revisions of a namespace's flows, sorted; of the namespaces below it as well, if so wished."""
        ...

    def preview(self, source: str) -> FlowSource:
        """What `deploy` would make of a text; nothing is saved. Raises: FlowValidationError."""
        ...

    def deploy(self, source: str) -> FlowSource:
        """Save a flow; a new revision only if its text has changed. Raises: FlowValidationError."""
        ...

    def delete(self, namespace: str, flow_id: str) -> None:
        """Delete a flow; its executions stay. Raises: FlowNotFoundError."""
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

    def child_run(
        self,
        name: str,
        moves: Sequence[tuple[State, datetime]],
        *,
        outputs: Mapping[str, JsonValue] | None = None,
        log: Sequence[tuple[LogLevel, str]] = (),
    ) -> None:
        """Show a part of this task's work, such as a model of dbt, as a task run of its own below this one.

        `moves` are its states so far, each with the instant it began; `log` are lines for its log. Called again with
        the same name, it takes the place of what was shown before. Call it on the engine's loop, not in a thread.
        """
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

    async def end_execution(self, state: State) -> None:
        """End this execution in a state: its tasks that are under way are stopped, `finally` still runs.

        This never returns, unless `finally` runs already: then nothing is stopped, and the caller goes on to its end.
        """
        ...

    def unset_variables(self, names: Sequence[str], *, ignore_missing: bool = False) -> None:
        """Take back variables that were set in this execution; what the flow has under a name is seen again.

        Raises: TaskFailedError when one was not set, unless `ignore_missing`; none is taken back then.
        """
        ...

    def logs(self, *, task_id: str | None = None, min_level: LogLevel = LogLevel.TRACE) -> list[LogEntry]:
        """Lines written so far in this execution."""
        ...

    def secret(self, name: str) -> str:
        """A secret's value, masked wherever it would be shown. Raises: TemplateError when there is none."""
        ...

    def seal(self, text: str) -> dict[str, JsonValue]:
        """An output value that holds a text encrypted: expressions see the text, logs show it masked."""
        ...

    @property
    def settings(self) -> Settings:
        """What the home is set to."""
        ...

    def hide(self, *texts: str) -> None:
        """Mask texts, such as a password that is no secret of the home, in every log line from here on."""
        ...

    @property
    def executions(self) -> Executions:
        """The executions of the home."""
        ...

    @property
    def kv(self) -> KvStorage:
        """Values under keys of namespaces."""
        ...

    @property
    def namespace_files(self) -> NamespaceFileStorage:
        """Files of namespaces."""
        ...

    @property
    def flows(self) -> FlowSources:
        """The deployed flows, as texts."""
        ...

    @property
    def triggers(self) -> Triggers:
        """The triggers of flows."""
        ...

    @property
    def upkeep(self) -> Upkeep:
        """Deletes what the history need not keep."""
        ...
