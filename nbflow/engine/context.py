"""The RunContext handed to a task: the log, files, rendering and metrics of one attempt."""

from __future__ import annotations

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
from nbflow.engine.others import OtherExecutions, OtherTriggers
from nbflow.engine.rendering import Renderer
from nbflow.engine.variables import author_texts, label_tree
from nbflow.errors import TaskFailedError
from nbflow.model.execution import LogEntry, TaskRun
from nbflow.model.task import LogLevel
from nbflow.plugins import Executions, FileStorage, KvStorage, NamespaceFileStorage, Triggers, Upkeep
from nbflow.store import Store
from nbflow.types import JsonValue


class TaskLogger:
    """The log of one attempt; keeps lines of at least a level, in the history unless there is a file for them."""

    def __init__(
        self,
        history: History,
        run: TaskRun | None,
        attempt: int | None,
        least: LogLevel | None,
        file: LogFile | None = None,
    ) -> None:
        self._history = history
        self._run = run
        self._attempt = attempt
        self._least = (least or LogLevel.TRACE).rank
        self._file = file

    def trace(self, message: str, *values: object) -> None:
        self.write(LogLevel.TRACE, message % values if values else message)

    def debug(self, message: str, *values: object) -> None:
        self.write(LogLevel.DEBUG, message % values if values else message)

    def info(self, message: str, *values: object) -> None:
        self.write(LogLevel.INFO, message % values if values else message)

    def warning(self, message: str, *values: object) -> None:
        self.write(LogLevel.WARN, message % values if values else message)

    def error(self, message: str, *values: object) -> None:
        self.write(LogLevel.ERROR, message % values if values else message)

    def write(self, level: LogLevel, message: str) -> None:
        if level.rank < self._least:
            return
        history = self._history
        if self._file is None or not self._file.write(history.now(), level, history.noted(level, message, self._run)):
            history.log(level, message, self._run, self._attempt)


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
    ) -> None:
        execution = history.execution
        self.namespace = execution.namespace
        self.flow_id = execution.flow_id
        self.execution_id = execution.id
        self.task_id = run.task_id
        self.task_run_id = run.id
        self.attempt = max(len(run.attempts) - 1, 0)
        self.log = TaskLogger(history, run, self.attempt, least_level, log_file)
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
    def executions(self) -> Executions:
        return OtherExecutions(self._store, self._history.clock)

    @property
    def kv(self) -> KvStorage:
        return self._store.kv

    @property
    def namespace_files(self) -> NamespaceFileStorage:
        return self._store.namespace_files

    @property
    def triggers(self) -> Triggers:
        return OtherTriggers(self._store, self._history.clock)

    @property
    def upkeep(self) -> Upkeep:
        return self._store.purging

    def secret(self, name: str) -> str:
        return self._renderer.services.secret(name)

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
