"""The one thread that commits: whatever has gathered goes into a single transaction, then the waiters are woken.

    defer ─► pending ─┐                                    ┌─► committed(), flush()
    call ────► calls ─┴─► BEGIN · rows · calls · COMMIT ───┴─► results of call(), acall()

`defer` wakes nobody: a result that somebody waits for is followed by `committed`, the rest goes with the next commit
or after `LATEST` seconds. While nothing happens for a while the thread sleeps without a timer.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from nbflow.errors import StoreError
from nbflow.store.batch import Entry, Rows, Statements, cursor_of
from nbflow.store.changes import Change
from nbflow.store.database import Database, store_error

T = TypeVar("T")

LATEST = 0.02
"""Seconds after which a deferred change is committed even if nobody waits for it."""

_MOST_PENDING = 5000
"""Changes that gather at most before those who make many of them should wait."""

_QUIET_ROUNDS = 50  # rounds of LATEST without work after which the thread sleeps until it is woken
_FAILURE = "the history could not be written"

_log = logging.getLogger(__name__)


class _Waiter:
    """Somebody who waits for a commit: a thread (released through `done`) or a coroutine (through `future`)."""

    __slots__ = ("done", "error", "future", "result", "work")

    def __init__(
        self, work: Callable[[Connection], object] | None, future: asyncio.Future[object] | None = None
    ) -> None:
        self.work = work
        self.future = future
        self.result: object = None
        self.error: BaseException | None = None
        self.done: threading.Lock | None = None
        if future is None:
            self.done = threading.Lock()
            self.done.acquire()


class Writer:
    """Commits changes for everybody in this process. Its methods may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements = Statements(database.writing)
        self._lock = threading.Lock()
        self._wake = threading.Lock()  # a binary semaphore: the cheapest way to wake a thread that CPython has
        self._wake.acquire()
        self._signalled = False
        self._rows = Rows()
        self._kept = Rows()  # rows of a batch that failed once
        self._waiters: list[_Waiter] = []
        self._loss: StoreError | None = None  # why the last changes could not be written
        self._is_busy = False
        self._is_dormant = False
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None

    @property
    def is_asleep(self) -> bool:
        """Whether nothing has happened for so long that the thread waits without a timer."""
        return self._is_dormant

    @property
    def is_behind(self) -> bool:
        """Whether so much has gathered that whoever can wait should: memory would grow without end."""
        return len(self._rows) > _MOST_PENDING

    def defer(self, change: Change, *beside: Change) -> None:
        """Write a change with the next commit, at the latest 20 ms from now; those `beside` it in the same one.

        Of changes to the same record that share a commit the last one counts. Raises: StoreError when a value
        cannot be written as JSON, or the writer is closed.
        """
        entry = Entry(change)
        others = [Entry(other) for other in beside] if beside else ()
        with self._lock:
            self._refuse_when_closed()
            self._rows.add(entry)
            for other in others:
                self._rows.add(other)
            if self._is_dormant or self._thread is None:
                self._rouse()

    def flush(self) -> None:
        """Return once everything deferred so far is durable. Raises: StoreError."""
        self._await_thread(_Waiter(None))

    async def committed(self) -> None:
        """Return once everything deferred so far is durable; from any event loop. Raises: StoreError."""
        await self._await_loop(None)

    def call(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in the transaction of the next commit; returns its result once that is durable.

        What `work` raises is raised here, and what it had written is taken back.
        """
        return cast("T", self._await_thread(_Waiter(work)))

    async def acall(self, work: Callable[[Connection], T]) -> T:
        """As `call`, for a coroutine. `work` still runs on the writer's thread."""
        return cast("T", await self._await_loop(work))

    def close(self) -> None:
        """Commit what is deferred and end the thread. Calling it again does nothing. Raises: StoreError."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            thread = self._thread
            if thread is not None:
                atexit.unregister(self.close)
                self._rouse()
        if thread is not None:
            thread.join()
        if self._loss is not None:
            raise self._loss

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise StoreError("the history is closed")

    def _rouse(self) -> None:
        """Wake the thread, or start it; the lock is held."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="nbflow-writer", daemon=True)
            self._thread.start()
            atexit.register(self.close)  # whoever forgets to close loses nothing that was deferred
        self._is_dormant = False
        if not self._signalled:
            self._signalled = True
            self._wake.release()

    def _await_thread(self, waiter: _Waiter) -> object:
        done = waiter.done
        assert done is not None
        if threading.current_thread() is self._thread:
            raise StoreError("the writer cannot wait for itself: use the connection that was handed over")
        if not self._join(waiter):
            return None
        done.acquire()
        if waiter.error is not None:
            raise waiter.error
        return waiter.result

    async def _await_loop(self, work: Callable[[Connection], object] | None) -> object:
        waiter = _Waiter(work, asyncio.get_running_loop().create_future())
        assert waiter.future is not None
        return await waiter.future if self._join(waiter) else None

    def _join(self, waiter: _Waiter) -> bool:
        """Wait with the next batch; False when there is nothing to wait for."""
        with self._lock:
            if waiter.work is None and not (self._rows or self._is_busy or self._kept):
                return False
            self._refuse_when_closed()
            self._waiters.append(waiter)
            self._rouse()
            return True

    def _run(self) -> None:
        quiet = 0
        while True:
            was_woken = self._wake.acquire(timeout=-1 if self._is_dormant else LATEST)
            with self._lock:
                if self._signalled and not was_woken:  # woken between the end of the wait and here: take that back
                    self._wake.acquire(blocking=False)
                self._signalled = False
                rows, waiters = self._rows, self._waiters
                ends = self._is_closed and not (rows or waiters or self._kept)
                if rows or waiters or (self._is_closed and self._kept):
                    self._rows, self._waiters, self._is_busy = Rows(), [], True
                else:
                    quiet += 1
                    self._is_dormant = quiet > _QUIET_ROUNDS
            if ends:
                break
            if self._is_busy:
                quiet = 0
                error = self._loss = self._commit(rows, waiters)
                with self._lock:
                    self._is_busy = False
                _wake_all(waiters, error)
        self._disconnect()

    def _commit(self, rows: Rows, waiters: list[_Waiter]) -> StoreError | None:
        """Write a batch in one transaction; what went wrong, or None."""
        calls = [waiter for waiter in waiters if waiter.work is not None]
        everything = rows.after(self._kept) if self._kept else rows
        if not everything and not calls:
            return None
        try:
            if self._connection is None:
                self._connection = self._database.writing.connect()
            if calls:
                with self._connection.begin():
                    self._statements.write(cursor_of(self._connection), everything)
                    for call in calls:
                        self._run_call(self._connection, call)
            else:
                self._write(self._connection, everything)
        except Exception as cause:  # whatever it is: the thread must live on, and the waiters must hear of it
            return self._failed(rows, cause)
        self._kept = Rows()
        return None

    def _write(self, connection: Connection, rows: Rows) -> None:
        """The hot path: a transaction of the driver's own, without SQLAlchemy's bookkeeping."""
        cursor = cursor_of(connection)
        if self._database.is_sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        self._statements.write(cursor, rows)
        cursor.connection.commit()
        cursor.close()

    def _run_call(self, connection: Connection, call: _Waiter) -> None:
        assert call.work is not None
        try:
            with connection.begin_nested():
                call.result = call.work(connection)
        except SQLAlchemyError as cause:
            call.error = store_error(_FAILURE, cause)
            call.error.__cause__ = cause
        except BaseException as error:  # the work is somebody else's, and so is whatever it raises
            call.error = error

    def _failed(self, rows: Rows, cause: BaseException) -> StoreError:
        """Keep the rows of a failed batch for the next one, and say what becomes of them."""
        given_up, self._kept = len(self._kept), rows
        fate = []
        if rows:
            fate.append(f"{len(rows)} changes are kept and tried once more with the next ones")
        if given_up:
            fate.append(f"{given_up} changes that had failed before are lost")
        error = store_error(_FAILURE, cause)
        error.hint = "; ".join(fate)
        error.__cause__ = cause
        _log.error("%s", error, extra={"action": "commit_failed"})
        self._disconnect()
        return error

    def _disconnect(self) -> None:
        """Leave the connection; what it had not committed is rolled back. The next batch opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()


def _wake_all(waiters: list[_Waiter], error: StoreError | None) -> None:
    """Hand out results; each event loop is woken once, however many wait in it."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiter]] = {}
    for waiter in waiters:
        waiter.error = error or waiter.error
        if waiter.done is not None:
            waiter.done.release()
        elif waiter.future is not None:
            by_loop.setdefault(waiter.future.get_loop(), []).append(waiter)
    for loop, sleepers in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            loop.call_soon_threadsafe(_settle, sleepers)


def _settle(waiters: list[_Waiter]) -> None:
    for waiter in waiters:
        future = waiter.future
        if future is None or future.done():  # done: the one who waited was cancelled
            continue
        if waiter.error is not None:
            future.set_exception(waiter.error)
        else:
            future.set_result(waiter.result)
