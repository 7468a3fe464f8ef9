"""Settings of namespaces: saved, listed, and handed down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from nbflow.errors import StoreError
from nbflow.settings import Settings
from nbflow.store import InvalidNameError, Store, StoredNamespace
from tests.store.store_records import NOW, at

DEFAULTS = [{"type": "io.kestra.plugin.core.log.Log", "forced": True, "values": {"level": "WARN"}}]


def test_settings_are_kept_in_place_of_those_before(store: Store) -> None:
    saved = store.namespaces.save(
        "company.team", NOW, description="ours\0", variables={"a": {"b": 1}}, plugin_defaults=DEFAULTS
    )
    assert saved == store.namespaces.get("company.team")
    assert saved == StoredNamespace(
        "company.team", "ours\N{REPLACEMENT CHARACTER}", {"a": {"b": 1}}, tuple(DEFAULTS), NOW, NOW
    )
    store.namespaces.save("company.team", at(1))
    assert store.namespaces.get("company.team") == StoredNamespace("company.team", created=NOW, updated=at(1))
    assert store.namespaces.get("company") is None


def test_settings_are_deleted_and_what_lies_in_the_namespace_stays(store: Store) -> None:
    store.namespaces.save("a", NOW, description="ours")
    store.kv.put("a", "key", 1, NOW)
    assert store.namespaces.delete("a") is True
    assert store.namespaces.delete("a") is False
    assert store.kv.get("a", "key", NOW) is not None
    assert store.namespaces.list() == [StoredNamespace("a")]


@pytest.mark.parametrize("namespace", ["", "a..b", "a.", ".a", "-a", "a b", "a/b", "é", "a\n"])
def test_what_is_no_namespace_is_refused(store: Store, namespace: str) -> None:
    with pytest.raises(InvalidNameError) as refused:
        store.namespaces.save(namespace, NOW)
    assert str(refused.value) == (
        f"`{namespace}` is no namespace "
        "(one such as company.team: letters, digits, `_` and `-`, with single dots between)"
    )


def test_what_is_no_json_is_refused_and_nothing_changes(store: Store) -> None:
    store.namespaces.save("a", NOW, description="before")
    with pytest.raises(StoreError, match="the variables of a cannot be written as JSON: a date is no JSON value"):
        store.namespaces.save("a", at(1), variables={"day": date(2026, 1, 1)})  # type: ignore[dict-item]
    with pytest.raises(StoreError, match="the plugin defaults of a cannot be written as JSON"):
        store.namespaces.save("a", at(1), plugin_defaults=[{"type": object}])  # type: ignore[dict-item]
    assert store.namespaces.get("a") == StoredNamespace("a", "before", created=NOW, updated=NOW)


def test_every_namespace_that_something_names_is_listed_with_its_parents(store: Store) -> None:
    assert store.namespaces.list() == []
    store.flows.save("flows.of.a", "f", "text", NOW)
    store.flows.save("deleted", "f", "text", NOW)
    store.flows.delete("deleted", "f", NOW)
    store.kv.put("values.b", "key", 1, NOW)
    store.secrets.put("secrets.c", "NAME", "x", NOW)
    store.namespaces.save("flows.of", NOW, description="saved")
    store.namespaces.save("settings.d", NOW)
    assert [one.id for one in store.namespaces.list()] == [
        "flows",
        "flows.of",
        "flows.of.a",
        "secrets",
        "secrets.c",
        "settings",
        "settings.d",
        "values",
        "values.b",
    ]
    assert store.namespaces.list()[1].description == "saved"


def test_variables_of_the_parents_lie_under_those_of_the_namespace(store: Store) -> None:
    save = store.namespaces.save
    save("a", NOW, variables={"db": {"host": "a", "port": 1, "tags": [1, 2]}, "only": "a", "gone": {"x": 1}})
    save("a.b.c", NOW, variables={"db": {"host": "c", "tags": [3]}, "gone": None, "kind": "map"})
    save("a.b.c.d", NOW, variables={"kind": {"below": True}})
    save("ab", NOW, variables={"stranger": True})
    assert store.namespaces.variables("a.b.c") == {
        "db": {"host": "c", "port": 1, "tags": [3]},
        "only": "a",
        "gone": None,
        "kind": "map",
    }
    assert store.namespaces.variables("a.b.c.d")["kind"] == {"below": True}
    assert store.namespaces.variables("a.b")["db"] == {"host": "a", "port": 1, "tags": [1, 2]}
    assert store.namespaces.variables("nowhere") == {}


def test_plugin_defaults_of_the_nearest_come_first(store: Store) -> None:
    for namespace, types in (("a", ["1", "2"]), ("a.b.c", ["3", "4"]), ("a.b.c.d", ["5"]), ("ab", ["6"])):
        store.namespaces.save(namespace, NOW, plugin_defaults=[{"type": type} for type in types])
    assert [default["type"] for default in store.namespaces.plugin_defaults("a.b.c")] == ["3", "4", "1", "2"]
    assert store.namespaces.plugin_defaults("nowhere") == []


def test_two_stores_that_save_at_once_leave_one_of_both(any_settings: Settings) -> None:
    with Store(any_settings) as one, Store(any_settings) as two, ThreadPoolExecutor(8) as pool:

        def save(number: int) -> None:
            store = one if number % 2 else two
            store.namespaces.save(f"a{number // 4}", NOW, variables={"x": number, "y": number})

        list(pool.map(save, range(80)))
        saved = one.namespaces.list()
    assert len(saved) == 20
    assert all(space.variables["x"] == space.variables["y"] for space in saved)
