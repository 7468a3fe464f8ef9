"""Flows of a home."""

from __future__ import annotations

from nbflow.cli.places import Row
from nbflow.engine import Engine
from nbflow.errors import FlowNotFoundError, Problem
from nbflow.plugins.graph import flow_graph


class LocalFlows:
    """What can be asked about the flows of a home."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self, namespace: str | None = None) -> list[Row]:
        return [flow.to_dict() for flow in self._engine.flows(namespace)]

    def get(self, namespace: str, flow_id: str, revision: int | None = None) -> Row:
        return self._engine.flow(namespace, flow_id, revision).to_dict(with_source=True)

    def exists(self, namespace: str, flow_id: str) -> bool:
        return self._engine.store.flows.get(namespace, flow_id) is not None

    def save(self, text: str) -> Row:
        return self._engine.deploy(text, strict=True).to_dict(with_source=True)

    def check(self, text: str) -> list[Problem]:
        return self._engine.validate(text)

    def delete(self, namespace: str, flow_id: str) -> None:
        self._engine.delete_flow(namespace, flow_id)

    def switch(self, namespace: str, flow_id: str, *, disabled: bool) -> None:
        self._engine.switch_flow(namespace, flow_id, disabled=disabled)

    def revisions(self, namespace: str, flow_id: str) -> list[Row]:
        stored = self._engine.store.flows.revisions(namespace, flow_id)
        if not stored:
            raise FlowNotFoundError(f"there is no flow `{namespace}.{flow_id}`")
        return [
            {
                "id": one.id,
                "namespace": one.namespace,
                "revision": one.revision,
                "updated": one.created.isoformat(),
                "source": one.source,
            }
            for one in stored
        ]

    def graph(self, namespace: str, flow_id: str, revision: int | None = None) -> Row:
        graph = flow_graph(self._engine.flow(namespace, flow_id, revision))
        nodes = [
            {"uid": node.id, "taskId": node.id, "type": node.type, "parent": node.parent, "branch": node.branch}
            for node in graph.nodes
        ]
        return {
            "nodes": nodes,
            "edges": [{"source": edge.source, "target": edge.target} for edge in graph.edges],
            "clusters": [],
        }
