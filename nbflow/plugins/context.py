"""What a task gets to do its work: its log, its files, rendering, metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from nbflow.model.execution import LogEntry
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.plugins.home import Executions, FlowSources, Triggers, Upkeep
from nbflow.plugins.storages import FileStorage, KvStorage, NamespaceFileStorage
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
    def hidden(self) -> Sequence[str]:
        """The texts that are masked so far: the secrets of this execution that have been used, and what `hide` adds."""
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
