"""Flows of a server."""

from __future__ import annotations

import re

from nbflow.cli.places import Row
from nbflow.cli.remote.client import Client, read_problem
from nbflow.errors import NotFoundError, Problem

_YAML = {"Content-Type": "application/x-yaml"}


class RemoteFlows:
    """What can be asked about the flows of a server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self, namespace: str | None = None) -> list[Row]:
        params = {} if namespace is None else {"filters[namespace][EQUALS]": namespace}
        return self._client.every("flows", "search", params=params)

    def get(self, namespace: str, flow_id: str, revision: int | None = None) -> Row:
        params = {"source": "true", "revision": revision}
        return dict(self._client.ask("GET", "flows", namespace, flow_id, params=params))

    def exists(self, namespace: str, flow_id: str) -> bool:
        try:
            self._client.ask("GET", "flows", namespace, flow_id)
        except NotFoundError:
            return False
        return True

    def save(self, text: str) -> Row:
        namespace, flow_id = _named(text)
        content = text.encode()
        if namespace and flow_id and self.exists(namespace, flow_id):
            return dict(self._client.ask("PUT", "flows", namespace, flow_id, content=content, headers=_YAML))
        return dict(self._client.ask("POST", "flows", content=content, headers=_YAML))

    def check(self, text: str) -> list[Problem]:
        (report,) = self._client.ask("POST", "flows", "validate", content=text.encode(), headers=_YAML)
        return [read_problem(each) for each in report["problems"]]

    def delete(self, namespace: str, flow_id: str) -> None:
        self._client.ask("DELETE", "flows", namespace, flow_id)

    def switch(self, namespace: str, flow_id: str, *, disabled: bool) -> None:
        self._client.ask("GET", "flows", namespace, flow_id)  # the bulk call below says nothing of one it does not find
        action = "disable" if disabled else "enable"
        self._client.ask("POST", "flows", action, "by-ids", json=[{"namespace": namespace, "id": flow_id}])

    def revisions(self, namespace: str, flow_id: str) -> list[Row]:
        return list(self._client.ask("GET", "flows", namespace, flow_id, "revisions"))

    def graph(self, namespace: str, flow_id: str, revision: int | None = None) -> Row:
        """The graph in our own words: the server names nodes after their place and tells of parents by clusters."""
        shape = self._client.ask("GET", "flows", namespace, flow_id, "graph", params={"revision": revision})
        ids = {node["uid"]: node["task"]["id"] for node in shape["nodes"]}
        parents = {
            uid: cluster["cluster"]["taskId"]
            for cluster in shape["clusters"]
            for uid in cluster["nodes"]
            if ids[uid] != cluster["cluster"]["taskId"]
        }
        nodes = [
            {
                "uid": ids[node["uid"]],
                "taskId": ids[node["uid"]],
                "type": node["task"]["type"],
                "parent": parents.get(node["uid"]),
                "branch": str(node.get("branchType") or "").lower(),
            }
            for node in shape["nodes"]
        ]
        edges = [{"source": ids[edge["source"]], "target": ids[edge["target"]]} for edge in shape["edges"]]
        return {"nodes": nodes, "edges": edges, "clusters": []}


def _named(text: str) -> tuple[str, str]:
    """Namespace and id that a source names; empty where it does not, which the server then says."""
    found = [re.search(rf"^{key}\s*:\s*[\"']?([^\s\"'#]+)", text, re.MULTILINE) for key in ("namespace", "id")]
    namespace, flow_id = ("" if match is None else match[1] for match in found)
    return namespace, flow_id
