"""What has changed among the deployed flows, as one process sees what another does."""

from __future__ import annotations

from datetime import UTC, datetime

from nbflow.engine.flow_watch import FlowChanges, FlowWatch
from nbflow.store import Store
from tests.store.conftest import any_settings, postgres_database, postgres_server, postgres_url, store

__all__ = ["any_settings", "postgres_database", "postgres_server", "postgres_url", "store"]  # fixtures
EARLY, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)


def found(watch: FlowWatch) -> tuple[dict[str, tuple[int, bool]], set[str]] | None:
    """What a look finds and acts on: ids with revision and whether they are off, and ids that are gone."""
    changes = watch.look()
    watch.acted()
    if changes is None:
        return None
    return {id: (one.revision, one.disabled) for (_, id), one in changes.changed.items()}, {
        id for _, id in changes.gone
    }


def test_each_look_finds_what_is_new_since_the_last_one(store: Store) -> None:
    watch = FlowWatch(store)
    store.flows.save("tests", "a", "1", NOW)
    store.flows.save("tests", "b", "1", NOW)
    assert found(watch) == ({"a": (1, False), "b": (1, False)}, set())
    assert found(watch) is None
    store.flows.save("tests", "b", "2", NOW)
    store.flows.save("tests", "b", "3", NOW, True)
    store.flows.save("tests", "c", "1", NOW)
    assert found(watch) == ({"b": (3, True), "c": (1, False)}, set())
    store.flows.set_disabled("tests", "b", False)
    assert found(watch) == ({"b": (3, False)}, set())
    store.flows.delete("tests", "a", NOW)
    assert found(watch) == ({}, {"a"})
    store.flows.save("tests", "a", "4", NOW)
    assert found(watch) == ({"a": (2, False)}, set())


def test_a_flow_of_a_machine_whose_clock_is_slow_is_found(store: Store) -> None:
    watch = FlowWatch(store)
    store.flows.save("tests", "a", "1", NOW)
    assert found(watch) == ({"a": (1, False)}, set())
    store.flows.save("tests", "b", "1", EARLY)
    assert found(watch) == ({"b": (1, False)}, set())


def test_what_was_not_acted_on_is_found_again(store: Store) -> None:
    watch = FlowWatch(store)
    store.flows.save("tests", "a", "1", NOW)
    first = watch.look()
    assert isinstance(first, FlowChanges)
    assert watch.look() == first
