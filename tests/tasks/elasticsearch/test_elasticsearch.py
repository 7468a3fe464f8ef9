"""Documents go to an index and come back, as a recording server on this machine sees it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages


@dataclass
class Cluster:
    """A small Elasticsearch: documents by index and id, and what it was asked."""

    url: str = ""
    documents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    warning: str = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        where, _, _ = path.partition("?")
        parts = where.strip("/").split("/")
        if parts[-1] == "_bulk":
            return 200, self._bulk(body.splitlines())
        if parts[-1] == "_search":
            found = [{"_source": one} for (index, _), one in sorted(self.documents.items()) if index == parts[0]]
            return 200, {"hits": {"total": {"value": 7}, "hits": found}}
        if parts[-1] == "health":
            return 200, {"status": "green"}
        if len(parts) >= 2 and parts[1] == "_doc":
            key = parts[0], parts[2] if len(parts) > 2 else "new"
            if method == "GET":
                found_one = self.documents.get(key)
                return (200, {"found": True, "_source": found_one}) if found_one else (404, {"found": False})
            result = "updated" if key in self.documents else "created"
            self.documents[key] = json.loads(body)
            return 201, {"_id": key[1], "result": result, "_version": 1}
        return 400, {"error": {"type": "illegal", "reason": "no handler", "root_cause": [{"reason": "no handler"}]}}

    def _bulk(self, lines: list[bytes]) -> Any:
        items = []
        waiting = iter(lines)
        for line in waiting:
            ((kind, about),) = json.loads(line).items()
            key = about["_index"], about.get("_id", str(len(self.documents)))
            if kind == "delete":
                self.documents.pop(key, None)
                items.append({kind: {"status": 200}})
                continue
            document = json.loads(next(waiting))
            if document.get("age") == "old":
                items.append({kind: {"status": 400, "error": {"reason": "failed to parse field [age]"}}})
                continue
            self.documents[key] = document
            items.append({kind: {"status": 201}})
        return {"errors": any("error" in next(iter(item.values())) for item in items), "items": items}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    cluster = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            cluster.asked.append((self.command, self.path, dict(self.headers.items()), body))
            code, answer = cluster.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(code)
            if cluster.warning:
                self.send_header("Warning", cluster.warning)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet: the tests look at `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cluster.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("ELASTICSEARCH_URL", cluster.url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_rows_of_a_query_become_documents(cluster: Cluster, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: extract, type: duckdb, sql: "SELECT n AS id, 'ü' || n AS name FROM range(5) t(n)", store: true}
        - id: load
          type: io.kestra.plugin.elasticsearch.Load
          index: "users"
          from: "{{ outputs.extract.uri }}"
          idKey: id
          chunk: 2
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["load"].outputs == {"size": 5}
    assert cluster.documents == {("users", str(number)): {"name": f"ü{number}"} for number in range(5)}
    assert [path for _, path, _, _ in cluster.asked] == ["/_bulk"] * 3
    assert cluster.asked[0][2]["Content-Type"] == "application/x-ndjson"


def test_the_short_form_of_the_lessons_takes_the_rest_from_plugin_defaults(
    cluster: Cluster, run_tasks: RunTasks, engine: Engine
) -> None:
    execution = run_tasks(
        """
        - {id: extract, type: duckdb, sql: SELECT 'Ada' AS name, store: true}
        - id: load
          type: io.kestra.plugin.elasticsearch.Load
          index: "users"
        """,
        more=f"""
        pluginDefaults:
          - type: io.kestra.plugin.elasticsearch
            values:
              from: "{{{{ outputs.extract.uri }}}}"
              connection:
                hosts: ["{cluster.url}"]
                basicAuth: {{username: u, password: p}}
                headers: ["X-Team: data"]
                pathPrefix: es
        """,
    )
    assert execution.state == "SUCCESS", messages(execution)
    _, path, headers, _ = cluster.asked[0]
    assert (path, headers["Authorization"], headers["X-Team"]) == ("/es/_bulk", "Basic dTpw", "data")


def test_without_a_file_or_a_cluster_the_message_says_what_to_set(cluster: Cluster, run_tasks: RunTasks) -> None:
    execution = run_tasks("- {id: load, type: elasticsearch_load, index: users}")
    assert messages(execution)[-1] == "`from` names no file (hand over the `uri` that a task put out)"
    execution = run_tasks(
        "- {id: get, type: elasticsearch_get, index: i, key: k, connection: {hosts: ['127.0.0.1:1']}}"
    )
    said = messages(execution)[-1]
    assert said.startswith("Elasticsearch cannot be reached: http://127.0.0.1:1:")
    assert said.endswith("(set `connection.hosts`)")


def test_documents_that_are_refused_are_named(cluster: Cluster, run_tasks: RunTasks, engine: Engine) -> None:
    uri = engine.store.files.put_bytes("tests/a.jsonl", b'{"age": 1}\n{"age": "old"}\n')
    execution = run_tasks(f"- {{id: load, type: elasticsearch_load, index: i, from: '{uri}'}}")
    assert messages(execution)[-1] == "1 documents were refused: document 2: failed to parse field [age]"


def test_operations_are_sent_as_they_are(cluster: Cluster, run_tasks: RunTasks, engine: Engine) -> None:
    cluster.documents["i", "1"] = {}
    lines = b'{"delete":{"_index":"i","_id":"1"}}\n{"index":{"_index":"i","_id":"2"}}\n{"a":1}\n'
    uri = engine.store.files.put_bytes("tests/bulk.ndjson", lines)
    execution = run_tasks(f"- {{id: load, type: io.kestra.plugin.elasticsearch.Bulk, from: '{uri}'}}")
    assert execution.task_runs["load"].outputs == {"size": 2}
    assert cluster.documents == {("i", "2"): {"a": 1}}


def test_documents_are_put_got_and_found(cluster: Cluster, run_tasks: RunTasks, engine: Engine) -> None:
    execution = run_tasks("""
        - {id: put, type: io.kestra.plugin.elasticsearch.Put, index: users, key: "1", value: {name: Ada},
           refreshPolicy: IMMEDIATE}
        - {id: new, type: elasticsearch_put, index: users, value: '{"name": "Bo"}'}
        - {id: get, type: io.kestra.plugin.elasticsearch.Get, index: users, key: "1"}
        - {id: none, type: elasticsearch_get, index: users, key: "9"}
        - id: search
          type: io.kestra.plugin.elasticsearch.Search
          indexes: [users]
          request: {query: {match_all: {}}}
        - {id: stored, type: elasticsearch_search, indexes: [users], request: '{"size": 1}', fetchType: STORE}
        - {id: health, type: io.kestra.plugin.elasticsearch.Request, endpoint: _cluster/health}
        - {id: strict, type: elasticsearch_get, index: users, key: "9", errorOnMissing: true, allowFailure: true}
        - {id: odd, type: elasticsearch_request, endpoint: /odd, method: POST, allowFailure: true}
    """)
    outputs = {run.task_id: run.outputs for run in execution.task_runs}
    assert outputs["put"] == {"id": "1", "result": "created", "version": 1}
    assert cluster.asked[0][1] == "/users/_doc/1?refresh=true"
    assert outputs["get"] == {"row": {"name": "Ada"}}
    assert outputs["none"] == {}
    assert outputs["search"] == {"size": 2, "total": 7, "rows": [{"name": "Ada"}, {"name": "Bo"}]}
    assert engine.read_file(str(outputs["stored"]["uri"])) == b'{"name":"Ada"}\n{"name":"Bo"}\n'
    assert outputs["health"] == {"status": 200, "response": {"status": "green"}}
    assert "there is no document `9` in `users`" in messages(execution)
    assert "POST /odd answered 400: no handler" in messages(execution)


def test_strict_mode_fails_on_warnings_and_another_host_is_tried(cluster: Cluster, run_tasks: RunTasks) -> None:
    cluster.warning = '299 Elasticsearch "old"'
    host = f"hosts: ['127.0.0.1:1', '{cluster.url}']"
    execution = run_tasks(f"""
        - {{id: lax, type: elasticsearch_request, endpoint: _cluster/health, connection: {{{host}}}}}
        - id: strict
          type: elasticsearch_request
          endpoint: _cluster/health
          connection: {{{host}, strictDeprecationMode: true}}
    """)
    assert [run.state for run in execution.task_runs] == ["SUCCESS", "FAILED"]
    assert messages(execution)[-1] == 'GET /_cluster/health answered with a warning: 299 Elasticsearch "old"'
