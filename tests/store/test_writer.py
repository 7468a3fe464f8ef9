"""What the writer promises: durable when it says so, in one transaction, whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from nbflow.errors import StoreError
from nbflow.model.state import State
from nbflow.settings import Settings
from nbflow.store import AppendLog, SaveExecution, SaveTaskRun, Store
from tests.store.store_records import at, execution, log_entry, task_run


def test_what_is_deferred_is_written_soon_without_anybody_asking(store: Store) -> None:
    before = store.data_version()
    store.writer.defer(AppendLog(log_entry("x", 1)))
    written = threading.Event()
    for _ in range(500):
        if store.data_version() != before:
            break
        written.wait(0.01)
    assert len(store.logs.list("x")) == 1


def test_a_writer_that_has_gone_to_sleep_wakes_for_a_deferred_change(store: Store) -> None:
    store.writer.flush()
    store.writer.defer(AppendLog(log_entry("x", 1)))
    store.writer.flush()
    asleep = threading.Event()
    for _ in range(1000):
        if store.writer.is_asleep:
            break
        asleep.wait(0.01)
    assert store.writer.is_asleep
    test_what_is_deferred_is_written_soon_without_anybody_asking(store)


def test_within_a_batch_the_last_change_of_a_record_counts(store: Store) -> None:
    run = task_run("x", id="run")
    started = execution(State.RUNNING, id="execution")

    def work(connection: Connection) -> list[int]:
        query = "SELECT count(*), max(seq) FROM task_runs"
        return list(connection.execute(text(query)).one())

    store.writer.defer(SaveTaskRun(run, 1))
    store.writer.defer(SaveExecution(execution(id="execution"), 2, "a"))
    store.writer.defer(SaveTaskRun(run.move(State.RUNNING, at(1)), 3))
    store.writer.defer(SaveExecution(started, 4, "b"))
    assert store.writer.call(work) == [1, 3]
    assert store.executions.get("execution") == started
    assert store.executions.owner("execution") == "b"


def test_all_that_gathers_shares_a_commit(settings: Settings) -> None:
    with Store(settings) as store:
        store.writer.flush()
        begun, go_on = threading.Event(), threading.Event()

        def slow(_: Connection) -> None:
            begun.set()
            go_on.wait(10)

        waiting = threading.Thread(target=store.writer.call, args=(slow,))
        waiting.start()
        assert begun.wait(10)
        for number in range(100):
            store.writer.defer(AppendLog(log_entry("x", number + 1)))
        before = store.data_version()
        go_on.set()
        waiting.join()
        store.writer.flush()
        assert len(store.logs.list("x")) == 100
        assert store.data_version() - before == 1


async def _all_committed(store: Store, execution_id: str, count: int) -> list[int]:
    async def one(number: int) -> int:
        store.writer.defer(SaveTaskRun(task_run(execution_id, id=f"{number:04}"), number))
        await store.writer.committed()
        return len(store.executions.task_runs(execution_id, after_seq=number - 1))

    return await asyncio.gather(*(one(number) for number in range(1, count + 1)))


def test_a_coroutine_goes_on_only_when_its_change_is_readable(store: Store) -> None:
    assert all(asyncio.run(_all_committed(store, "x", 50)))


def test_many_threads_with_loops_of_their_own_lose_nothing(store: Store) -> None:
    threads = [
        threading.Thread(target=lambda name: asyncio.run(_all_committed(store, name, 30)), args=(f"x{number}",))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(store.executions.task_runs(f"x{number}")) for number in range(8)] == [30] * 8


def test_many_threads_deferring_lose_nothing(store: Store) -> None:
    def defer(name: str) -> None:
        for number in range(1, 201):
            store.writer.defer(AppendLog(log_entry(name, number)))

    threads = [threading.Thread(target=defer, args=(f"x{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.writer.flush()
    assert [len(store.logs.list(f"x{number}")) for number in range(8)] == [200] * 8


def test_a_cancelled_waiter_leaves_the_others_alone(store: Store) -> None:
    async def main() -> None:
        store.writer.defer(AppendLog(log_entry("x", 1)))
        first = asyncio.ensure_future(store.writer.committed())
        second = asyncio.ensure_future(store.writer.committed())
        await asyncio.sleep(0)
        first.cancel()
        await second

    asyncio.run(main())
    assert len(store.logs.list("x")) == 1


def test_a_call_sees_what_was_deferred_before_it(store: Store) -> None:
    store.writer.defer(AppendLog(log_entry("x", 1)))
    count = store.writer.call(lambda connection: connection.execute(text("SELECT count(*) FROM logs")).scalar())
    assert count == 1


def test_a_call_that_raises_takes_back_its_own_work_alone(store: Store) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("DELETE FROM logs"))
        raise ValueError("changed my mind")

    store.writer.defer(AppendLog(log_entry("x", 1)))
    with pytest.raises(ValueError, match="changed my mind"):
        store.writer.call(work)
    assert len(store.logs.list("x")) == 1


def test_an_error_of_the_database_in_a_call_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError, match="the history could not be written"):
        store.writer.call(lambda connection: connection.execute(text("DELETE FROM nowhere")))


def test_acall_returns_and_raises_as_call_does(store: Store) -> None:
    def fail(_: Connection) -> None:
        raise KeyError("no")

    async def main() -> object:
        with pytest.raises(KeyError):
            await store.writer.acall(fail)
        return await store.writer.acall(lambda connection: connection.execute(text("SELECT 7")).scalar())

    assert asyncio.run(main()) == 7


def test_work_that_calls_the_writer_again_is_told_so_instead_of_hanging(store: Store) -> None:
    with pytest.raises(StoreError, match="the writer cannot wait for itself"):
        store.writer.call(lambda _: store.writer.flush())


def test_closing_writes_what_is_deferred_and_may_be_repeated(any_settings: Settings) -> None:
    store = Store(any_settings)
    store.writer.defer(AppendLog(log_entry("x", 1)))
    store.close()
    store.close()
    with pytest.raises(StoreError, match="the history is closed"):
        store.writer.defer(AppendLog(log_entry("x", 2)))
    with Store(any_settings) as again:
        assert len(again.logs.list("x")) == 1


def _let_it_grow_no_more(connection: Connection) -> None:
    """Make the disk full, as far as this connection of SQLite is concerned."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_a_full_disk_is_told_to_every_waiter_and_loses_nothing_once_there_is_room(settings: Settings) -> None:
    with Store(settings) as store:
        store.writer.call(_let_it_grow_no_more)
        for number in range(1, 4):
            store.writer.defer(AppendLog(log_entry("x", number, "m" * 100_000)))

        async def main() -> list[BaseException | None]:
            return await asyncio.gather(*(store.writer.committed() for _ in range(3)), return_exceptions=True)

        assert {str(error) for error in asyncio.run(main())} == {
            "the history could not be written: database or disk is full"
            " (3 changes are kept and tried once more with the next ones)"
        }
        assert store.logs.list("x") == []
        store.writer.defer(AppendLog(log_entry("x", 4)))
        store.writer.flush()
        assert [line.seq for line in store.logs.list("x")] == [1, 2, 3, 4]


@pytest.fixture
def locked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, sqlite3.Connection]]:
    """A store that gives up soon, and another connection that holds the lock until it ends its transaction."""
    monkeypatch.setattr("nbflow.store.database.BUSY_SECONDS", 0.05)
    with Store(settings) as store, contextlib.closing(sqlite3.connect(settings.home / "nbflow.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        yield store, other


def test_a_database_locked_for_too_long_loses_nothing_once_it_is_free(locked: tuple[Store, sqlite3.Connection]) -> None:
    store, other = locked
    store.writer.defer(AppendLog(log_entry("x", 1)))
    with pytest.raises(StoreError, match="database is locked"):
        store.writer.flush()
    other.execute("ROLLBACK")
    store.writer.flush()
    assert len(store.logs.list("x")) == 1


def test_what_fails_twice_is_given_up_and_said_so(locked: tuple[Store, sqlite3.Connection]) -> None:
    store, other = locked
    store.writer.defer(AppendLog(log_entry("x", 1)))
    with pytest.raises(StoreError, match="1 changes are kept"):
        store.writer.flush()
    store.writer.defer(AppendLog(log_entry("x", 2)))
    with pytest.raises(StoreError, match="1 changes that had failed before are lost"):
        store.writer.flush()
    other.execute("ROLLBACK")
    store.writer.flush()
    assert [line.seq for line in store.logs.list("x")] == [2]


def test_closing_says_what_is_lost_when_it_cannot_be_written(locked: tuple[Store, sqlite3.Connection]) -> None:
    store, other = locked
    store.writer.defer(AppendLog(log_entry("x", 1)))
    with pytest.raises(StoreError, match="1 changes that had failed before are lost"):
        store.close()
    other.execute("ROLLBACK")
