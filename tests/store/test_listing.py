"""Lists of executions: filters, pages, order."""

from __future__ import annotations

from typing import Any

import pytest

from nbflow.errors import StoreError
from nbflow.model.execution import Execution
from nbflow.model.state import State
from nbflow.settings import Settings
from nbflow.store import SaveExecution, Store
from tests.store.store_records import NOW, at, execution

HISTORIES = {
    "created": (),
    "running": (State.RUNNING,),
    "failed": (State.RUNNING, State.FAILED),
    "success": (State.RUNNING, State.SUCCESS),
}


@pytest.fixture
def executions(store: Store) -> list[Execution]:
    """Sixteen executions, newest first, spread over flows, namespaces, states and labels."""
    made = [
        execution(
            *list(HISTORIES.values())[number % 4],
            id=f"{number:02}",
            start=at(number * 10),
            namespace=("company.team", "company.team.sub", "companyx")[number % 3],
            flow_id=("etl", "load")[number % 2],
            labels=(("number", str(number)), ("half", "ab"[number // 8])),
            trigger={"id": "daily"} if number % 5 == 0 else None,
            parent_id="parent" if number % 4 == 0 else None,
        )
        for number in range(16)
    ]
    for one in made:
        store.writer.defer(SaveExecution(one, 1, None))
    store.writer.flush()
    return made[::-1]


FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "everything": ({}, lambda e: True),
    "namespace": ({"namespace": "company.team"}, lambda e: e.namespace == "company.team"),
    "prefix": ({"namespace_prefix": "company"}, lambda e: e.namespace.startswith("company.")),
    "prefix itself": ({"namespace_prefix": "company.team"}, lambda e: e.namespace.startswith("company.team")),
    "prefix of nothing": ({"namespace_prefix": "comp"}, lambda e: False),
    "flow": (
        {"namespace": "companyx", "flow_id": "load"},
        lambda e: (e.namespace, e.flow_id) == ("companyx", "load"),
    ),
    "flow id alone": ({"flow_id": "load"}, lambda e: e.flow_id == "load"),
    "state": ({"states": [State.FAILED]}, lambda e: e.state is State.FAILED),
    "states": ({"states": ["FAILED", "RUNNING"]}, lambda e: e.state in (State.FAILED, State.RUNNING)),
    "flow and state": (
        {"namespace": "companyx", "flow_id": "load", "states": [State.FAILED, State.RUNNING]},
        lambda e: e.namespace == "companyx" and e.flow_id == "load" and e.state in (State.FAILED, State.RUNNING),
    ),
    "prefix and state": (
        {"namespace_prefix": "company", "states": [State.SUCCESS]},
        lambda e: e.namespace != "companyx" and e.state is State.SUCCESS,
    ),
    "label": ({"labels": {"number": "7"}}, lambda e: ("number", "7") in e.labels),
    "labels": (
        {"labels": {"half": "a", "number": "7"}},
        lambda e: ("half", "a") in e.labels and ("number", "7") in e.labels,
    ),
    "labels that do not meet": ({"labels": {"half": "b", "number": "7"}}, lambda e: False),
    "label and state": (
        {"labels": {"half": "b"}, "states": [State.FAILED]},
        lambda e: ("half", "b") in e.labels and e.state is State.FAILED,
    ),
    "window": ({"start_after": at(20), "start_before": at(60)}, lambda e: at(20) <= e.start < at(60)),
    "window and state": (
        {"start_after": at(20), "states": ["FAILED"]},
        lambda e: at(20) <= e.start and e.state is State.FAILED,
    ),
    "parent": ({"parent_id": "parent"}, lambda e: e.parent_id == "parent"),
    "parent and state": (
        {"parent_id": "parent", "states": ["CREATED"]},
        lambda e: e.parent_id == "parent" and e.state is State.CREATED,
    ),
    "trigger": ({"trigger_id": "daily"}, lambda e: e.trigger is not None),
    "text": ({"q": "LOA"}, lambda e: e.flow_id == "load"),
    "text with a wildcard": ({"q": "company_team"}, lambda e: False),
    "id as text": ({"q": "07"}, lambda e: e.id == "07"),
}


@pytest.mark.parametrize("case", FILTERS)
def test_a_filter_finds_what_it_says_newest_first_and_counts_the_same(
    case: str, store: Store, executions: list[Execution]
) -> None:
    criteria, holds = FILTERS[case]
    expected = [one.id for one in executions if holds(one)]
    assert [one.id for one in store.executions.list(**criteria)] == expected
    assert store.executions.count(**criteria) == len(expected)


@pytest.mark.parametrize("case", FILTERS)
def test_pages_by_id_and_by_offset_put_together_are_the_whole(
    case: str, store: Store, executions: list[Execution]
) -> None:
    criteria, _ = FILTERS[case]
    whole = [one.id for one in store.executions.list(**criteria)]
    by_id: list[str] = []
    while page := store.executions.list(**criteria, limit=3, before_id=by_id[-1] if by_id else None):
        by_id += [one.id for one in page]
    by_offset: list[str] = []
    while page := store.executions.list(**criteria, limit=3, offset=len(by_offset)):
        by_offset += [one.id for one in page]
    assert by_id == by_offset == whole


def test_executions_of_the_same_instant_page_without_gaps(store: Store) -> None:
    for number in range(7):
        store.writer.defer(SaveExecution(execution(id=f"x{number}"), 1, None))
    store.writer.flush()
    seen: list[str] = []
    while page := store.executions.list(limit=2, before_id=seen[-1] if seen else None):
        seen += [one.id for one in page]
    assert seen == [f"x{number}" for number in reversed(range(7))]


def test_paging_goes_on_when_the_last_one_of_a_page_was_deleted(store: Store, executions: list[Execution]) -> None:
    store.executions.delete(["08"])
    assert [one.id for one in store.executions.list(before_id="08", limit=2)] == ["07", "06"]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("id", lambda e: e.id),
        ("start", lambda e: e.start),
        ("state", lambda e: (str(e.state), e.id)),
        ("namespace", lambda e: (e.namespace, e.id)),
        ("flow_id", lambda e: (e.flow_id, e.id)),
    ],
)
def test_lists_can_be_sorted_otherwise(sort: str, key: Any, store: Store, executions: list[Execution]) -> None:
    upwards = sorted(executions, key=key)
    assert store.executions.list(sort=sort) == upwards
    assert store.executions.list(sort=f"-{sort}") == upwards[::-1]
    assert store.executions.list(sort=sort, limit=3, offset=2) == upwards[2:5]


def test_an_unknown_order_names_the_known_ones(store: Store) -> None:
    with pytest.raises(StoreError) as refused:
        store.executions.list(sort="colour")
    assert str(refused.value) == (
        "executions cannot be sorted by `colour` (there are id, start, end, state, namespace, flow_id)"
    )


def test_changed_labels_are_found_and_the_old_ones_are_not(store: Store) -> None:
    before = execution(id="x", labels=(("a", "1"), ("b", "2")))
    after = execution(id="x", labels=(("b", "3"),))
    for version in (before, after):
        store.writer.defer(SaveExecution(version, 1, None))
        store.writer.flush()
    assert store.executions.list(labels={"a": "1"}) == []
    assert store.executions.list(labels={"b": "2"}) == []
    assert store.executions.list(labels={"b": "3"}) == [after]


def test_labels_that_another_process_wrote_are_replaced_too(any_settings: Settings, store: Store) -> None:
    ours = execution(id="x", labels=(("a", "1"),))
    theirs = execution(id="x", labels=(("a", "2"), ("b", "3")))
    store.writer.defer(SaveExecution(ours, 1, None))
    store.writer.flush()
    with Store(any_settings) as other:
        other.writer.defer(SaveExecution(theirs, 2, None))
    store.writer.defer(SaveExecution(ours, 3, None))
    store.writer.flush()
    assert store.executions.list(labels={"a": "1"}) == [ours]
    assert store.executions.count(labels={"b": "3"}) == 0


def test_running_counts_what_holds_a_slot(store: Store) -> None:
    for number, moves in enumerate(
        [(), (State.QUEUED,), (State.RUNNING,), (State.RUNNING, State.PAUSED), (State.RUNNING, State.SUCCESS)]
    ):
        store.writer.defer(SaveExecution(execution(*moves, id=str(number)), 1, None))
    store.writer.defer(SaveExecution(execution(State.RUNNING, flow_id="other"), 1, None))
    store.writer.flush()
    assert store.executions.running("company.team", "etl") == 2


def test_instants_before_1970_and_far_ahead_survive(store: Store) -> None:
    early = execution(start=NOW.replace(year=1960))
    store.writer.defer(SaveExecution(early, 1, None))
    store.writer.flush()
    assert store.executions.list() == [early]
