"""Revisions of flows."""

from __future__ import annotations

from nbflow.store import Store, StoredFlow
from tests.store.store_records import NOW, at


def test_a_revision_is_new_only_if_the_source_changed(store: Store) -> None:
    flows = store.flows
    assert flows.save("a.b", "f", "one", NOW) == (1, True)
    assert flows.save("a.b", "f", "one", at(1)) == (1, False)
    assert flows.save("a.b", "f", "two", at(2), disabled=True) == (2, True)
    assert flows.get("a.b", "f") == StoredFlow("a.b", "f", 2, "two", at(2), disabled=True)
    assert flows.get("a.b", "f", 1) == StoredFlow("a.b", "f", 1, "one", NOW)
    assert [flow.revision for flow in flows.revisions("a.b", "f")] == [1, 2]
    assert flows.get("a.b", "f", 3) is None
    assert flows.get("a.b", "g") is None


def test_a_deleted_flow_is_gone_and_its_revisions_go_on_counting(store: Store) -> None:
    flows = store.flows
    flows.save("a", "f", "one", NOW)
    assert flows.delete("a", "f", at(1)) is True
    assert flows.delete("a", "f", at(2)) is False
    assert flows.get("a", "f") is None
    assert flows.list() == []
    assert flows.namespaces() == []
    assert flows.get("a", "f", 1) is not None, "executions that ran it still need it"
    assert flows.save("a", "f", "one", at(3)) == (2, True)
    assert [flow.revision for flow in flows.list()] == [2]


def test_a_flow_is_switched_off_without_a_new_revision(store: Store) -> None:
    store.flows.save("a", "f", "one", NOW)
    assert store.flows.set_disabled("a", "f", True) is True
    assert store.flows.set_disabled("a", "nobody", True) is False
    flow = store.flows.get("a", "f")
    assert flow is not None
    assert (flow.revision, flow.disabled) == (1, True)


def test_flows_are_listed_by_namespace_prefix_and_text(store: Store) -> None:
    for namespace, id in (("a_b", "z"), ("a.b", "two"), ("a.b", "one"), ("a.b.c", "three"), ("a.bc", "four")):
        store.flows.save(namespace, id, "text", NOW)

    def names(flows: list[StoredFlow]) -> list[str]:
        return [f"{flow.namespace}.{flow.id}" for flow in flows]

    assert names(store.flows.list()) == ["a.b.one", "a.b.two", "a.b.c.three", "a.bc.four", "a_b.z"]
    assert names(store.flows.list("a.b")) == ["a.b.one", "a.b.two"]
    assert names(store.flows.list("a.b", prefix=True)) == ["a.b.one", "a.b.two", "a.b.c.three"]
    assert names(store.flows.list(q="T")) == ["a.b.two", "a.b.c.three"]
    assert names(store.flows.list(q="_")) == ["a_b.z"]
    assert store.flows.namespaces() == ["a.b", "a.b.c", "a.bc", "a_b"]
