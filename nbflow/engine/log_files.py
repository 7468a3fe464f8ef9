"""The log of an attempt as a file: all of it with `logToFile`, and the rest of one that is too long for the history.

While the attempt goes on the lines lie in the home's `tmp`, under a name that follows from the attempt: an engine that
takes over finds what the one before it had written. The file of a rest begins with the number, in the execution's
sequence, up to which the history has the lines; what is stored in the end holds these as well.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Literal, TextIO

from nbflow.engine.history import History
from nbflow.errors import NbflowError
from nbflow.model.execution import LogEntry, TaskRun, instant
from nbflow.model.task import LogLevel
from nbflow.store import Store

_BUFFER_BYTES = 256 * 1024
_PORTION = 2000  # lines of the history that are read at a time


class LogFile:
    """Takes the lines of the last attempt of a task run, from any thread; `keep` makes a stored file of them."""

    def __init__(self, history: History, store: Store, run: TaskRun, after: int | None = None) -> None:
        """With `after`, the lines up to this number are in the history, and the file takes the rest."""
        execution = history.execution
        name = f"attempt-{len(run.attempts) - 1}.log"
        self._store = store
        self._run = run
        self._attempt = len(run.attempts) - 1
        self._after = after
        self._whole = store.settings.home / "tmp" / f"{run.id}-{name}"
        self._rest = self._whole.with_suffix(".rest")
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
            file = self._file or self._open()
            file.write(f"{_head(now, level)}{message}\n")
            if self._after is None:  # those of a rest come in thousands
                file.flush()
            return True

    def write_lines(self, now: datetime, level: LogLevel, text: str) -> bool:
        """As `write`, for a text of which each line is one of the log."""
        return self.write(now, level, text.replace("\n", f"\n{_head(now, level)}"))

    def keep(self) -> str | None:
        """Store the file and return its URI; None when there was no line. Raises: StoreError; it is left in `tmp`."""
        with self._lock:
            self._has_ended = True
            if self._file is not None:
                self._file.close()
        if self._rest.exists():
            self._join()
        if not self._whole.exists():
            return None
        uri = self._store.files.put_file(self._place, self._whole)
        self._whole.unlink(missing_ok=True)
        self._rest.unlink(missing_ok=True)
        return uri

    def _open(self) -> TextIO:
        path = self._whole if self._after is None else self._rest
        path.parent.mkdir(parents=True, exist_ok=True)
        mode: Literal["a", "w"] = "a" if self._after is None else "w"
        self._file = path.open(mode, _BUFFER_BYTES, encoding="utf-8", errors="backslashreplace", newline="\n")
        if self._after is not None:
            self._file.write(f"{self._after}\n")
        return self._file

    def _join(self) -> None:
        """Make the whole file: the lines that the history has, then the rest."""
        self._store.writer.flush()
        with self._rest.open("rb") as rest, self._whole.open("wb") as whole:
            first = rest.readline()
            for entry in self._lines_before(int(first) if first.strip().isdigit() else 0):
                line = f"{_head(entry.timestamp, entry.level)}{entry.message}\n"
                whole.write(line.encode("utf-8", "backslashreplace"))
            shutil.copyfileobj(rest, whole)

    def _lines_before(self, last: int) -> Iterator[LogEntry]:
        """The lines of the attempt that are in the history, up to a number."""
        seq = 0
        while True:
            entries = self._store.logs.list(
                self._run.execution_id,
                task_run_id=self._run.id,
                attempt=self._attempt,
                after_seq=seq,
                limit=_PORTION,
            )
            yield from (entry for entry in entries if entry.seq <= last)
            if len(entries) < _PORTION or entries[-1].seq >= last:
                return
            seq = entries[-1].seq


def _head(at: datetime, level: LogLevel) -> str:
    return f"{instant(at)} {level:<5} "


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
