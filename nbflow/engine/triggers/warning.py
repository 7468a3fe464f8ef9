"""What is said of triggers in nbflow's own log: before it fires, a trigger has no execution to write to."""

from __future__ import annotations

import logging

from nbflow.model.flow import Flow
from nbflow.plugins import Trigger

_log = logging.getLogger(__name__)


def warn(flow: Flow, trigger: Trigger, action: str, message: str) -> None:
    """Say why a trigger does not fire, or not as it should."""
    names = {"namespace": flow.namespace, "flow_id": flow.id, "trigger_id": trigger.id}
    _log.warning("trigger %s of %s: %s", trigger.id, flow.uid, message, extra={"action": action, **names})
