"""What a task may ask of its home beside its own execution: other executions, flows, triggers, tidying up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.types import JsonValue


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


class Triggers(Protocol):
    """The triggers of the home's flows. Methods block."""

    def switch(self, namespace: str, flow_id: str, trigger_id: str, *, is_on: bool) -> None:
        """Switch a trigger on or off, whatever its flow says. Raises: NotFoundError when there is none."""
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
