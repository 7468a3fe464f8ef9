"""What a client is told when a name or a value cannot be stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.server.errors import error_body, status_of
from nbflow.store import Store

NOW = datetime(2024, 3, 1, tzinfo=UTC)


def refused(store: Store, namespace: str, key: str, value: object, kind: str | None) -> NbflowError:
    with pytest.raises(NbflowError) as raised:
        store.kv.put(namespace, key, value, NOW, type=kind)
    return raised.value


@pytest.mark.parametrize(
    ("namespace", "key", "value", "kind", "code", "message"),
    [
        (
            "company..team",
            "k",
            "v",
            None,
            "name-invalid",
            "Invalid entity: `company..team` is no namespace "
            "(one such as company.team: letters, digits, `_` and `-`, with single dots between)",
        ),
        (
            "company",
            "k",
            "many",
            "NUMBER",
            "value-invalid",
            'Invalid entity: a value of type NUMBER must be a number, got "many"',
        ),
    ],
)
def test_what_cannot_be_stored_is_the_callers_mistake(
    tmp_path: Path, namespace: str, key: str, value: object, kind: str | None, code: str, message: str
) -> None:
    with Engine(tmp_path / "home") as engine:
        error = refused(engine.store, namespace, key, value, kind)
    body = error_body(error, "/api/v1/main/kv")
    assert status_of(error) == 422
    assert (body["status"], body["title"], body["code"], body["message"]) == (422, "Invalid entity", code, message)
    assert body["_embedded"] == {"errors": [{"message": body["detail"], "path": ""}]}
