"""What engines that share a history tell each other: leases, orphans, commands, triggers, audit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from nbflow.model.state import State
from nbflow.settings import Settings
from nbflow.store import AuditEntry, Command, SaveExecution, Store, TriggerState
from tests.store.store_records import NOW, at, execution

TTL = timedelta(seconds=10)


def test_an_engine_lives_until_its_lease_runs_out(store: Store) -> None:
    store.engines.beat("b", NOW, TTL, {"host": "x"})
    store.engines.beat("a", NOW, TTL, {})
    assert store.engines.alive(at(9)) == ["a", "b"]
    store.engines.beat("b", at(5), TTL, {})
    assert store.engines.alive(at(10)) == ["b"]
    store.engines.remove("b")
    assert store.engines.alive(NOW) == ["a"]


def test_orphans_are_claimed_once_and_only_unfinished_ones_of_the_dead(store: Store) -> None:
    store.engines.beat("alive", NOW, TTL, {})
    store.engines.beat("dead", at(-60), TTL, {})
    owners = {"1": "alive", "2": "dead", "3": "gone", "4": None, "6": "dead"}
    for id, owner in owners.items():
        store.writer.defer(SaveExecution(execution(State.RUNNING, id=id), 1, owner))
    store.writer.defer(SaveExecution(execution(State.RUNNING, State.SUCCESS, id="5"), 1, "dead"))
    store.writer.flush()
    assert store.executions.claim_orphans("alive", NOW, exclude=["6"]) == ["2", "3", "4"]
    assert store.executions.claim_orphans("alive", NOW, exclude={"6"}) == []
    assert [store.executions.owner(id) for id in "123456"] == ["alive", "alive", "alive", "alive", "dead", "dead"]


def test_slots_of_a_flow_are_given_to_the_limit_and_in_the_order_of_the_queue(any_settings: Settings) -> None:
    """Two engines ask for slots at once; each has a store of its own, as in two processes."""

    async def ask(one: Store, two: Store, ids: str) -> list[bool]:
        stores = (one, two)
        asked = (stores[n % 2].executions.take_slot("company.team", "etl", id, 2) for n, id in enumerate(ids))
        return await asyncio.gather(*asked)

    with Store(any_settings) as one, Store(any_settings) as two:
        for id in "123456":
            one.writer.defer(SaveExecution(execution(State.QUEUED, id=id), 1, None))
        one.writer.flush()
        assert asyncio.run(ask(one, two, "654321")).count(True) == 2
        assert [run.id for run in one.executions.list(states=["RUNNING"])] == ["2", "1"]
        one.writer.defer(SaveExecution(execution(State.RUNNING, State.SUCCESS, id="2"), 2, None))
        one.writer.flush()
        assert asyncio.run(ask(one, two, "6543")) == [False, False, False, True]


def test_commands_are_taken_once_by_whom_they_concern(store: Store) -> None:
    for id, owner in (("x", "one"), ("y", "two")):
        store.writer.defer(SaveExecution(execution(State.RUNNING, id=id), 1, owner))
    store.writer.flush()
    store.commands.send("x", "pause", {}, NOW)
    store.commands.send("y", "kill", {"cascade": True}, NOW)
    store.commands.send("x", "resume", {"inputs": {"a": 1}}, NOW)
    taken = store.commands.take("one")
    assert [(command.name, command.payload) for command in taken] == [("pause", {}), ("resume", {"inputs": {"a": 1}})]
    assert store.commands.take("one") == []
    (killed,) = store.commands.take(["y", "z"])
    assert killed == Command(killed.id, "y", "kill", {"cascade": True})
    assert store.commands.take([]) == []


def test_the_state_of_a_trigger_is_kept_and_replaced(store: Store) -> None:
    first = TriggerState("a", "f", "daily", next_date=NOW)
    store.triggers.save(first)
    assert store.triggers.get("a", "f", "daily") == first
    second = TriggerState("a", "f", "daily", True, at(60), NOW, "execution", {"seen": [1, 2]})
    store.triggers.save(second)
    other = TriggerState("b", "f", "hook")
    store.triggers.save(other)
    assert store.triggers.get("a", "f", "daily") == second
    assert store.triggers.list() == [second, other]
    assert store.triggers.list("b") == [other]
    assert store.triggers.list("a", "g") == []
    assert store.triggers.delete("b", "f", "hook") is True
    assert store.triggers.get("b", "f", "hook") is None


def test_the_audit_lists_the_latest_first(store: Store) -> None:
    store.audit.append(NOW, "ada", "execution_killed", "x")
    store.audit.append(at(1), "bob", "flow_deleted", "company.etl")
    assert store.audit.list() == [
        AuditEntry(at(1), "bob", "flow_deleted", "company.etl"),
        AuditEntry(NOW, "ada", "execution_killed", "x"),
    ]


def test_the_version_of_the_data_grows_with_every_commit_and_only_then(any_settings: Settings, store: Store) -> None:
    first = store.data_version()
    assert store.data_version() == first
    store.triggers.save(TriggerState("a", "f", "mine"))
    second = store.data_version()
    assert second > first
    with Store(any_settings) as other:
        other.triggers.save(TriggerState("a", "f", "theirs"))
    assert store.data_version() > second
