"""Expressions as they are met in running flows: what they see, where their failures are, and trying them afterwards."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from nbflow.engine import Engine
from nbflow.errors import ExecutionNotFoundError, NotFoundError, UndefinedNameError
from nbflow.settings import Settings
from tests.engine.conftest import RunTasks, messages


def test_states_of_tasks_are_seen(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: a, type: return, format: x}
        - id: each
          type: io.kestra.plugin.core.flow.ForEach
          values: [p, q]
          tasks: [{id: b, type: return, format: x}]
        - {id: say, type: log, message: "{{ tasks.a.state }} {{ tasks.b.q.state }} {{ tasks.say.state }}"}
    """)
    assert messages(execution) == ["SUCCESS SUCCESS RUNNING"]


def test_errors_see_what_failed(run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - id: group
          type: io.kestra.plugin.core.flow.Sequential
          tasks: [{id: bad, type: io.kestra.plugin.core.execution.Fail, errorMessage: no luck}]
          errors: [{id: near, type: log, message: "near: {{ error.taskId }}"}]
        """,
        more="""
        errors: [{id: far, type: log, message: "far: {{ error.taskId }}: {{ error.message }}"}]
        finally: [{id: last, type: log, message: "last: {{ error.stackTrace is empty }}"}]
        """,
    )
    assert messages(execution) == ["no luck", "near: bad", "far: bad: no luck", "last: false"]


def test_there_is_no_error_while_nothing_failed(run_tasks: RunTasks) -> None:
    assert messages(run_tasks('- {id: a, type: log, message: "{{ error is defined }}"}')) == ["false"]


def test_what_the_configuration_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_REGION", "north")
    (tmp_path / "nbflow.yaml").write_text("""kestra:
  environment: {name: staging}
  url: https://flows.example
  variables: {env-vars-prefix: SHOP_, globals: {shop: {name: Corner}}}
""")
    with Engine(settings=Settings.load(tmp_path)) as engine:
        engine.deploy("""id: f
namespace: n
tasks:
  - id: a
    type: log
    message: "{{ kestra.environment }} {{ kestra.url }} {{ globals.shop.name }} {{ envs.region }}"
""")
        assert messages(engine.run("n", "f", wait=True)) == ["staging https://flows.example Corner north"]


@pytest.mark.parametrize(
    "task",
    [
        '- {id: a, type: log, message: "{{ inputs.who.nam }}"}',
        "- id: a\n  type: log\n  message: |\n    one\n      two {{ inputs.who.nam }}",
        "- id: a\n  type: log\n  message: >-\n    one\n    two {{ inputs.who.nam }}",
        "- id: a\n  type: log\n  message: 'it''s {{ inputs.who.nam }}'",
    ],
)
def test_a_failure_is_told_with_its_place_in_the_flow(engine: Engine, run_tasks: RunTasks, task: str) -> None:
    execution = run_tasks(task, more="""inputs: [{id: who, type: JSON, defaults: '{"name": "Ada"}'}]""")
    [said] = [entry.message for entry in execution.logs("ERROR")]
    lines = engine.flow("tests", "flow").source.split("\n")
    [line] = [number for number, text in enumerate(lines, 1) if "who.nam" in text]
    column = lines[line - 1].index("nam }}") + 1
    assert f" {line}:{column}  tasks[0].message: Unable to find `inputs.who.nam`" in said
    assert "(did you mean `name`?)" in said


def test_the_same_text_in_two_tasks_is_told_for_the_one_that_failed(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: a, type: log, message: "{{ inputs.who.nam }}", runIf: "{{ false }}"}
        - {id: b, type: log, message: "{{ inputs.who.nam }}"}
    """, more="inputs: [{id: who, type: JSON, defaults: '{}'}]")  # fmt: skip
    [line] = [entry.message for entry in execution.logs("ERROR")]
    assert "tasks[1].message" in line


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sent = json.dumps({"path": self.path, "accept": self.headers["Accept"]}).encode()
        self.send_response(404 if "missing" in self.path else 200)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_http_asks_an_address(run_tasks: RunTasks, address: str) -> None:
    execution = run_tasks(f"""
        - id: a
          type: log
          message: "{{{{ http(uri='{address}/x', query={{'q': 1}}, accept='text/x').path }}}}"
        - id: b
          type: log
          message: "{{{{ http('{address}/missing') }}}}"
    """)
    first, second = messages(execution)
    assert first == "/x?q=1"
    assert "`http` failed" in second
    assert "404" in second


def test_an_expression_is_tried_on_a_past_execution(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks(
        """
        - {id: each, type: io.kestra.plugin.core.flow.ForEach, values: [p, q],
           tasks: [{id: b, type: return, format: "{{ taskrun.value }}!"}]}
        """,
        more="inputs: [{id: who, type: STRING}]",
        who="Ada",
    )
    assert execution.render("{{ inputs.who }} {{ outputs.b.q.value }} {{ execution.state }}") == "Ada q! SUCCESS"
    assert execution.render("{{ taskrun.value }} {{ task.type }}", task="b") == "q return"
    assert engine.render("{{ x }} {{ flow.id }}", execution.id, variables={"x": 1}) == "1 flow"
    with pytest.raises(UndefinedNameError, match="did you mean `who`"):
        execution.render("{{ inputs.whom }}")
    with pytest.raises(NotFoundError, match="no task run `bb`"):
        execution.render("x", task="bb")
    with pytest.raises(ExecutionNotFoundError):
        engine.render("x", "nope")


def test_secrets_are_masked_when_tried(run_tasks: RunTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", base64.b64encode(b"hunter2").decode())
    execution = run_tasks("- {id: a, type: log, message: hi}")
    assert execution.render("<{{ secret('KEY') }}>") == "<********>"
