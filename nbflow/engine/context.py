"""The RunContext handed to a task: the log, files, rendering and metrics of one attempt."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from nbflow.engine.flows import Flows
from nbflow.engine.history import History
from nbflow.engine.log_files import LogFile
from nbflow.engine.others import OtherExecutions, OtherFlows, OtherTriggers
from nbflow.engine.rendering import Renderer
from nbflow.engine.variables import author_texts, label_tree, sealed
from nbflow.errors import StoreError, TaskFailedError
from nbflow.model.execution import LogEntry, TaskRun
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.plugins import Executions, FileStorage, FlowSources, KvStorage, NamespaceFileStorage, Triggers, Upkeep
from nbflow.settings import Settings
from nbflow.store import Store
from nbflow.types import JsonValue

_LOOK_EVERY = 256
"""Lines after which a thread that writes looks whether the writer has come along."""

_GOES_ON = "this log is long: it goes on in a file, which is stored with all lines at the end of the attempt"


class TaskLogger:
    """The log of one attempt; keeps lines of at least a level, in the history unless there is a file for them.

    With a `store`, a log that grows beyond what the settings allow goes on in a file; errors are in the history, too.
    """

    def __init__(
        self,
        history: History,
        run: TaskRun | None,
        attempt: int | None,
        least: LogLevel | None,
        file: LogFile | None = None,
        store: Store | None = None,
    ) -> None:
        self.file = file
        """Takes the lines; the one who makes the attempt keeps it in the end."""
        self._history = history
        self._run = run
        self._attempt = attempt
        self._least = (least or LogLevel.TRACE).rank
        self._store = store
        self._lines_left: float = math.inf if store is None else store.settings.max_log_lines
        self._bytes_left: float = math.inf if store is None else store.settings.max_log_bytes

    def trace(self, message: str, *values: object) -> None:
        self.write(LogLevel.TRACE, message % values if values else message)

    def debug(self, message: str, *values: object) -> None:
        self.write(LogLevel.DEBUG, message % values if values else message)

    def info(self, message: str, *values: object) -> None:
        self.write(LogLevel.INFO, message % values if values else message)

    def warning(self, message: str, *values: object) -> None:
        self.write(LogLevel.WARN, message % values if values else message)

    def error(self, message: str, *values: object) -> None:
        message = message % values if values else message
        is_cut = self._is_cut
        self.write(LogLevel.ERROR, message)
        if is_cut:  # why a task failed is to be seen without its file
            self._history.log(LogLevel.ERROR, message, self._run, self._attempt)

    def write(self, level: LogLevel, message: str) -> None:
        if level.rank < self._least:
            return
        history = self._history
        file = self.file
        if file is not None and file.write(history.now(), level, history.noted(level, message, self._run)):
            return
        history.log(level, message, self._run, self._attempt)
        if self._store is not None and file is None:
            self._count(self._store, message)

    def write_lines(self, level: LogLevel, lines: Sequence[str]) -> None:
        if level.rank < self._least:
            return
        for number, line in enumerate(lines):
            if self.file is not None:
                self._file_lines(self.file, level, lines[number:])
                return
            self.write(level, line)

    def _file_lines(self, file: LogFile, level: LogLevel, lines: Sequence[str]) -> None:
        history = self._history
        if level is LogLevel.ERROR:
            history.noted(level, lines[-1], self._run)
        if not file.write_lines(history.now(), level, history.masked("\n".join(lines))):
            for line in lines:
                history.log(level, line, self._run, self._attempt)

    async def room(self) -> None:
        with contextlib.suppress(StoreError):  # the next one who waits for a result is told
            await self._history.room()

    @property
    def _is_cut(self) -> bool:
        """Whether the file has but the rest of the log."""
        return self.file is not None and min(self._lines_left, self._bytes_left) <= 0

    def _count(self, store: Store, message: str) -> None:
        self._lines_left -= 1
        self._bytes_left -= len(message) if message.isascii() else len(message.encode("utf-8", "replace"))
        if (self._lines_left <= 0 or self._bytes_left <= 0) and self._run is not None:
            last = self._history.log(LogLevel.INFO, _GOES_ON, self._run, self._attempt)
            self.file = LogFile(self._history, store, self._run, after=last.seq - 1)
        elif self._lines_left % _LOOK_EVERY == 0 and not _is_in_loop():
            with contextlib.suppress(StoreError):
                self._history.make_room()


def _is_in_loop() -> bool:
    """Whether this thread runs an event loop, and so must not be kept waiting."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class TaskContext:
    """One attempt of a task run, as its task sees it; implements `nbflow.plugins.RunContext`."""

    def __init__(
        self,
        history: History,
        store: Store,
        renderer: Renderer,
        run: TaskRun,
        least_level: LogLevel | None,
        shared_dir: Path | None = None,
        log_file: LogFile | None = None,
        log_store: Store | None = None,
    ) -> None:
        execution = history.execution
        self.namespace = execution.namespace
        self.flow_id = execution.flow_id
        self.execution_id = execution.id
        self.task_id = run.task_id
        self.task_run_id = run.id
        self.attempt = max(len(run.attempts) - 1, 0)
        self.log = TaskLogger(history, run, self.attempt, least_level, log_file, log_store)
        self.storage: FileStorage = store.files
        self._history = history
        self._store = store
        self._renderer = renderer
        self._run = run
        self._shared_dir = shared_dir
        self._own_dir: Path | None = None

    @property
    def variables(self) -> Mapping[str, object]:
        return self._renderer.variables

    @property
    def working_dir(self) -> Path:
        if self._shared_dir is not None:
            return self._shared_dir
        if self._own_dir is None:
            base = self._store.settings.home / "tmp"
            base.mkdir(parents=True, exist_ok=True)
            self._own_dir = Path(tempfile.mkdtemp(prefix=f"{self.task_id}-", dir=base)).resolve()
        return self._own_dir

    def close(self) -> None:
        """Remove the directory of this attempt."""
        if self._own_dir is not None:
            shutil.rmtree(self._own_dir, ignore_errors=True)
            self._own_dir = None

    @property
    def has_own_dir(self) -> bool:
        """Whether `close` has something to remove."""
        return self._own_dir is not None

    def path(self, name: str | Path) -> Path:
        base = self.working_dir.resolve()
        path = (base / name).resolve()
        if not path.is_relative_to(base):
            raise TaskFailedError(
                f"`{name}` is outside the working directory", hint="give a path relative to it, without `..`"
            )
        return path

    def render(self, text: str, extra: Mapping[str, object] | None = None) -> str:
        return self._renderer.text(text, extra)

    def render_value(self, value: object, extra: Mapping[str, object] | None = None) -> object:
        return self._renderer.value(value, keeps_types=True, extra=extra)

    def store_file(self, source: Path, name: str | None = None) -> str:
        return self.storage.put_file(self._stored_path(name or source.name), source)

    def store_bytes(self, content: bytes, name: str) -> str:
        return self.storage.put_bytes(self._stored_path(name), content)

    def file(self, reference: str) -> Path:
        if urlsplit(reference).scheme not in ("kestra", "nbflow"):
            return self.path(reference)
        local = self.storage.local_path(reference)
        if local is not None:
            return local
        name = PurePosixPath(urlsplit(reference).path).name
        return self.storage.fetch(reference, self.path(f".nbflow-files/{self.task_run_id}/{name}"))

    def metric(self, name: str, value: float, *, type: str = "counter", tags: Mapping[str, str] | None = None) -> None:
        self._history.metric(self._run, type, name, value, tags or {})

    def child_run(
        self,
        name: str,
        moves: Sequence[tuple[State, datetime]],
        *,
        outputs: Mapping[str, JsonValue] | None = None,
        log: Sequence[tuple[LogLevel, str]] = (),
    ) -> None:
        run = self._history.child(self._run, name, moves, outputs or {})
        for level, message in log:
            self._history.log(level, message, run, 0)

    def now(self) -> datetime:
        return self._history.now()

    def add_labels(self, labels: Mapping[str, str]) -> None:
        execution = self._history.execution
        merged = {**dict(execution.labels), **labels}
        self._history.change(replace(execution, labels=tuple(merged.items())))
        self._share("labels", label_tree(tuple(merged.items())))

    def set_variables(self, variables: Mapping[str, JsonValue]) -> None:
        execution = self._history.execution
        self._history.change(replace(execution, variables={**execution.variables, **variables}))
        self._share("vars", variables)

    async def end_execution(self, state: State) -> None:
        if self._history.end(self._run, state):
            await asyncio.Event().wait()  # the cancellation is on its way

    def unset_variables(self, names: Sequence[str], *, ignore_missing: bool = False) -> None:
        execution = self._history.execution
        missing = [name for name in names if name not in execution.variables]
        if missing and not ignore_missing:
            raise TaskFailedError(
                f"the variable `{missing[0]}` was not set in this execution",
                hint="set `ignoreMissing: true` if it need not be",
            )
        left = {name: value for name, value in execution.variables.items() if name not in names}
        self._history.change(replace(execution, variables=left))
        of_flow = author_texts(Flows(self._store, self._history.clock).of(execution).variables)
        shared = self.variables["vars"]
        assert isinstance(shared, dict)
        for name in execution.variables.keys() - left.keys():
            del shared[name]
        shared.update((name, of_flow[name]) for name in names if name in of_flow)

    def logs(self, *, task_id: str | None = None, min_level: LogLevel = LogLevel.TRACE) -> list[LogEntry]:
        self._store.writer.flush()
        return self._store.logs.list(self.execution_id, task_id=task_id, min_level=min_level)

    @property
    def settings(self) -> Settings:
        return self._store.settings

    def hide(self, *texts: str) -> None:
        self._history.mask(texts)

    @property
    def hidden(self) -> Sequence[str]:
        return self._history.hidden

    @property
    def executions(self) -> Executions:
        return OtherExecutions(self._store, self._history.clock)

    @property
    def kv(self) -> KvStorage:
        return self._store.kv

    @property
    def namespace_files(self) -> NamespaceFileStorage:
        return self._store.namespace_files

    @property
    def flows(self) -> FlowSources:
        return OtherFlows(self._store, self._history.clock)

    @property
    def triggers(self) -> Triggers:
        return OtherTriggers(self._store, self._history.clock)

    @property
    def upkeep(self) -> Upkeep:
        return self._store.purging

    def secret(self, name: str) -> str:
        return self._renderer.services.secret(name)

    def seal(self, text: str) -> dict[str, JsonValue]:
        self._history.mask([text])
        return sealed(self._store.secrets.encrypt(text))

    def _share(self, name: str, values: Mapping[str, object]) -> None:
        """Let every later task of the execution see new values under a name they all share."""
        shared = self.variables[name]
        assert isinstance(shared, dict)
        shared.update(values)

    def _stored_path(self, name: str) -> str:
        namespace = self.namespace.replace(".", "/")
        folder = f"{namespace}/{self.flow_id}/executions/{self.execution_id}/tasks"
        return f"{folder}/{_folder_name(self.task_id)}/{self.task_run_id}/{name}"


def _folder_name(task_id: str) -> str:
    """A task's id in the addresses of its files: in small letters and dashes, as Kestra writes it."""
    return re.sub("-+", "-", task_id.replace("_", "-")).strip("-").lower()
