"""A flow as a graph: which task follows which, and which lies inside which. For pictures and the REST API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nbflow.model.flow import Flow
from nbflow.model.task import Task
from nbflow.plugins.task import Branch, FlowableTask, Order


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A task. `parent` is the id of the task it lies in; `branch` the label of its branch there, such as `then`.

    `block` says which block of the flow it belongs to: `tasks`, `errors`, `finally` or `afterExecution`.
    """

    id: str
    type: str
    parent: str | None = None
    branch: str = ""
    block: str = "tasks"
    is_flowable: bool = False
    is_disabled: bool = False


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """`target` starts after `source` has ended; both have the same parent."""

    source: str
    target: str


@dataclass(slots=True)
class FlowGraph:
    """All tasks, parents before their children, and the order among siblings."""

    nodes: list[GraphNode] = field(default_factory=list)
    edges: list[GraphEdge] = field(default_factory=list)

    def children(self, parent: str | None) -> list[GraphNode]:
        """The tasks directly inside one, or the outermost ones for None."""
        return [node for node in self.nodes if node.parent == parent]


def flow_graph(flow: Flow) -> FlowGraph:
    """The graph of a flow's tasks."""
    graph = FlowGraph()
    _add(graph, top_branch(flow.tasks), None, "tasks")
    for block, tasks in (("errors", flow.errors), ("finally", flow.finally_), ("afterExecution", flow.after_execution)):
        _add(graph, Branch(tasks), None, block)
    return graph


def top_branch(tasks: Sequence[Task]) -> Branch:
    """The tasks of a flow as they run: one after another, or as a Dag when one names what it depends on."""
    if any(task.depends_on for task in tasks):
        return Branch(tasks, order=Order.DAG, needs={task.id: task.depends_on for task in tasks})
    return Branch(tasks)


def _add(graph: FlowGraph, branch: Branch, parent: str | None, block: str) -> None:
    for task in branch.tasks:
        is_flowable = isinstance(task, FlowableTask)
        graph.nodes.append(GraphNode(task.id, task.type, parent, branch.label, block, is_flowable, task.disabled))
        if isinstance(task, FlowableTask):
            for inner in task.branches():
                _add(graph, inner, task.id, block)
            for label, tasks in (("errors", task.errors), ("finally", task.finally_)):
                _add(graph, Branch(tasks, label), task.id, block)
    graph.edges.extend(_edges(branch))


def _edges(branch: Branch) -> list[GraphEdge]:
    ids = [task.id for task in branch.tasks]
    if branch.order is Order.SEQUENCE:
        return [GraphEdge(before, after) for before, after in pairwise(ids)]
    if branch.order is Order.DAG:
        needs: Mapping[str, Sequence[str]] = branch.needs
        return [GraphEdge(needed, task) for task in ids for needed in needs.get(task, ()) if needed in ids]
    return []
