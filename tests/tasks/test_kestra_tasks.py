"""Tasks of Kestra's plugin for its own API act on the home that they run in."""

from __future__ import annotations

import json

import pytest

from nbflow.engine import Engine
from tests.tasks.conftest import RunTasks, messages

HELLO = """
id: hello
namespace: tests.below
labels: {team: red}
inputs: [{id: n, type: INT, defaults: 0}]
tasks: [{id: check, type: fail, condition: "{{ inputs.n == 2 }}"}]
"""
WAITING = """
id: waiting
namespace: tests
tasks:
  - id: ask
    type: pause
    onResume: [{id: comment, type: STRING}]
  - {id: show, type: return, format: "{{ outputs.ask.onResume.comment }}"}
"""


@pytest.fixture
def _hellos(engine: Engine) -> None:
    engine.deploy(HELLO)
    for n in range(3):
        engine.run("tests.below", "hello", {"n": n}, labels={"n": str(n)}, wait=True, timeout=30)


@pytest.mark.usefixtures("_hellos")
@pytest.mark.parametrize(
    ("properties", "found"),
    [
        ("flowId: hello", ["2", "1", "0"]),
        ("namespace: tests.below", ["2", "1", "0"]),
        ("namespace: tests, flowId: hello, states: [FAILED]", ["2"]),
        ("labels: {n: '1', team: red}", ["1"]),
        ("flowId: hello, page: 2, size: 2", ["0"]),
        ("flowId: hello, timeRange: PT1H", ["2", "1", "0"]),
        ("flowId: hello, endDate: '2020-01-01T00:00:00Z'", []),
        ("flowId: hello, triggerExecutionId: none", []),
    ],
)
def test_executions_are_found(run_tasks: RunTasks, properties: str, found: list[str]) -> None:
    kind = "type: io.kestra.plugin.kestra.executions.Query, kestraUrl: 'http://localhost:8080'"
    auth = "auth: {username: a, password: b}"
    execution = run_tasks(f"- {{id: q, {kind}, {auth}, fetchType: FETCH, {properties}}}")
    output = execution.task_runs["q"].outputs
    numbers = [next(label["value"] for label in row["labels"] if label["key"] == "n") for row in output["rows"]]
    assert (numbers, output["size"]) == (found, len(found))


@pytest.mark.usefixtures("_hellos")
def test_executions_are_stored_as_json_lines_or_only_the_newest_is_fetched(engine: Engine, run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: all, type: query_executions, flowId: hello}
        - {id: one, type: query_executions, flowId: hello, fetchType: FETCH_ONE}
        - {id: count, type: query_executions, flowId: hello, fetchType: NONE}
    """)
    stored = execution.task_runs["all"].outputs
    lines = engine.read_file(stored["uri"]).decode().splitlines()
    assert [json.loads(line)["flowId"] for line in lines] == ["hello"] * 3
    assert execution.task_runs["one"].outputs["row"]["id"] == json.loads(lines[0])["id"]
    assert execution.task_runs["count"].outputs == {"size": 3}


def test_an_execution_is_killed_with_those_it_started(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(WAITING)
    engine.deploy("""
id: around
namespace: tests
tasks:
  - {id: call, type: subflow, namespace: tests, flowId: waiting}
""")
    around = engine.run("tests", "around")
    child = _child_of(engine, around.id)
    execution = run_tasks(f"- {{id: end, type: io.kestra.plugin.kestra.executions.Kill, executionId: {around.id}}}")
    assert execution.state == "SUCCESS"
    assert engine.wait(around.id, timeout=30).state == "KILLED"
    assert engine.wait(child, timeout=30).state == "KILLED"


def test_an_execution_kills_itself(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: end, type: kill, executionId: "{{ execution.id }}"}
        - {id: after, type: log, message: after}
    """)
    assert (execution.state, messages(execution)) == ("KILLED", [])


def test_a_paused_execution_is_resumed_with_inputs(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(WAITING)
    paused = engine.run("tests", "waiting")
    engine.wait(paused.id, "PAUSED", timeout=30)
    run_tasks(f"- {{id: go, type: resume_execution, executionId: {paused.id}, inputs: {{comment: fine}}}}")
    assert engine.wait(paused.id, timeout=30).task_runs["show"].outputs == {"value": "fine"}


def test_flows_are_listed(engine: Engine, run_tasks: RunTasks) -> None:
    engine.deploy(HELLO)
    execution = run_tasks("""
        - {id: mine, type: io.kestra.plugin.kestra.flows.List}
        - {id: below, type: list_flows, namespace: tests.below}
    """)
    assert [flow["id"] for flow in execution.task_runs["mine"].outputs["flows"]] == ["flow"]
    [flow] = execution.task_runs["below"].outputs["flows"]
    assert (flow["revision"], flow["labels"]) == (1, {"team": "red"})


def _child_of(engine: Engine, execution_id: str) -> str:
    from nbflow.testing import eventually

    [child] = eventually(lambda: engine.store.executions.list(parent_id=execution_id, states=["PAUSED"]))
    return str(child.id)
