"""Deleting what need not be kept: ended executions, log lines, values, garbage. What is under way stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nbflow.model.execution import Execution, Metric
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.plugins.home import Purged, Upkeep
from nbflow.settings import Settings
from nbflow.store import AddMetric, AppendLog, Garbage, SaveExecution, SaveTaskRun, Store, TaskPlace
from nbflow.types import new_id
from tests.store.store_records import NOW, at, execution, log_entry, task_run

DAY = timedelta(days=1)
LATER = NOW + 10 * DAY
ENDED = (State.RUNNING, State.SUCCESS)


def ran(
    store: Store, *states: State, age: timedelta = timedelta(), owner: str | None = None, **fields: Any
) -> Execution:
    """An execution in the history that began so long before NOW, with two log lines, a metric and a file."""
    record = execution(*(states or ENDED), start=NOW - age, labels=(("team", "x"),), **fields)
    run = task_run(record.id, *(states or ENDED))
    store.writer.defer(SaveExecution(record, 1, owner))
    store.writer.defer(SaveTaskRun(run, 2))
    for seq, level in ((3, LogLevel.INFO), (4, LogLevel.ERROR)):
        store.writer.defer(AppendLog(log_entry(record.id, seq, timestamp=NOW - age, level=level)))
    store.writer.defer(AddMetric(Metric(record.id, "extract", run.id, "counter", "rows", 1.0, NOW - age)))
    store.writer.flush()
    wrote(store, f"{folder_of(record)}/tasks/extract/{run.id}/a.txt", NOW, b"content")
    return record


def folder_of(record: Execution) -> str:
    return f"{record.namespace.replace('.', '/')}/{record.flow_id}/executions/{record.id}"


def ids(store: Store) -> set[str]:
    return {each.id for each in store.executions.list(limit=1000)}


def wrote(store: Store, path: str, moment: datetime, content: bytes = b"x") -> Path:
    """A file of the storage, written at an instant."""
    place = store.files.local_path(store.files.put_bytes(path, content))
    if place is None:  # a remote storage says itself when a file was written
        return Path(path)
    os.utime(place, (moment.timestamp(), moment.timestamp()))
    return place


def test_the_purger_is_what_tasks_are_handed(store: Store) -> None:
    upkeep: Upkeep = store.purging
    assert upkeep.purge_executions(NOW) == Purged()


def test_an_execution_goes_with_all_that_belongs_to_it(store: Store) -> None:
    old, young = ran(store, age=2 * DAY), ran(store)
    store.commands.send(old.id, "kill", {}, NOW)
    assert store.purging.purge_executions(LATER, end_date=NOW - DAY) == Purged(1, 2, 1, 1)
    assert ids(store) == {young.id}
    assert store.executions.task_runs(old.id) == []
    assert store.logs.list(old.id) == []
    assert store.metrics.list(old.id) == []
    assert store.executions.count(labels={"team": "x"}) == 1
    assert store.commands.take([old.id]) == []
    assert store.files.list(folder_of(old)) == []
    assert len(store.files.list(folder_of(young))) == len(store.metrics.list(young.id)) == 1
    assert store.purging.purge_executions(LATER) == Purged(1, 2, 1, 1), "the end is now unless it is said"


def test_a_dry_run_counts_and_deletes_nothing(store: Store) -> None:
    ran(store)
    ran(store)
    would = store.purging.purge_executions(LATER, dry_run=True)
    assert would == Purged(2, 4, 2, 2)
    assert len(ids(store)) == 2
    assert store.purging.purge_executions(LATER) == would


@pytest.mark.parametrize(
    ("narrowed", "gone"),
    [
        ({"namespace": "a"}, {"a/f", "a/g", "a.b/f"}),
        ({"namespace": "a", "flow_id": "f"}, {"a/f"}),
        ({"flow_id": "f"}, {"a/f", "a.b/f", "ab/f"}),
        ({"namespace": "a.b"}, {"a.b/f"}),
        ({"namespace": ""}, set()),
        ({"states": [State.FAILED]}, {"a/g"}),
        ({"states": ["SUCCESS", "RUNNING"]}, {"a/f", "a.b/f", "ab/f"}),
        ({"states": ["RUNNING"]}, set()),
        ({"start_date": at(0)}, {"a.b/f", "ab/f"}),
        ({"start_date": at(0), "end_date": at(2)}, {"a.b/f"}),
        ({"end_date": at(1)}, {"a/f", "a/g"}),
    ],
)
def test_what_goes_is_narrowed_down(store: Store, narrowed: dict[str, Any], gone: set[str]) -> None:
    """The instants are those of the beginning and of the end, two seconds later; both are included."""
    ran(store, namespace="a", flow_id="f", age=DAY)
    ran(store, State.RUNNING, State.FAILED, namespace="a", flow_id="g", age=DAY)
    ran(store, namespace="a.b", flow_id="f")
    ran(store, namespace="ab", flow_id="f", age=-DAY)
    ran(store, State.RUNNING, namespace="a", flow_id="f", age=DAY)
    before = {each.id: f"{each.namespace}/{each.flow_id}" for each in store.executions.list()}
    count = store.purging.purge_executions(LATER, **narrowed).executions
    assert sorted(name for id, name in before.items() if id not in ids(store)) == sorted(gone)
    assert count == len(gone)


@pytest.mark.parametrize("kept", ["execution", "log", "metric", "storage"])
def test_parts_of_an_execution_are_kept(store: Store, kept: str) -> None:
    old = ran(store, age=DAY)
    flags: dict[str, Any] = {f"purge_{kept}": False}
    would = store.purging.purge_executions(LATER, dry_run=True, **flags)
    assert store.purging.purge_executions(LATER, **flags) == would
    names = {"execution": "executions", "log": "logs", "metric": "metrics", "storage": "files"}
    assert would == replace(Purged(1, 2, 1, 1), **{names[kept]: 0})
    assert {
        "execution": len(ids(store)) == len(store.executions.task_runs(old.id)) == 1,
        "log": len(store.logs.list(old.id)) == 2,
        "metric": len(store.metrics.list(old.id)) == 1,
        "storage": len(store.files.list(folder_of(old))) == 1,
    } == {part: part == kept for part in names}


def test_many_executions_go_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbflow.store.purging._AT_ONCE", 8)
    for _ in range(20):
        ran(store)
    running = ran(store, State.RUNNING)
    commits: list[int] = []
    call = store.writer.call
    monkeypatch.setattr(store.writer, "call", lambda work: commits.append(1) or call(work))  # type: ignore[func-returns-value]
    assert store.purging.purge_executions(LATER, portion=3) == Purged(20, 40, 20, 20)
    assert ids(store) == {running.id}
    assert len(commits) == 8, "3 for each of two times 8 ids, 2 for the last 4"


@pytest.mark.parametrize("state", [state for state in State if not state.is_terminal])
def test_no_execution_goes_that_is_under_way(store: Store, state: State) -> None:
    ways: dict[State, tuple[State, ...]] = {State.CREATED: (), State.RESTARTED: (*ENDED, State.RESTARTED)}
    record = execution(*ways.get(state, () if state is State.QUEUED else (State.RUNNING,)))
    if record.state is not state:
        record = record.move(state, NOW)
    store.writer.defer(SaveExecution(record, 1, None))
    store.writer.flush()
    assert store.purging.purge_executions(LATER, states=[state]) == Purged()
    assert store.purging.purge_executions(LATER) == Purged()
    assert ids(store) == {record.id}


def test_what_an_execution_under_way_has_called_stays(store: Store) -> None:
    """An engine that takes the caller over would not find it, and run it again."""
    caller = ran(store, State.RUNNING)
    child = ran(store, parent_id=caller.id)
    assert store.purging.purge_executions(LATER) == Purged()
    store.writer.defer(SaveExecution(caller.move(State.SUCCESS, at(5)), 9, None))
    store.writer.flush()
    assert store.purging.purge_executions(LATER).executions == 2
    assert child.id not in ids(store)


def test_an_execution_stays_while_its_tasks_after_the_end_run(store: Store) -> None:
    ended = ran(store, owner="engine")
    store.writer.defer(SaveTaskRun(task_run(ended.id, State.RUNNING), 9))
    store.engines.beat("engine", LATER, timedelta(seconds=10), {})
    assert store.purging.purge_executions(LATER) == Purged()
    assert store.purging.purge_executions(LATER + timedelta(seconds=20)).executions == 1, "its engine has died"


def test_an_execution_that_is_being_restarted_is_passed_over(store: Store, any_settings: Settings) -> None:
    if any_settings.repository_url is None:
        pytest.skip("on SQLite, transactions that write follow each other")
    import psycopg

    ran(store)
    busy = ran(store)
    with psycopg.connect(any_settings.repository_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE executions SET owner = 'other' WHERE id = %s", (busy.id,))
        assert store.purging.purge_executions(LATER).executions == 1
        connection.execute("UPDATE executions SET state = 'RUNNING' WHERE id = %s", (busy.id,))
    assert store.purging.purge_executions(LATER).executions == 0
    assert ids(store) == {busy.id}
    assert len(store.files.list(folder_of(busy))) == 1


@pytest.mark.parametrize(
    ("narrowed", "count", "orphaned"),
    [
        ({}, 8, 0),
        ({"end_date": NOW - DAY}, 4, 2),
        ({"start_date": NOW - DAY}, 6, 0),
        ({"start_date": at(-1)}, 4, 0),
        ({"levels": ["ERROR"]}, 4, 1),
        ({"levels": [LogLevel.TRACE, LogLevel.INFO, LogLevel.ERROR]}, 8, 0),
        ({"namespace": "a"}, 4, 2),
        ({"namespace": "a", "flow_id": "f"}, 2, 2),
        ({"flow_id": "f"}, 4, 2),
        ({"namespace": "c"}, 0, 2),
    ],
)
@pytest.mark.parametrize("portion", [1, 3, 1000])
def test_log_lines_go_by_age_level_and_flow(
    store: Store, narrowed: dict[str, Any], count: int, orphaned: int, portion: int
) -> None:
    """Lines whose execution was deleted belong to no flow."""
    ran(store, namespace="a", flow_id="f", age=2 * DAY)
    ran(store, namespace="a.b", flow_id="f", age=DAY)
    ran(store, namespace="b", flow_id="g")
    orphan = ran(store, namespace="c", flow_id="g")
    store.purging.purge_executions(LATER, namespace="c", purge_log=False)
    running = ran(store, State.RUNNING, age=2 * DAY)
    asked = {"end_date": LATER, **narrowed}
    assert store.purging.purge_logs(**asked, dry_run=True) == count
    assert store.purging.purge_logs(**asked, portion=portion) == count
    assert store.logs.count() == 10 - count
    assert len(store.logs.list(running.id)) == 2, "it is under way"
    assert len(store.logs.list(orphan.id)) == orphaned
    assert store.purging.purge_logs(LATER, execution_id=orphan.id) == orphaned


@pytest.mark.parametrize(
    ("narrowed", "gone"),
    [
        ({}, {"a/old", "a.b/old", "ab/old.x"}),
        ({"namespaces": ["a"]}, {"a/old", "a.b/old"}),
        ({"namespaces": ["a"], "with_children": False}, {"a/old"}),
        ({"namespaces": ["a.b", "ab"]}, {"a.b/old", "ab/old.x"}),
        ({"namespace_pattern": "a?b"}, {"a.b/old"}),
        ({"namespace_pattern": "A*"}, set()),
        ({"key_pattern": "old.*"}, {"ab/old.x"}),
        ({"key_pattern": "*"}, {"a/old", "a.b/old", "ab/old.x"}),
        ({"expired_only": False, "namespaces": ["a"]}, {"a/old", "a/new", "a.b/old"}),
        ({"expired_only": False, "key_pattern": "?ew"}, {"a/new"}),
    ],
)
def test_values_go_by_namespace_and_key(store: Store, narrowed: dict[str, Any], gone: set[str]) -> None:
    for namespace, key in (("a", "old"), ("a.b", "old"), ("ab", "old.x")):
        store.kv.put(namespace, key, 1, NOW, ttl=DAY)
    store.kv.put("a", "new", 1, NOW)
    assert store.purging.purge_kv(LATER, **narrowed, dry_run=True) == len(gone)
    assert store.purging.purge_kv(LATER, **narrowed) == len(gone)
    left = {f"{each.namespace}/{each.key}" for each in store.kv.list(None, NOW)}
    assert left == {"a/old", "a.b/old", "ab/old.x", "a/new"} - gone


def test_folders_of_executions_that_are_no_more_are_garbage(store: Store) -> None:
    known, gone = ran(store, State.RUNNING), ran(store)
    wrote(store, f"{folder_of(known)}/inputs/a/b.csv", NOW)
    wrote(store, f"{folder_of(gone)}/tasks/extract/x/executions/deeper.txt", NOW, b"1234")
    store.executions.delete([gone.id])
    would = store.purging.collect_garbage(LATER, dry_run=True)
    assert would == Garbage(folders=1, files=2, bytes_freed=11)
    assert len(store.files.list(folder_of(gone))) == 2
    done = store.purging.collect_garbage(LATER)
    assert replace(done, bytes_freed=0) == replace(would, bytes_freed=0)
    assert done.bytes_freed >= 11
    assert store.files.list(folder_of(gone)) == []
    assert len(store.files.list(folder_of(known))) == 2
    assert replace(store.purging.collect_garbage(LATER), bytes_freed=0) == Garbage()


@pytest.mark.parametrize("older_than", [timedelta(), timedelta(hours=1)])
def test_a_file_of_this_hour_is_in_use(store: Store, older_than: timedelta) -> None:
    """Another process stores the inputs of an execution first, and only then it is in the history."""
    folder = f"company/team/etl/executions/{new_id()}"
    wrote(store, f"{folder}/inputs/a/old.csv", NOW - DAY)
    young = wrote(store, f"{folder}/inputs/b/young.csv", at(-3000))
    assert store.purging.collect_garbage(NOW, older_than=older_than).folders == 0
    assert young.is_file()
    assert store.purging.collect_garbage(at(1000), older_than=older_than).files == 2
    assert not young.exists()


def test_only_what_is_older_is_garbage(store: Store) -> None:
    wrote(store, f"a/f/executions/{new_id()}/x", NOW)
    assert store.purging.collect_garbage(NOW + 2 * DAY, older_than=3 * DAY).folders == 0
    assert store.purging.collect_garbage(NOW + 4 * DAY, older_than=3 * DAY).folders == 1


def test_names_like_those_of_folders_lead_nobody_astray(store: Store) -> None:
    """Namespaces, flows and files may be called as the folders of the storage are."""
    one = ran(store, namespace="a.b.executions", flow_id="executions")
    two = ran(store, namespace="executions.executions", flow_id="executions")
    kept = [
        wrote(store, f"a/_files/executions/{new_id()}/notes.md", NOW),
        wrote(store, f"a/b/_files/executions/{new_id()}/tasks/x/cache/cache.txt", NOW),
        wrote(store, f"a/f/states/executions/{new_id()[:10]}/x.txt", NOW),
        wrote(store, f"a/f/executions/{new_id()}", NOW),
        wrote(store, f"executions/{new_id()}/x.txt", NOW),
        wrote(store, f"{folder_of(one)}/tasks/t/r/executions/{new_id()}/x.txt", NOW),
        wrote(store, f"{folder_of(two)}/x.txt", NOW),
    ]
    assert replace(store.purging.collect_garbage(LATER), bytes_freed=0) == Garbage()
    assert all(place.is_file() for place in kept)
    store.executions.delete([one.id, two.id])
    assert store.purging.collect_garbage(LATER).files == 4, "the last two, and those that the executions came with"
    assert [place.is_file() for place in kept] == [True] * 5 + [False] * 2


def test_a_cache_is_garbage_when_its_flow_is_not_deployed(store: Store) -> None:
    store.flows.save("a.b", "deployed", "source", NOW)
    store.flows.save("a.b", "deleted", "source", NOW)
    store.flows.delete("a.b", "deleted", NOW)
    for flow in ("deployed", "deleted", "unknown"):
        wrote(store, f"a/b/{flow}/tasks/dir/cache/cache-0123.tar.gz", NOW)
    wrote(store, "a/b/unknown/tasks/dir/cache/cache.tar.gz", NOW + 20 * DAY)
    assert store.purging.collect_garbage(NOW + 20 * DAY).caches == 0
    assert store.purging.collect_garbage(NOW + 40 * DAY).caches == 2
    assert len(store.files.list("a")) == 2


def test_a_file_that_never_became_whole_is_garbage(store: Store) -> None:
    wrote(store, "a/_files/x", NOW)
    whole = store.settings.storage_path / ".incoming"
    for name, moment in (("old", NOW), ("young", LATER)):
        (whole / name).write_bytes(b"half")
        os.utime(whole / name, (moment.timestamp(), moment.timestamp()))
    assert store.purging.collect_garbage(LATER, dry_run=True) == Garbage(uploads=1, bytes_freed=4)
    assert store.purging.collect_garbage(LATER).uploads == 1
    assert [place.name for place in whole.iterdir()] == ["young"]


def test_commands_engines_values_and_outcomes_are_garbage_when_their_time_is_over(store: Store) -> None:
    running, ended = ran(store, State.RUNNING), ran(store)
    for record in (running, ended):
        store.commands.send(record.id, "kill", {}, NOW)
    store.commands.send("nobody", "kill", {}, NOW)
    store.commands.send(ended.id, "kill", {}, LATER)
    store.engines.beat("dead", NOW, timedelta(seconds=10), {})
    store.engines.beat("asleep", LATER, timedelta(seconds=-60), {})
    store.engines.beat("alive", LATER, timedelta(seconds=10), {})
    store.kv.put("a", "key", 1, NOW, ttl=DAY)
    for number, ttl in enumerate((DAY, None, 20 * DAY)):
        place = TaskPlace("a", "flow", f"task{number}")
        asyncio.run(store.outcomes.put(place, "hash", ended.id, {"a": 1}, NOW, ttl))
    expected = Garbage(kv=1, outcomes=1, commands=2, engines=1)
    assert store.purging.collect_garbage(LATER, dry_run=True) == expected
    assert replace(store.purging.collect_garbage(LATER), bytes_freed=0) == expected
    assert replace(store.purging.collect_garbage(LATER), bytes_freed=0) == Garbage()
    assert [command.execution_id for command in store.commands.take([running.id, ended.id])] == [running.id, ended.id]


def test_working_directories_of_dead_processes_are_garbage(store: Store) -> None:
    place = store.settings.home / "tmp"
    for name, moment in (("old", NOW), ("young", LATER), ("busy", NOW)):
        (place / name / "deep").mkdir(parents=True)
        (place / name / "deep" / "file").write_bytes(b"12345")
        written = LATER if name == "busy" else moment
        os.utime(place / name / "deep" / "file", (written.timestamp(), written.timestamp()))
        os.utime(place / name, (moment.timestamp(), moment.timestamp()))
    store.engines.beat("engine", LATER, timedelta(seconds=-60), {})
    assert store.purging.collect_garbage(LATER).working_dirs == 0, "an engine without a lease may be asleep"
    store.engines.remove("engine")
    assert store.purging.collect_garbage(LATER, dry_run=True) == Garbage(working_dirs=1, bytes_freed=5)
    assert store.purging.collect_garbage(LATER).working_dirs == 1
    assert sorted(folder.name for folder in place.iterdir()) == ["busy", "young"]


def test_log_lines_go_when_their_retention_is_over(any_settings: Settings) -> None:
    with Store(replace(any_settings, log_retention=3 * DAY)) as store:
        ran(store, age=5 * DAY)
        running = ran(store, State.RUNNING, age=5 * DAY)
        ran(store)
        assert store.purging.collect_garbage(NOW, dry_run=True).logs == 2
        assert store.purging.collect_garbage(NOW).logs == 2
        assert (store.logs.count(), len(store.logs.list(running.id))) == (4, 2)


@pytest.fixture
def large(settings: Settings) -> Iterator[Store]:
    """A history on SQLite of some megabytes, most of them deleted."""
    with Store(settings) as store:
        for _ in range(100):
            store.kv.put("a", new_id(), "x" * 50_000, NOW, ttl=DAY)
        yield store


def test_sqlite_gives_its_space_back(large: Store) -> None:
    before = sum(file.stat().st_size for file in large.settings.home.glob("nbflow.db*"))
    done = large.purging.collect_garbage(LATER)
    after = sum(file.stat().st_size for file in large.settings.home.glob("nbflow.db*"))
    assert done.kv == 100
    assert before > 5_000_000
    assert after < 500_000
    assert done.bytes_freed > 5_000_000
    large.kv.put("a", "key", 1, NOW)
    assert large.kv.get("a", "key", NOW) is not None


def test_sqlite_keeps_its_file_while_an_engine_is_at_work(large: Store) -> None:
    """It would have to wait until all is copied; what is free is used again in any case."""
    large.engines.beat("engine", LATER, timedelta(seconds=10), {})
    large.purging.collect_garbage(LATER)
    assert (large.settings.home / "nbflow.db").stat().st_size > 5_000_000
    assert (large.settings.home / "nbflow.db-wal").stat().st_size == 0


def test_a_database_that_others_hold_is_left_as_it_is(
    large: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import sqlite3

    monkeypatch.setattr("nbflow.store.garbage._SQLITE_WAITS", 1)
    large.purging.purge_kv(LATER)
    other = sqlite3.connect(large.settings.home / "nbflow.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        large.purging.collect_garbage(LATER)
    finally:
        other.close()
    assert "the history could not be made shorter: database is locked" in caplog.messages


def test_garbage_is_found_in_a_remote_storage(settings: Settings) -> None:
    from datetime import UTC

    with Store(replace(settings, storage_url=f"memory://{new_id()}")) as store:
        known, gone = ran(store, State.RUNNING), ran(store)
        store.executions.delete([gone.id])
        written = datetime.now(UTC)
        assert store.purging.collect_garbage(written).folders == 0, "they were written this hour"
        assert store.purging.collect_garbage(written + DAY, dry_run=True) == Garbage(folders=1, files=1, bytes_freed=7)
        assert store.purging.collect_garbage(written + DAY).files == 1
        assert store.files.list(folder_of(gone)) == []
        assert len(store.files.list(folder_of(known))) == 1
