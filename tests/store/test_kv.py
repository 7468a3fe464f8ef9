"""Values under keys: their types, their end, and two who write at once."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from nbflow.errors import ConflictError, NbflowError
from nbflow.settings import Settings
from nbflow.store import InvalidNameError, InvalidValueError, KvEntry, KvType, KvValue, Store, read_kv_value
from tests.store.store_records import NOW, at

NS = "company.team"


@pytest.mark.parametrize(
    ("value", "type", "stored"),
    [
        ("text", "STRING", "text"),
        ("42", "STRING", "42"),
        ("a\0b \ud800 é", "STRING", "a\0b \ud800 é"),
        (None, "STRING", None),
        (42, "NUMBER", 42),
        (-1.5, "NUMBER", -1.5),
        (10**40, "NUMBER", 10**40),
        (True, "BOOLEAN", True),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))), "DATETIME", "2026-01-02T02:04:05Z"),
        (date(2026, 1, 2), "DATE", "2026-01-02"),
        (timedelta(hours=1, seconds=1.5), "DURATION", "PT1H1.5S"),
        ({"a": [1, None, {"b": date(2026, 1, 2)}]}, "JSON", {"a": [1, None, {"b": "2026-01-02"}]}),
        ([], "JSON", []),
    ],
)
def test_a_value_keeps_its_type(store: Store, value: object, type: str, stored: object) -> None:
    written = store.kv.put(NS, "key", value, NOW)
    assert written == store.kv.get(NS, "key", NOW)
    assert written == KvValue(NS, "key", KvType(type), 1, NOW, NOW, value=stored)  # type: ignore[arg-type]
    assert str(written.value) == str(stored), "neither does 1 become 1.0, nor true 1"


@pytest.mark.parametrize(
    ("text", "type", "value"),
    [
        ("42", "STRING", "42"),
        (42, "STRING", "42"),
        (" 42 ", "NUMBER", 42),
        ("-1.50", "NUMBER", -1.5),
        ("1e3", "NUMBER", 1000.0),
        ("false", "BOOLEAN", False),
        ("True", "BOOLEAN", True),
        ("2026-01-02T03:04:05+01:00", "DATETIME", "2026-01-02T02:04:05Z"),
        ("2026-01-02T03:04:05.123456789Z", "DATETIME", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02", "DATE", "2026-01-02"),
        ("P1DT1H", "DURATION", "PT25H"),
        ('{"a": [1]}', "JSON", {"a": [1]}),
        ('"text"', "JSON", "text"),
    ],
)
def test_text_is_read_as_the_type_that_is_asked_for(store: Store, text: object, type: str, value: object) -> None:
    assert read_kv_value(text, type) == value
    written = store.kv.put(NS, "key", text, NOW, type=type)
    assert (written.type, written.value) == (type, value)


@pytest.mark.parametrize(
    ("value", "type", "message"),
    [
        ("many", "NUMBER", 'a value of type NUMBER must be a number, got "many"'),
        ("NaN", "NUMBER", 'a value of type NUMBER must be a number, got "NaN"'),
        (True, "NUMBER", "a value of type NUMBER must be a whole number, got true"),
        ("maybe", "BOOLEAN", 'a value of type BOOLEAN must be true or false, got "maybe"'),
        ("soon", "DATETIME", "a value of type DATETIME must be a date and time such as 2024-01-31T08:30:00Z, "),
        ("2026-13-01", "DATE", 'a value of type DATE must be a date such as 2024-01-31, got "2026-13-01"'),
        ("5 min", "DURATION", "a value of type DURATION must be an ISO 8601 duration such as PT30S, PT5M or P1D, "),
        ("{", "JSON", 'a value of type JSON must be JSON, got "{"'),
        (float("nan"), None, "a value of type NUMBER must be a number, got NaN"),
        ([float("inf")], None, "a value of type JSON must be a value that JSON has, got inf"),
        ({"a": object}, None, "a value of type JSON must be a value that JSON has, got type"),
        ("x", "TEXT", "`TEXT` is no type of a stored value"),
    ],
)
def test_what_is_no_value_of_its_type_is_refused(store: Store, value: object, type: str | None, message: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        store.kv.put(NS, "key", value, NOW, type=type)
    assert refused.value.message.startswith(message)
    assert store.kv.get(NS, "key", NOW) is None


def test_an_unknown_type_is_told_the_types_there_are() -> None:
    with pytest.raises(InvalidValueError) as refused:
        read_kv_value("x", "TEXT")
    assert refused.value.hint == "there are STRING, NUMBER, BOOLEAN, DATETIME, DATE, DURATION, JSON"


@pytest.mark.parametrize("key", ["", ".a", "-a", "_a", "a b", "a/b", "é", "a\n", "../a"])
def test_a_wrong_key_is_told_the_pattern(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match="is no key") as refused:
        store.kv.put(NS, key, 1, NOW)
    assert isinstance(refused.value, NbflowError)
    assert str(refused.value) == f"`{key}` is no key (a key matches [a-zA-Z0-9][a-zA-Z0-9._-]*)"
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


@pytest.mark.parametrize("namespace", ["", "a..b", "a.", ".a", "a b", "a/b", "a\n"])
def test_a_wrong_namespace_is_refused(store: Store, namespace: str) -> None:
    with pytest.raises(InvalidNameError, match="is no namespace"):
        store.kv.put(namespace, "key", 1, NOW)


def test_a_value_is_replaced_whole_and_its_revisions_count(store: Store) -> None:
    store.kv.put(NS, "key", "one", NOW, description="first", ttl=timedelta(days=1))
    store.kv.put(NS, "key", 2, at(5))
    assert store.kv.get(NS, "key", at(6)) == KvValue(NS, "key", KvType.NUMBER, 2, NOW, at(5), value=2)
    assert store.kv.get("company", "key", at(6)) is None, "no namespace sees its parents' values by itself"


def test_a_value_is_not_replaced_against_the_will_of_the_writer(store: Store) -> None:
    store.kv.put(NS, "key", "one", NOW, ttl=timedelta(seconds=10))
    with pytest.raises(ConflictError) as refused:
        store.kv.put(NS, "key", "two", at(1), overwrite=False)
    assert str(refused.value) == ("the key `key` of company.team holds a value already (set `overwrite` to replace it)")
    fresh = store.kv.put(NS, "key", "two", at(10), overwrite=False)
    assert (fresh.value, fresh.revision, fresh.created) == ("two", 1, at(10)), "the expired one is as if absent"


def test_an_expired_value_is_as_if_absent(store: Store) -> None:
    store.kv.put(NS, "ttl", 1, NOW, ttl=timedelta(seconds=10))
    store.kv.put(NS, "until", 2, NOW, expires=at(20))
    store.kv.put(NS, "ever", 3, NOW)
    assert [(one.key, one.expires) for one in store.kv.list(NS, at(9))] == [
        ("ever", None),
        ("ttl", at(10)),
        ("until", at(20)),
    ]
    assert store.kv.get(NS, "ttl", at(10)) is None
    assert store.kv.delete(NS, "until", at(20)) is False
    assert [one.key for one in store.kv.list(NS, at(30))] == ["ever"]


def test_what_has_expired_stays_until_it_is_purged(store: Store) -> None:
    for namespace in ("a", "a.b", "ab"):
        store.kv.put(namespace, "short", 1, NOW, ttl=timedelta(seconds=1))
        store.kv.put(namespace, "long", 1, NOW, ttl=timedelta(hours=1))
        store.kv.put(namespace, "ever", 1, NOW)
    expired = store.kv.get("a", "short", at(2), even_expired=True)
    assert expired is not None
    assert expired.expires == at(1)
    assert store.kv.purge_expired(at(2), "a", prefix=True) == 2
    assert store.kv.get("a", "short", at(2), even_expired=True) is None
    assert store.kv.purge_expired(at(2)) == 1
    assert store.kv.purge_expired(at(2)) == 0
    assert len(store.kv.list(None, at(2))) == 6


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ({"ttl": timedelta(seconds=-1)}, "the time to live is negative"),
        ({"ttl": timedelta(1), "expires": NOW}, "the time to live is given beside `expires`"),
        ({"ttl": timedelta.max}, "the time to live reaches beyond the year 9999"),
    ],
)
def test_a_time_to_live_that_is_none_is_refused(store: Store, end: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        store.kv.put(NS, "key", 1, NOW, **end)


def test_a_value_is_deleted_once(store: Store) -> None:
    store.kv.put(NS, "key", 1, NOW)
    assert store.kv.delete(NS, "key", NOW) is True
    assert store.kv.delete(NS, "key", NOW) is False
    assert store.kv.put(NS, "key", 1, at(1)).created == at(1)


def test_values_are_listed_without_what_they_hold(store: Store) -> None:
    for namespace, key in (("a.b", "two"), ("a.b", "One"), ("a.b.c", "x"), ("a.bc", "x"), ("a_b", "x")):
        store.kv.put(namespace, key, {"large": "x" * 1000}, NOW, description="why\0")
    assert store.kv.list("a.b", NOW) == [
        KvEntry("a.b", key, KvType.JSON, 1, NOW, NOW, description="why\N{REPLACEMENT CHARACTER}")
        for key in ("One", "two")
    ]
    assert [one.namespace for one in store.kv.list("a.b", NOW, prefix=True)] == ["a.b", "a.b", "a.b.c"]
    assert [one.namespace for one in store.kv.list(None, NOW)] == ["a.b", "a.b", "a.b.c", "a.bc", "a_b"]


def test_two_stores_that_claim_one_key_find_one_winner(any_settings: Settings) -> None:
    with Store(any_settings) as one, Store(any_settings) as two, ThreadPoolExecutor(8) as pool:

        def claim(number: int) -> bool:
            store = one if number % 2 else two
            try:
                store.kv.put(NS, f"key-{number // 8}", number, NOW, overwrite=False)
            except ConflictError:
                return False
            return True

        assert sum(pool.map(claim, range(160))) == 20

        def count(number: int) -> None:
            (one if number % 2 else two).kv.put(NS, "counted", number, NOW)

        list(pool.map(count, range(60)))
        counted = one.kv.get(NS, "counted", NOW)
    assert counted is not None
    assert counted.revision == 60
