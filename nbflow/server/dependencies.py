"""Which flows start which others: by a Subflow task, or by a Flow trigger that waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nbflow.engine import Engine
from nbflow.errors import NbflowError
from nbflow.model.flow import Flow
from nbflow.types import JsonValue

Name = tuple[str, str]
"""Namespace and id of a flow."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` starts `target`: as a task of it (FLOW_TASK), or because `target` waits for it (FLOW_TRIGGER)."""

    source: Name
    target: Name
    relation: str


def topology(
    engine: Engine, namespace: str, flow_id: str | None, *, destination_only: bool = False, expand: bool = False
) -> dict[str, JsonValue]:
    """The flows around one, or around all of a namespace, in Kestra's JSON; with `expand` those around them as well."""
    flows = list(_readable(engine))
    edges = sorted(
        {edge for flow in flows for edge in edges_of(flow, flows)}, key=lambda edge: (edge.source, edge.target)
    )
    centre = {(flow.namespace, flow.id) for flow in flows if flow.namespace == namespace and flow_id in (None, flow.id)}
    kept: set[Edge] = set()
    reached = set(centre)
    while True:
        new = {edge for edge in edges if edge.source in reached or (edge.target in reached and not destination_only)}
        grown = reached | {name for edge in new for name in (edge.source, edge.target)}
        kept |= new
        if grown == reached or not expand:
            reached = grown
            break
        reached = grown
    nodes: list[JsonValue] = [_node(name) for name in sorted(reached)]
    return {"nodes": nodes, "edges": [_edge(edge) for edge in edges if edge in kept]}


def edges_of(flow: Flow, flows: list[Flow]) -> Iterator[Edge]:
    """The flows that a flow starts, and those that it waits for."""
    own = (flow.namespace, flow.id)
    for task in flow.all_tasks():
        called_namespace, called = getattr(task, "namespace", None), getattr(task, "flow_id", None)
        if isinstance(called_namespace, str) and isinstance(called, str) and "{{" not in called_namespace + called:
            yield Edge(own, (called_namespace, called), "FLOW_TASK")
    for trigger in flow.triggers:
        for namespace, flow_id in _awaited(trigger.model_dump(mode="json", by_alias=True)):
            for other in flows:
                if other.namespace == namespace and flow_id in (None, other.id) and other is not flow:
                    yield Edge((other.namespace, other.id), own, "FLOW_TRIGGER")


def _awaited(value: object) -> Iterator[tuple[str, str | None]]:
    """Every namespace, with or without a flow, that the conditions of a trigger name."""
    if isinstance(value, dict):
        namespace, flow_id = value.get("namespace"), value.get("flowId")
        if isinstance(namespace, str) and "{{" not in namespace:
            yield namespace, flow_id if isinstance(flow_id, str) else None
        for inner in value.values():
            yield from _awaited(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _awaited(inner)


def _readable(engine: Engine) -> Iterator[Flow]:
    for stored in engine.store.flows.list():
        try:
            yield engine.flow(stored.namespace, stored.id)
        except NbflowError:  # one that a plugin was taken away from must not hide the others
            continue


def _uid(name: Name) -> str:
    return f"main_{name[0]}_{name[1]}"


def _node(name: Name) -> JsonValue:
    return {"uid": _uid(name), "namespace": name[0], "id": name[1]}


def _edge(edge: Edge) -> JsonValue:
    return {"source": _uid(edge.source), "target": _uid(edge.target), "relation": edge.relation}
