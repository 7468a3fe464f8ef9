"""Calls of a flow's webhook: which trigger is meant, whether it fires, and what it starts."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence

from nbflow.clock import Clock
from nbflow.engine.services import NamespaceServices
from nbflow.engine.starting import Start
from nbflow.engine.triggers.asking import Asker
from nbflow.engine.triggers.firing import Scene, fired
from nbflow.engine.triggers.warning import warn
from nbflow.engine.variables import execution_variables, namespace_variables
from nbflow.errors import ConflictError, NbflowError, NotFoundError
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow
from nbflow.model.state import StateHistory
from nbflow.plugins import Facts
from nbflow.store import Store
from nbflow.triggers.webhook import Webhook
from nbflow.types import JsonValue, new_id

Values = Mapping[str, str | Sequence[str]]
"""Headers or query parameters: each with a value, or with several."""


def called(
    flow: Flow, key: str, body: JsonValue | bytes, parameters: Values, headers: Values, store: Store, clock: Clock
) -> Start | None:
    """What a call of a flow's webhook starts; None when its conditions reject the call.

    Raises: NotFoundError when no webhook of the flow has this key; ConflictError when the flow is disabled; what
    `fired` raises.
    """
    output: dict[str, JsonValue] = {
        "body": read_body(body),
        "headers": _lists(headers),
        "parameters": _lists(parameters),
    }
    execution = Execution(new_id(), flow.namespace, flow.id, flow.revision or 1, StateHistory.begin(clock.now()))
    variables = {
        **execution_variables(flow, execution, {}, {}, store.settings),
        "namespace": namespace_variables(flow.namespace, store.namespaces.variables),
    }
    services = NamespaceServices(flow.namespace, store, clock, lambda secret: None)
    plain = Scene(variables, services)
    webhooks = [each for each in flow.triggers if isinstance(each, Webhook)]
    known = [each for each in webhooks if _is_on(flow, each, store) and _has_key(flow, each, key, plain)]
    if not known:
        raise NotFoundError(
            f"no webhook of {flow.uid} has this key",
            hint="see the `key` of its Webhook trigger, and that it is enabled",
        )
    if flow.disabled or flow.draft:
        raise ConflictError(f"the flow {flow.uid} is {'disabled' if flow.disabled else 'a draft'}")
    trigger = known[0]
    scene = Scene({**variables, "trigger": output}, services)
    if not Asker(flow, trigger, Facts(clock.now(), scene.text, execution)).allows():
        return None
    return fired(flow, trigger, output, scene, store, clock, execution_id=execution.id)


def read_body(body: JsonValue | bytes) -> JsonValue:
    """What was sent: a JSON object or list as such, anything else as its text."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    if not isinstance(text, str):
        return text
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def _lists(values: Values) -> dict[str, JsonValue]:
    return {name: [value] if isinstance(value, str) else list(value) for name, value in values.items()}


def _is_on(flow: Flow, trigger: Webhook, store: Store) -> bool:
    if trigger.disabled:
        return False
    state = store.triggers.get(flow.namespace, flow.id, trigger.id)
    return state is None or not state.disabled


def _has_key(flow: Flow, trigger: Webhook, key: str, scene: Scene) -> bool:
    try:
        rendered = scene.text(trigger.key)
    except NbflowError as error:
        warn(flow, trigger, "key_failed", f"its key cannot be told: {error}")
        return False
    return hmac.compare_digest(rendered.encode("utf-8", "surrogatepass"), key.encode("utf-8", "surrogatepass"))
