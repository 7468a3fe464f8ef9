"""The graph of a flow in Kestra's shape: nodes, edges, and a cluster for each task that holds others."""

from __future__ import annotations

from collections.abc import Mapping

from nbflow.model.flow import Flow
from nbflow.plugins.graph import GraphNode, flow_graph
from nbflow.types import JsonValue

_HIERARCHIES = "io.kestra.core.models.hierarchies"


def graph_shape(flow: Flow, runs: Mapping[str, JsonValue] | None = None) -> dict[str, JsonValue]:
    """Kestra's JSON of a flow's graph; `runs` are the task runs to show, by the id of their task."""
    graph = flow_graph(flow)
    tasks = {task.id: task for task in flow.all_tasks()}
    nodes: list[JsonValue] = []
    for node in graph.nodes:
        task = tasks.get(node.id)
        shape: dict[str, JsonValue] = {"id": node.id, "type": node.type, "disabled": node.is_disabled}
        if task is not None and task.description:
            shape["description"] = task.description
        run = (runs or {}).get(node.id)
        nodes.append(
            {
                **({} if run is None else {"taskRun": run}),
                "uid": _uid(node.id),
                "type": f"{_HIERARCHIES}.GraphTask",
                "task": shape,
                "relationType": "SEQUENTIAL",
                "branchType": node.block.upper() if node.block != "tasks" else node.branch.upper(),
            }
        )
    edges: list[JsonValue] = [
        {"source": _uid(edge.source), "target": _uid(edge.target), "relation": {"relationType": "SEQUENTIAL"}}
        for edge in graph.edges
    ]
    flowables = [node for node in graph.nodes if node.is_flowable]
    return {
        "nodes": nodes,
        "edges": edges,
        "clusters": [_cluster(node, graph.children(node.id), graph.nodes) for node in flowables],
        "flowables": [_uid(node.id) for node in flowables],
    }


def _uid(task_id: str) -> str:
    return f"root.{task_id}"


def _cluster(holder: GraphNode, children: list[GraphNode], nodes: list[GraphNode]) -> JsonValue:
    parents, parent, by_id = [], holder.parent, {node.id: node for node in nodes}
    while parent is not None:
        parents.append(f"cluster_{_uid(parent)}")
        parent = by_id[parent].parent
    ids: list[JsonValue] = [_uid(child.id) for child in children]
    shape: dict[str, JsonValue] = {
        "cluster": {"uid": f"cluster_{_uid(holder.id)}", "type": f"{_HIERARCHIES}.GraphCluster", "taskId": holder.id},
        "nodes": [_uid(holder.id), *ids],
        "parents": list(reversed(parents)),
        "start": _uid(holder.id),
        "end": ids[-1] if ids else _uid(holder.id),
    }
    return shape
