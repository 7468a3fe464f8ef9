"""What the history costs: commits beside bare SQLite ones, the size of an execution, lists over a long history.

    python benchmarks/store.py [executions]

The bare commits are measured in the same run, on the same disk, with rows of the same size.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbflow.model.execution import Attempt, Execution, LogEntry, TaskRun
from nbflow.model.state import State, StateHistory
from nbflow.model.task import LogLevel
from nbflow.settings import Settings
from nbflow.store import AppendLog, SaveExecution, SaveTaskRun, Store
from nbflow.types import new_id

CHAIN = 1000
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def milliseconds(work: Callable[[], object], rounds: int = 1) -> float:
    """The shortest time of a few tries."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best * 1000


def run_of(execution_id: str, *states: State) -> TaskRun:
    history = StateHistory.begin(NOW)
    for state in states:
        history = history.move(state, NOW)
    return TaskRun(
        new_id(), execution_id, "task", history, attempts=(Attempt(history),), outputs={"value": 1, "rows": 12}
    )


def bare_commits(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA page_size=8192")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS t (a TEXT, b TEXT, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")
        for number in range(CHAIN):
            connection.execute("BEGIN IMMEDIATE")
            rows = [("execution", f"{number + more:022}", "x" * 250) for more in (0, 1)]
            connection.executemany("INSERT OR REPLACE INTO t VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")


def chain(store: Store) -> float:
    """Milliseconds a task, in a chain as the engine writes it: one ends, the next starts, both share a commit."""
    id = new_id()
    runs = [(run_of(id, State.RUNNING, State.SUCCESS), run_of(id, State.RUNNING)) for _ in range(CHAIN)]

    async def main() -> None:
        for number, (ended, started) in enumerate(runs):
            store.writer.defer(SaveTaskRun(ended, 2 * number))
            store.writer.defer(SaveTaskRun(started, 2 * number + 1))
            await store.writer.committed()

    return milliseconds(lambda: asyncio.run(main())) / CHAIN


def fill(store: Store, count: int, runs: int, lines: int) -> None:
    """A history of `count` executions over some years, of 50 flows in 5 namespaces."""
    chance = random.Random(1)
    states = [State.SUCCESS] * 90 + [State.FAILED] * 8 + [State.WARNING, State.KILLED]
    for number in range(count):
        start = NOW + timedelta(minutes=number)
        flow = chance.randrange(50)
        end = State.RUNNING if number % 20_000 == 0 else chance.choice(states)
        history = StateHistory.begin(start).move(State.RUNNING, start)
        if end is not State.RUNNING:
            history = history.move(end, start + timedelta(seconds=9))
        id = new_id()
        labels = (("team", f"t{flow % 7}"), ("day", f"d{number // 1440}"))
        execution = Execution(
            id, f"company.team{flow % 5}", f"flow{flow}", 1, history, inputs={"name": "Ada"}, labels=labels
        )
        store.writer.defer(SaveExecution(execution, 1, None))
        for seq in range(runs):
            store.writer.defer(SaveTaskRun(run_of(id, State.RUNNING, State.SUCCESS), seq + 2))
        for seq in range(lines):
            line = LogEntry(
                id,
                seq + 10,
                start,
                LogLevel.INFO,
                "a line of the usual length, some sixty characters of it",
                "task",
                new_id(),
                0,
            )
            store.writer.defer(AppendLog(line))
        if number % 2000 == 0:
            store.writer.flush()
    store.writer.flush()


def lists(store: Store, count: int) -> None:
    day = NOW + timedelta(minutes=count // 2)
    executions = store.executions
    cases: dict[str, Callable[[], object]] = {
        "newest": lambda: executions.list(),
        "flow": lambda: executions.list(namespace="company.team3", flow_id="flow3"),
        "flow, rare state": lambda: executions.list(namespace="company.team3", flow_id="flow3", states=["KILLED"]),
        "namespace": lambda: executions.list(namespace="company.team3"),
        "namespaces below": lambda: executions.list(namespace_prefix="company"),
        "state": lambda: executions.list(states=["SUCCESS", "FAILED"]),
        "rare state": lambda: executions.list(states=["RUNNING"]),
        "common label": lambda: executions.list(labels={"team": "t3"}),
        "rare label": lambda: executions.list(labels={"day": "d1"}),
        "label and state": lambda: executions.list(labels={"team": "t3"}, states=["FAILED"]),
        "day in the middle": lambda: executions.list(start_after=day, start_before=day + timedelta(days=1)),
        "flow in that day": lambda: executions.list(
            namespace="company.team3", flow_id="flow3", start_after=day, start_before=day + timedelta(days=1)
        ),
        "flow id alone": lambda: executions.list(flow_id="flow3"),
        "text": lambda: executions.list(q="flow3"),
        "text nowhere": lambda: executions.list(q="nowhere"),
        "page 100": lambda: executions.list(offset=9900),
        "count all": lambda: executions.count(),
        "count flow": lambda: executions.count(namespace="company.team3", flow_id="flow3"),
        "count state": lambda: executions.count(states=["FAILED"]),
        "count most": lambda: executions.count(states=["SUCCESS"]),
        "count label": lambda: executions.count(labels={"team": "t3"}),
        "count namespaces": lambda: executions.count(namespace_prefix="company"),
        "log search": lambda: store.logs.search(q="usual"),
        "orphans": lambda: executions.claim_orphans("engine", NOW) and None,
    }
    for name, work in cases.items():
        print(f"  {name:20} {milliseconds(work, rounds=3):8.2f} ms")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Store(Settings(folder / "chain")) as store:
            chain(store)
            for _ in range(3):
                bare = milliseconds(lambda: bare_commits(folder)) / CHAIN
                ours = chain(store)
                print(f"commit: bare {bare:.3f} ms, ours {ours:.3f} ms, more by {ours - bare:.3f} ms")
        with Store(Settings(folder / "size", durability="normal")) as store:
            fill(store, 2000, runs=3, lines=5)
        print(f"size of an execution: {(folder / 'size' / 'nbflow.db').stat().st_size / 2000:.0f} bytes")
        settings = Settings(folder / "long", durability="normal")
        with Store(settings) as store:
            took = milliseconds(lambda: fill(store, count, runs=0, lines=0))
            print(f"{count} executions: written in {took / 1000:.0f} s")
            lists(store, count)
        print(f"opening: {milliseconds(lambda: Store(settings).close(), rounds=5):.2f} ms")


if __name__ == "__main__":
    main()
