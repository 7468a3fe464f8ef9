"""The deployed flows: saving, reading, and finding the one that is meant; with the defaults of their namespaces."""

from __future__ import annotations

import re
from collections.abc import Callable

from nbflow.clock import Clock
from nbflow.errors import FlowNotFoundError, Problem
from nbflow.model.execution import Execution
from nbflow.model.flow import Flow, PluginDefault
from nbflow.nearest import did_you_mean
from nbflow.source import load_flow, validate
from nbflow.store import Store, StoredFlow

_NAMESPACE = re.compile(r"^namespace\s*:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)


class Flows:
    """The flows of a home. Every method may be called from any thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.on_change: Callable[[str, str, Flow | None], None] | None = None
        """Told of each flow that is deployed here; of one that is deleted, by None in its place."""

    def deploy(self, text: str, *, strict: bool = False) -> Flow:
        """Save a flow; a new revision only if its text has changed. Raises: FlowValidationError.

        It is switched on or off as its text says, also where it was switched since then without a new revision.
        """
        flow = self.read(text, strict=strict)
        revision, is_new = self._store.flows.save(flow.namespace, flow.id, text, self._clock.now(), flow.disabled)
        deployed = self.get(flow.namespace, flow.id, revision)
        if not is_new and deployed.disabled != flow.disabled:
            self._store.flows.set_disabled(flow.namespace, flow.id, flow.disabled)
            deployed = self.get(flow.namespace, flow.id, revision)
        if self.on_change is not None:
            self.on_change(flow.namespace, flow.id, deployed)
        return deployed

    def read(self, text: str, *, strict: bool = False) -> Flow:
        """The flow that a text defines; it is not saved. Raises: FlowValidationError."""
        return load_flow(text, defaults=self._defaults_of(text), pools=self._store.settings.pools, strict=strict).flow

    def validate(self, text: str) -> list[Problem]:
        """Every problem of a flow's text."""
        return validate(text, defaults=self._defaults_of(text), pools=self._store.settings.pools)

    def get(self, namespace: str, flow_id: str, revision: int | None = None) -> Flow:
        """A flow; its newest revision unless one is named. Raises: FlowNotFoundError with the nearest names."""
        stored = self._store.flows.get(namespace, flow_id, revision)
        if stored is None:
            raise self._not_found(namespace, flow_id, revision)
        return self._read(stored)

    def all(self, namespace: str | None = None) -> list[Flow]:
        """The newest revision of every flow, of one namespace or of all."""
        return [self._read(stored) for stored in self._store.flows.list(namespace)]

    def delete(self, namespace: str, flow_id: str) -> None:
        """Delete a flow; its revisions stay readable. Raises: FlowNotFoundError."""
        if not self._store.flows.delete(namespace, flow_id, self._clock.now()):
            raise self._not_found(namespace, flow_id, None)
        if self.on_change is not None:
            self.on_change(namespace, flow_id, None)

    def of(self, execution: Execution) -> Flow:
        """The flow of an execution; one that was never deployed has no more than its name."""
        try:
            return self.get(execution.namespace, execution.flow_id, execution.flow_revision)
        except FlowNotFoundError:
            return Flow.model_construct(
                id=execution.flow_id, namespace=execution.namespace, revision=execution.flow_revision, tasks=[]
            )

    def _read(self, stored: StoredFlow) -> Flow:
        defaults, pools = self._defaults(stored.namespace), self._store.settings.pools
        loaded = load_flow(stored.source, defaults=defaults, pools=pools, strict=False)
        flow = loaded.flow.with_source(stored.source, loaded.document, stored.revision)
        # The history knows best: a flow can be switched off and on without a new revision.
        return flow if flow.disabled == stored.disabled else flow.switched(stored.disabled)

    def _defaults_of(self, text: str) -> list[PluginDefault]:
        found = _NAMESPACE.search(text)
        return self._defaults(found[1] if found else "")

    def _defaults(self, namespace: str) -> list[PluginDefault]:
        """Those of the namespace and the ones around it, the nearest first, then those of the settings."""
        of_namespaces = self._store.namespaces.plugin_defaults(namespace) if namespace else []
        return [
            PluginDefault.model_validate(entry) for entry in (*of_namespaces, *self._store.settings.plugin_defaults)
        ]

    def _not_found(self, namespace: str, flow_id: str, revision: int | None) -> FlowNotFoundError:
        if revision is not None and self._store.flows.get(namespace, flow_id) is not None:
            return FlowNotFoundError(f"the flow {namespace}.{flow_id} has no revision {revision}")
        wanted = f"{namespace}.{flow_id}"
        known = [f"{stored.namespace}.{stored.id}" for stored in self._store.flows.list()]
        elsewhere = next((f"did you mean `{uid}`?" for uid in known if uid.endswith(f".{flow_id}")), "")
        deploy_it = "deploy it first: `%%flow` in a cell, or `nbflow flows deploy FILE`"
        return FlowNotFoundError(
            f"there is no flow `{wanted}`", hint=did_you_mean(wanted, known, 3) or elsewhere or deploy_it
        )
