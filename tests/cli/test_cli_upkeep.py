"""Deleting what need not be kept, from the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nbflow.cli.upkeep import read_age, shown_bytes
from nbflow.model.execution import Execution
from nbflow.model.state import State, StateHistory
from nbflow.settings import Settings
from nbflow.store import AppendLog, SaveExecution, Store
from nbflow.types import new_id
from tests.cli.cli_calls import Nbflow
from tests.store.store_records import log_entry

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store(Settings(home, durability="normal")) as store:
        yield store


def ran(store: Store, age: timedelta, *, namespace: str = "company.team", state: State = State.SUCCESS) -> str:
    """The id of an execution that ended so long ago, with a log line and a file."""
    history = StateHistory.begin(NOW - age).move(State.RUNNING, NOW - age)
    if state is not State.RUNNING:
        history = history.move(state, NOW - age)
    record = Execution(id=new_id(), namespace=namespace, flow_id="etl", flow_revision=1, history=history)
    store.writer.defer(SaveExecution(record, 1, None))
    store.writer.defer(AppendLog(log_entry(record.id, 2, timestamp=NOW - age)))
    store.writer.flush()
    uri = store.files.put_bytes(f"{namespace.replace('.', '/')}/etl/executions/{record.id}/inputs/a/x.csv", b"1234")
    place = store.files.local_path(uri)
    assert place is not None
    os.utime(place, ((NOW - age).timestamp(), (NOW - age).timestamp()))
    return record.id


def ids(store: Store) -> set[str]:
    return {each.id for each in store.executions.list()}


def test_old_executions_are_purged(nbflow: Nbflow, store: Store) -> None:
    old, young, running = ran(store, 40 * DAY), ran(store, DAY), ran(store, 40 * DAY, state=State.RUNNING)
    would = nbflow("executions", "purge", "--older-than", "P30D", "--dry-run")
    assert (would.status, would.out) == (0, "would delete 1 execution, 1 log line, 0 metrics, 1 file\n")
    assert ids(store) == {old, young, running}
    done = nbflow("execution", "purge", "--older-than", "30d", "-o", "json")
    assert done.json == {
        "executionsCount": 1,
        "logsCount": 1,
        "metricsCount": 0,
        "storagesCount": 1,
        "dryRun": False,
    }
    assert ids(store) == {young, running}
    assert nbflow("executions", "purge", "--older-than", "PT0S").out.startswith("deleted 1 execution, ")
    assert ids(store) == {running}


def test_what_is_purged_is_narrowed_down_and_parts_are_kept(nbflow: Nbflow, store: Store) -> None:
    ran(store, 2 * DAY)
    failed = ran(store, 2 * DAY, namespace="company.other", state=State.FAILED)
    purge = ("executions", "purge", "--older-than", "P1D")
    for narrowed in (("--namespace", "company", "--flow", "etl"), ("--state", "killed"), ("-n", "comp")):
        assert nbflow(*purge, *narrowed).out.startswith("deleted 0 executions, ")
    kept = ("--keep-logs", "--keep-metrics", "--keep-files")
    done = nbflow(*purge, "-n", "company", "--state", "failed", "--state", "KILLED", *kept)
    assert done.out == "deleted 1 execution, 0 log lines, 0 metrics, 0 files\n"
    assert len(store.logs.list(failed)) == 1
    assert nbflow("gc").out.startswith("removed 1 folder of an execution that is no more\nremoved 1 file in it\n"), (
        "its files have nobody now"
    )
    assert nbflow(*purge, "--namespace", "company.team", "--flow", "etl").out.startswith("deleted 1 execution, ")


def test_garbage_is_removed(nbflow: Nbflow, store: Store) -> None:
    gone = [ran(store, 2 * DAY), ran(store, 4 * DAY)]
    known = ran(store, 4 * DAY)
    store.executions.delete(gone)
    store.kv.put("company", "key", 1, NOW - 2 * DAY, ttl=DAY)
    assert nbflow("gc", "--older-than", "P3D", "--dry-run").out.splitlines() == [
        "would remove 1 folder of an execution that is no more",
        "would remove 1 file in it",
        "would remove 1 expired value",
        "would free 4 B",
    ]
    assert len(store.files.list("company")) == 3
    removed = nbflow("gc", "--output", "json").json
    assert removed.pop("bytesFreed") >= 8
    assert {name: count for name, count in removed.items() if count} == {"folders": 2, "files": 2, "kv": 1}
    assert removed["dryRun"] is False
    assert nbflow("gc").out.splitlines()[0] == "nothing to remove"
    assert ids(store) == {known}
    assert len(store.files.list("company")) == 1


def test_garbage_takes_the_retention_of_logs_from_the_settings(nbflow: Nbflow, store: Store, home: Path) -> None:
    old, young = ran(store, 40 * DAY), ran(store, DAY)
    (home / "nbflow.yaml").write_text("nbflow: {logging: {retention: 30d}}")
    assert nbflow("gc").out.splitlines()[0] == "removed 1 log line older than `logging.retention`"
    assert (store.logs.list(old), len(store.logs.list(young))) == ([], 1)
    assert ids(store) == {old, young}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gc", "--older-than", "x"), "`x` is no length of time"),
        (("gc", "--older-than=-P1D"), "`-P1D` is no length of time"),
        (("gc", "--older-than", "P900000D"), "so long ago there was no year 1"),
        (("gc", "--older-than", f"P{'9' * 30}D"), f"`P{'9' * 30}D` is no length of time"),
        (("executions", "purge", "--older-than", ""), "`` is no length of time"),
        (("executions", "purge", "--older-than", "P1D", "--state", "running"), "no execution ends in `RUNNING`"),
    ],
)
def test_what_cannot_be_understood_deletes_nothing(
    nbflow: Nbflow, store: Store, arguments: tuple[str, ...], message: str
) -> None:
    ran(store, DAY)
    done = nbflow(*arguments)
    assert (done.status, done.err.splitlines()[0]) == (2, f"error: {message}")
    assert len(ids(store)) == 1


def test_an_age_must_be_given_to_purge(nbflow: Nbflow, store: Store) -> None:
    ran(store, DAY)
    assert nbflow("executions", "purge").status == 2
    assert len(ids(store)) == 1


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("P30D", 30 * DAY),
        ("30d", 30 * DAY),
        ("pt12h", DAY / 2),
        ("12h", DAY / 2),
        ("90m", timedelta(minutes=90)),
        (" 2W ", 14 * DAY),
        ("P1DT12H", 1.5 * DAY),
        ("PT0S", timedelta()),
    ],
)
def test_an_age_is_written_long_or_short(text: str, age: timedelta) -> None:
    assert read_age(text) == age


def test_bytes_are_shown_in_the_unit_that_suits_them() -> None:
    assert [shown_bytes(count) for count in (0, 999, 1000, 12_345_678, 5 * 10**12, 10**16)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12.3 MB",
        "5.0 TB",
        "10000.0 TB",
    ]
