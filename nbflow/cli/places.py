"""Where commands work: in a home on this machine or at a server; both give the same JSON for the same question.

A command opens a place and asks it; only what is inside `local/` and `remote/` knows which of the two it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from nbflow.cli.connection import chosen_connection
from nbflow.cli.showing import coloured, say
from nbflow.errors import Problem

Row = dict[str, Any]
"""Kestra's JSON of a thing. Any: it is read key by key for people, and handed on whole to programs."""


@dataclass(frozen=True, slots=True)
class Start:
    """What an execution is started with. `files` are those of FILE inputs."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which executions are asked for."""

    namespace: str | None = None
    flow: str | None = None
    states: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log lines are asked for."""

    text: str | None = None
    namespace: str | None = None
    flow: str | None = None
    execution: str | None = None
    task: str | None = None
    trigger: str | None = None
    level: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 50
    page: int = 1


@dataclass(frozen=True, slots=True)
class Range:
    """What a backfill is to run, in the words of the engine."""

    start: datetime | None = None
    end: datetime | None = None
    dates: Sequence[datetime] | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    order: str = "oldest"
    parallelism: int = 1
    only: str = "all"


TriggerKey = tuple[str, str, str]
"""Namespace, flow and trigger."""


class Flows(Protocol):
    """What can be asked about flows."""

    def all(self, namespace: str | None = None) -> list[Row]: ...
    def get(self, namespace: str, flow_id: str, revision: int | None = None) -> Row: ...
    def exists(self, namespace: str, flow_id: str) -> bool: ...
    def save(self, text: str) -> Row: ...
    def check(self, text: str) -> list[Problem]: ...
    def delete(self, namespace: str, flow_id: str) -> None: ...
    def switch(self, namespace: str, flow_id: str, *, disabled: bool) -> None: ...
    def revisions(self, namespace: str, flow_id: str) -> list[Row]: ...
    def graph(self, namespace: str, flow_id: str, revision: int | None = None) -> Row: ...


class Executions(Protocol):
    """What can be asked about executions, and of them. What ends in an exit status shows how it goes."""

    def find(self, wanted: Wanted, limit: int) -> list[Row]: ...
    def get(self, execution_id: str) -> Row: ...
    def kill(self, execution_id: str) -> Row: ...
    def pause(self, execution_id: str) -> Row: ...
    def delete(self, execution_id: str) -> None: ...
    def logs(self, execution_id: str, level: str | None = None, task: str | None = None) -> list[Row]: ...
    def follow_logs(self, execution_id: str) -> Iterator[Row]: ...
    def set_labels(self, execution_id: str, labels: Mapping[str, str]) -> Row: ...
    def change_status(self, execution_id: str, state: str) -> Row: ...
    def evaluate(self, execution_id: str, text: str, task: str | None) -> str: ...
    def read_file(self, execution_id: str, uri: str) -> bytes: ...
    def metrics(self, execution_id: str, task: str | None) -> list[Row]: ...


class Runs(Protocol):
    """Letting executions go on and showing how they do; each returns an exit status."""

    def start(self, namespace: str, flow_id: str, start: Start, watch: Watch) -> int: ...
    def resume(self, execution_id: str, inputs: Mapping[str, str], watch: Watch) -> int: ...
    def restart(self, execution_id: str, revision: int | None, watch: Watch) -> int: ...
    def replay(self, execution_id: str, again: Again, watch: Watch) -> int: ...
    def force_run(self, execution_id: str, watch: Watch) -> int: ...
    def set_state(self, execution_id: str, task_run: str, state: str, watch: Watch) -> int: ...
    def watch(self, execution_id: str, watch: Watch) -> int: ...


class Namespaces(Protocol):
    """What can be asked about namespaces."""

    def all(self, text: str | None = None) -> list[Row]: ...
    def get(self, namespace: str) -> Row: ...
    def save(self, namespace: str, settings: Row, *, is_new: bool) -> Row: ...
    def delete(self, namespace: str) -> None: ...


class Files(Protocol):
    """What can be asked about the files of namespaces."""

    def all(self, namespace: str, folder: str = "") -> list[str]: ...
    def read(self, namespace: str, path: str) -> bytes: ...
    def write(self, namespace: str, path: str, file: Path) -> None: ...
    def delete(self, namespace: str, path: str) -> None: ...
    def move(self, namespace: str, source: str, target: str) -> None: ...


class Values(Protocol):
    """What can be asked about the values that flows keep by key."""

    def all(self, namespace: str | None) -> list[Row]: ...
    def get(self, namespace: str, key: str) -> Row: ...
    def set(self, namespace: str, key: str, text: str, ttl: str | None, description: str | None) -> None: ...
    def delete(self, namespace: str, key: str) -> bool: ...


class Secrets(Protocol):
    """What can be asked about secrets; never a value."""

    def all(self, namespace: str | None) -> list[Row]: ...
    def set(self, namespace: str, name: str, value: str, description: str | None) -> None: ...
    def delete(self, namespace: str, name: str) -> None: ...


class Triggers(Protocol):
    """What can be asked about triggers."""

    def all(self, namespace: str | None, flow_id: str | None) -> list[Row]: ...
    def get(self, key: TriggerKey) -> Row: ...
    def switch(self, key: TriggerKey, *, disabled: bool) -> Row: ...
    def unlock(self, key: TriggerKey) -> Row: ...
    def restart(self, key: TriggerKey) -> Row: ...
    def delete(self, key: TriggerKey) -> None: ...


class Backfills(Protocol):
    """What can be asked about backfills. The first three name a backfill by its id, or a trigger's that goes on."""

    def all(self, namespace: str | None, flow_id: str | None, *, going_on: bool) -> list[Row]: ...
    def create(self, key: TriggerKey, wish: Range, *, dry_run: bool) -> tuple[Row, list[str]]: ...
    def move(self, which: str | TriggerKey, verb: str) -> Row: ...
    def get(self, which: str | TriggerKey) -> Row: ...


@dataclass(frozen=True, slots=True)
class Again:
    """How an execution is replayed: from a task run or the last run of a task, in another revision, with new inputs."""

    task_run: str | None = None
    task: str | None = None
    revision: int | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """How an execution is shown while it goes on: for people or programs, how long, and whether at all."""

    is_data: bool = False
    show: Callable[[Row], None] = print
    timeout: float | None = None
    wait: bool = True

    def show_started(self, execution: Row) -> int:
        """Show only that an execution was started, which goes on elsewhere; returns the exit status."""
        if self.is_data:
            self.show(execution)
        else:
            say(f"{execution['id']} {coloured(execution['state']['current'])}")
        return 0


class Place(Protocol):
    """A home on this machine, or a server."""

    name: str
    is_remote: bool

    @property
    def flows(self) -> Flows: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def namespaces(self) -> Namespaces: ...
    @property
    def files(self) -> Files: ...
    @property
    def values(self) -> Values: ...
    @property
    def secrets(self) -> Secrets: ...
    @property
    def triggers(self) -> Triggers: ...
    @property
    def backfills(self) -> Backfills: ...
    def search_logs(self, query: LogQuery) -> list[Row]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_place(home: Path | None = None) -> Place:
    """The server that was named on the command line or in the environment, else the home. A context manager."""
    connection = chosen_connection(home is not None)
    if connection is not None:
        from nbflow.cli.remote.place import RemotePlace

        return RemotePlace(connection)
    from nbflow.cli.local.place import LocalPlace

    return LocalPlace(home)
