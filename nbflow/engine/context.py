"""The RunContext handed to a task: the log, files, rendering and metrics of one attempt."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from nbflow.engine.history import History
from nbflow.engine.rendering import Renderer
from nbflow.engine.variables import label_tree
from nbflow.errors import TaskFailedError
from nbflow.model.execution import LogEntry, TaskRun
from nbflow.model.task import LogLevel
from nbflow.plugins import FileStorage
from nbflow.store import Store
from nbflow.types import JsonValue


class TaskLogger:
    """The log of one attempt; keeps lines of at least a level."""

    def __init__(self, history: History, run: TaskRun | None, attempt: int | None, least: LogLevel | None) -> None:
        self._history = history
        self._run = run
        self._attempt = attempt
        self._least = (least or LogLevel.TRACE).rank

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
        if level.rank >= self._least:
            self._history.log(level, message, self._run, self._attempt)


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
    ) -> None:
        execution = history.execution
        self.namespace = execution.namespace
        self.flow_id = execution.flow_id
        self.execution_id = execution.id
        self.task_id = run.task_id
        self.task_run_id = run.id
        self.attempt = max(len(run.attempts) - 1, 0)
        self.log = TaskLogger(history, run, self.attempt, least_level)
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

    def logs(self, *, task_id: str | None = None, min_level: LogLevel = LogLevel.TRACE) -> list[LogEntry]:
        self._store.writer.flush()
        return self._store.logs.list(self.execution_id, task_id=task_id, min_level=min_level)

    def secret(self, name: str) -> str:
        return self._renderer.services.secret(name)

    def _share(self, name: str, values: Mapping[str, object]) -> None:
        """Let every later task of the execution see new values under a name they all share."""
        shared = self.variables[name]
        assert isinstance(shared, dict)
        shared.update(values)

    def _stored_path(self, name: str) -> str:
        namespace = self.namespace.replace(".", "/")
        folder = f"{namespace}/{self.flow_id}/executions/{self.execution_id}/tasks/{self.task_id}/{self.task_run_id}"
        return f"{folder}/{name}"
