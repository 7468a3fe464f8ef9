"""Slots of pools, read from the history; and outcomes that tasks take from each other."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from nbflow.model.execution import TaskRun
from nbflow.model.state import State
from nbflow.settings import Settings
from nbflow.store import SaveExecution, SaveTaskRun, Store, TaskPlace
from tests.store.store_records import NOW, at, execution, task_run

TTL = timedelta(seconds=10)


class Line:
    """A pool of one slot; each task run is of an execution of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        for engine in ("one", "two"):
            store.engines.beat(engine, NOW, TTL, {})

    def save(self, id: str, *states: State, owner: str = "one", ended: bool = False) -> TaskRun:
        run = task_run(f"x{id}", *states, id=id)
        of = execution(State.RUNNING, *([State.FAILED] if ended else []), id=f"x{id}")
        self.store.writer.defer(SaveExecution(of, 1, owner))
        self.store.writer.defer(SaveTaskRun(run, 2))
        return run

    def join(self, id: str, owner: str = "one", now: datetime = NOW) -> bool:
        return asyncio.run(self.store.pools.join("pool", 1, self.save(id, owner=owner), owner, now))

    def take(self, id: str, owner: str = "one", now: datetime = NOW) -> bool:
        run = task_run(f"x{id}", id=id)
        told = self.store.pools.has_room("pool", 1, run, owner, now)
        taken = asyncio.run(self.store.pools.take("pool", 1, run, owner, now))
        assert taken == told
        return taken

    def states(self) -> dict[str, str]:
        """Id of a task run → its state in the table, which moves before the record does."""
        with self.store._database.read() as connection:
            rows = connection.exec_driver_sql("SELECT id, state FROM task_runs").all()
        return {id: state for id, state in rows}


@pytest.fixture
def line(store: Store) -> Line:
    return Line(store)


def test_slots_are_given_in_the_order_of_the_line(line: Line) -> None:
    assert [line.join("3"), line.join("1", "two"), line.join("2")] == [True, False, False]
    assert line.states() == {"3": "RUNNING", "1": "QUEUED", "2": "QUEUED"}
    assert [line.take("1", "two"), line.take("2")] == [False, False]
    line.save("3", State.RUNNING, State.SUCCESS)
    line.store.writer.flush()
    assert [line.take("2"), line.take("1", "two"), line.take("2")] == [False, True, False]


def test_a_slot_is_given_back_by_whatever_ends_its_holder(line: Line) -> None:
    assert line.join("1")
    assert not line.join("2", "two")
    line.save("1", State.RUNNING, State.RETRYING)
    line.store.writer.flush()
    assert line.take("2", "two")
    assert not line.join("1")  # tried again, it comes last
    line.save("2", State.RUNNING, owner="two", ended=True)  # the execution broke
    line.store.writer.flush()
    assert line.take("1")


def test_the_slots_and_places_of_dead_engines_and_of_those_that_lost_an_execution_do_not_count(line: Line) -> None:
    assert line.join("1")
    assert not line.join("2")
    assert not line.join("3", "two")
    assert not line.take("3", "two", at(9))
    line.store.engines.beat("two", at(9), TTL, {})
    assert line.take("3", "two", at(11))
    line.save("3", State.RUNNING, State.SUCCESS, owner="two")
    for id in "12":
        line.store.executions.claim_orphans("two", at(11), only=f"x{id}")
    assert line.join("4", "two", at(11))  # the two are taken over, and nobody has asked for them yet
    assert not line.join("1", "two", at(11))


def test_what_was_killed_while_it_asked_is_not_revived(line: Line) -> None:
    run = line.save("1", State.KILLED)
    assert not asyncio.run(line.store.pools.take("pool", 1, run, "one", NOW))
    assert line.states() == {"1": "KILLED"}
    assert line.join("2")


def test_pools_are_apart(line: Line) -> None:
    assert line.join("1")
    other = line.save("2")
    assert asyncio.run(line.store.pools.join("other", 1, other, "one", NOW))


def test_two_engines_that_ask_at_once_share_the_slots(any_settings: Settings) -> None:
    async def ask(stores: tuple[Store, Store], runs: list[TaskRun]) -> list[bool]:
        names = ("one", "two")
        asked = (stores[n % 2].pools.join("pool", 3, run, names[n % 2], NOW) for n, run in enumerate(runs))
        return await asyncio.gather(*asked)

    with Store(any_settings) as one, Store(any_settings) as two:
        line = Line(one)
        runs = [line.save(f"{number}", owner="one" if number % 2 == 0 else "two") for number in range(10)]
        one.writer.flush()
        assert asyncio.run(ask((one, two), runs)).count(True) == 3
        assert list(line.states().values()).count("RUNNING") == 3


def test_an_outcome_is_replaced_and_taken_until_its_time_is_over(store: Store) -> None:
    place, other = TaskPlace("a", "f", "t"), TaskPlace("a", "f", "u")
    for id, moment, ttl in (("old", NOW, TTL), ("new", at(1), TTL)):
        asyncio.run(store.outcomes.put(place, "hash", id, {"id": id}, moment, ttl))
    found = store.outcomes.get(place, "hash", at(10), TTL)
    assert found is not None
    assert (found.execution_id, found.outputs, found.kept) == ("new", {"id": "new"}, at(1))
    assert store.outcomes.get(place, "hash", at(11), TTL) is None
    assert store.outcomes.get(place, "hash", at(11), None) is not None
    assert store.outcomes.get(other, "hash", at(1), None) is None
    assert store.outcomes.get(place, "else", at(1), None) is None
    asyncio.run(store.outcomes.put(place, "else", "next", {}, at(11), None))  # those that expired go with it
    assert store.outcomes.get(place, "hash", at(11), None) is None
    last = store.outcomes.get(place, "else", at(99), None)
    assert last is not None
    assert last.outputs == {}
