"""The task type that switches a trigger on or off."""

from __future__ import annotations

import pytest

from nbflow.engine import Engine
from nbflow.errors import NotFoundError

FLOW = """
id: doors
namespace: tests
tasks: [{id: hello, type: log, message: hello}]
triggers: [{id: door, type: webhook, key: bell}]
"""


def switch(engine: Engine, properties: str) -> str:
    engine.deploy(f"id: switch\nnamespace: tests\ntasks: [{{id: t, type: toggle, {properties}}}]\n")
    return engine.run("tests", "switch", wait=True, timeout=30).state


def test_a_trigger_is_switched_off_and_on(engine: Engine) -> None:
    engine.deploy(FLOW)
    assert switch(engine, "flowId: doors, trigger: door") == "SUCCESS"
    with pytest.raises(NotFoundError):
        engine.webhook("tests", "doors", "bell")
    assert switch(engine, "flowId: doors, trigger: door, enabled: true") == "SUCCESS"
    assert engine.webhook("tests", "doors", "bell") is not None


@pytest.mark.parametrize("properties", ["flowId: doors, trigger: dor", "flowId: doers, trigger: door", "trigger: door"])
def test_there_must_be_such_a_trigger(engine: Engine, properties: str) -> None:
    engine.deploy(FLOW)
    assert switch(engine, properties) == "FAILED"
