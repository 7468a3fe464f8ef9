"""A flow that was switched off without a new revision: what still runs, and what switches it on again."""

from __future__ import annotations

import pytest

from nbflow.engine import Engine
from nbflow.errors import ConflictError

TEXT = """\
id: flow
namespace: tests
tasks: [{id: hello, type: log, message: hello}]
triggers: [{id: door, type: webhook, key: bell}]
"""


def test_a_flow_that_is_switched_off_does_not_run(engine: Engine) -> None:
    engine.deploy(TEXT)
    engine.store.flows.set_disabled("tests", "flow", True)
    flow = engine.flow("tests", "flow")
    assert (flow.disabled, flow.revision, flow.to_dict()["disabled"]) == (True, 1, True)
    assert [each.disabled for each in engine.flows()] == [True]
    with pytest.raises(ConflictError, match=r"the flow tests\.flow is disabled"):
        engine.run("tests", "flow")
    with pytest.raises(ConflictError, match=r"the flow tests\.flow is disabled"):
        engine.webhook("tests", "flow", "bell")


def test_a_flow_is_switched_on_again(engine: Engine) -> None:
    engine.deploy(f"{TEXT}disabled: true\n")
    engine.store.flows.set_disabled("tests", "flow", False)
    assert engine.run("tests", "flow", wait=True, timeout=30).state == "SUCCESS"


@pytest.mark.parametrize("disabled", [True, False])
def test_a_flow_that_is_deployed_again_is_as_its_text_says(engine: Engine, disabled: bool) -> None:
    text = f"{TEXT}disabled: {str(disabled).lower()}\n"
    engine.deploy(text)
    engine.store.flows.set_disabled("tests", "flow", not disabled)
    again = engine.deploy(text)
    assert (again.disabled, again.revision) == (disabled, 1)
    assert engine.flow("tests", "flow").disabled is disabled
