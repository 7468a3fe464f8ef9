"""Labels given to a run."""

from __future__ import annotations

import pytest

from nbflow.engine import Engine
from nbflow.errors import InputError

TEXT = "id: flow\nnamespace: tests\ntasks: [{id: hello, type: log, message: hello}]\n"


def test_labels_of_the_system_are_refused(engine: Engine) -> None:
    engine.deploy(TEXT)
    with pytest.raises(InputError, match=r"the label `system\.owner` cannot be set"):
        engine.run("tests", "flow", labels={"system.owner": "me"})


def test_a_correlation_id_may_come_from_outside(engine: Engine) -> None:
    engine.deploy(TEXT)
    assert engine.run("tests", "flow", labels={"system.correlationId": "order-7"}).labels == {
        "system.correlationId": "order-7"
    }
