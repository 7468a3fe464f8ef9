"""The log of an attempt as a file: `logToFile` keeps its lines out of the history, which then names the file alone."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import datetime
from typing import TextIO

from nbflow.engine.history import History
from nbflow.errors import NbflowError
from nbflow.model.execution import TaskRun, instant
from nbflow.model.task import LogLevel
from nbflow.store import Store


class LogFile:
    """Takes the lines of the last attempt of a task run, from any thread; `keep` makes a stored file of them.

    While the attempt goes on the lines lie in the home's `tmp`, under a name that follows from the attempt: an engine
    that takes over finds what the one before it had written.
    """

    def __init__(self, history: History, store: Store, run: TaskRun) -> None:
        execution = history.execution
        name = f"attempt-{len(run.attempts) - 1}.log"
        self._storage = store.files
        self._local = store.settings.home / "tmp" / f"{run.id}-{name}"
        self._place = (
            f"{execution.namespace.replace('.', '/')}/{execution.flow_id}"
            f"/executions/{execution.id}/tasks/{run.task_id}/{run.id}/{name}"
        )
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self._has_ended = False

    def write(self, now: datetime, level: LogLevel, message: str) -> bool:
        """Add a line, its secrets hidden already; False when the attempt has ended."""
        with self._lock:
            if self._has_ended:
                return False
            if self._file is None:
                self._local.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._local.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
            self._file.write(f"{instant(now)} {level:<5} {message}\n")
            self._file.flush()
            return True

    def keep(self) -> str | None:
        """Store the file and return its URI; None when there was no line. Raises: StoreError; it is left in `tmp`."""
        with self._lock:
            self._has_ended = True
            if self._file is not None:
                self._file.close()
        if not self._local.exists():
            return None
        uri = self._storage.put_file(self._place, self._local)
        self._local.unlink(missing_ok=True)
        return uri


async def keep_log(file: LogFile, history: History, run: TaskRun) -> TaskRun:
    """The task run, its last attempt with the URI of its log."""
    number = len(run.attempts) - 1
    try:
        uri = await asyncio.shield(asyncio.to_thread(file.keep))
    except NbflowError as error:
        history.log(LogLevel.WARN, f"the log of this attempt cannot be stored: {error}", run, number)
        return run
    if uri is None:
        return run
    history.log(LogLevel.INFO, f"the log of this attempt is in {uri}", run, number)
    return history.save(replace(run, attempts=(*run.attempts[:-1], replace(run.attempts[-1], log_file=uri))))
