"""Calling a flow's webhook."""

from __future__ import annotations

import asyncio
import base64
import logging

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError, FlowNotFoundError, InputError, NotFoundError

DOORBELL = """
id: doorbell
namespace: tests
HEAD
tasks:
  - {id: say, type: return, format: "{{ trigger.body }} from {{ trigger.headers['X-Who'] | first }}"}
triggers:
  - id: ring
    type: io.kestra.plugin.core.trigger.Webhook
    key: sesame
"""


def doorbell(more: str = "", *, head: str = "") -> str:
    return DOORBELL.replace("HEAD", head) + "".join(f"    {line}\n" for line in more.splitlines())


def test_a_call_starts_an_execution_that_sees_what_was_sent(engine: Engine) -> None:
    engine.deploy(doorbell())
    execution = engine.webhook(
        "tests", "doorbell", "sesame", '{"a": [1]}', {"page": "2", "tag": ["x", "y"]}, {"X-Who": "ada"}
    )
    assert execution is not None
    execution.wait(10)
    assert execution.state == "SUCCESS"
    assert execution.task_runs["say"].outputs["value"] == '{"a":[1]} from ada'
    assert execution.trigger == {
        "id": "ring",
        "type": "io.kestra.plugin.core.trigger.Webhook",
        "variables": {
            "body": {"a": [1]},
            "headers": {"X-Who": ["ada"]},
            "parameters": {"page": ["2"], "tag": ["x", "y"]},
        },
    }


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (None, None),
        ("", ""),
        ("hello", "hello"),
        ("17", "17"),
        ("[1, 2]", [1, 2]),
        ({"a": 1}, {"a": 1}),
        (b'{"b": 2}', {"b": 2}),
        ("{broken", "{broken"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_a_body_is_parsed_when_it_is_a_json_object_or_list(engine: Engine, sent: object, seen: object) -> None:
    engine.deploy(doorbell())
    execution = engine.webhook("tests", "doorbell", "sesame", sent, headers={"X-Who": "me"})  # type: ignore[arg-type]
    assert execution is not None
    assert execution.trigger is not None
    variables = execution.trigger["variables"]
    assert isinstance(variables, dict)
    assert variables["body"] == seen


@pytest.mark.parametrize("key", ["Sesame", "", "sesam", "sésame"])
def test_a_wrong_key_is_not_found_and_starts_nothing(engine: Engine, key: str) -> None:
    engine.deploy(doorbell())
    with pytest.raises(NotFoundError, match="no webhook"):
        engine.webhook("tests", "doorbell", key)
    assert engine.executions() == []


def test_what_has_no_webhook_is_not_found(engine: Engine) -> None:
    with pytest.raises(FlowNotFoundError):
        engine.webhook("tests", "nobody", "sesame")
    engine.deploy("{id: mute, namespace: tests, tasks: [{id: a, type: log, message: a}]}")
    with pytest.raises(NotFoundError):
        engine.webhook("tests", "mute", "sesame")


def test_a_webhook_that_is_disabled_is_not_found(engine: Engine) -> None:
    engine.deploy(doorbell("disabled: true"))
    with pytest.raises(NotFoundError):
        engine.webhook("tests", "doorbell", "sesame")


def test_a_flow_that_is_disabled_refuses_the_call(engine: Engine) -> None:
    engine.deploy(doorbell(head="disabled: true"))
    with pytest.raises(ConflictError):
        engine.webhook("tests", "doorbell", "sesame")
    with pytest.raises(NotFoundError):
        engine.webhook("tests", "doorbell", "wrong")


def test_the_key_may_come_from_a_secret_or_a_stored_value(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_DOOR", base64.b64encode(b"hidden").decode())
    engine.deploy(doorbell().replace("key: sesame", "key: \"{{ secret('DOOR') }}\""))
    assert engine.webhook("tests", "doorbell", "hidden") is not None
    with pytest.raises(NotFoundError):
        engine.webhook("tests", "doorbell", "{{ secret('DOOR') }}")


def test_a_key_that_cannot_be_told_matches_nothing(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.deploy(doorbell().replace("key: sesame", "key: \"{{ secret('NOWHERE') }}\""))
    with caplog.at_level(logging.WARNING), pytest.raises(NotFoundError):
        engine.webhook("tests", "doorbell", "")
    assert [record.__dict__["action"] for record in caplog.records] == ["key_failed"]


@pytest.mark.parametrize(
    "question",
    [
        'conditions:\n  - {type: io.kestra.plugin.core.condition.Expression, expression: "{{ trigger.body.go }}"}',
        'when: "{{ trigger.body.go }}"',
    ],
)
def test_conditions_may_reject_a_call(engine: Engine, question: str, caplog: pytest.LogCaptureFixture) -> None:
    engine.deploy(doorbell(question))
    assert engine.webhook("tests", "doorbell", "sesame", {"go": False}) is None
    assert caplog.records == []
    assert engine.webhook("tests", "doorbell", "sesame", "no map at all") is None
    assert [record.__dict__["action"] for record in caplog.records] == ["condition_failed"]
    assert engine.webhook("tests", "doorbell", "sesame", {"go": True}) is not None
    assert len(engine.executions()) == 1


def test_inputs_and_labels_are_rendered_and_a_broken_label_is_dropped(engine: Engine) -> None:
    more = """
inputs: {count: "{{ trigger.body.n }}"}
labels: {who: "{{ trigger.parameters.who | first }}", lost: "{{ trigger.body.nothing.at.all }}"}
"""
    engine.deploy(doorbell(more.strip(), head="inputs: [{id: count, type: INT}]"))
    execution = engine.webhook("tests", "doorbell", "sesame", {"n": 3}, {"who": "ada"})
    assert execution is not None
    assert execution.inputs == {"count": 3}
    assert execution.labels["who"] == "ada"
    assert "lost" not in execution.labels
    with pytest.raises(InputError):
        engine.webhook("tests", "doorbell", "sesame", {"n": "many"}, {"who": "ada"})


def test_its_twin_works_inside_an_event_loop(engine: Engine) -> None:
    engine.deploy(doorbell())

    async def story() -> str:
        execution = await engine.awebhook("tests", "doorbell", "sesame", headers={"X-Who": "me"})
        assert execution is not None
        return str((await engine.await_(execution.id)).state)

    assert asyncio.run(story()) == "SUCCESS"
