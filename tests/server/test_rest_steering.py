"""Moving executions on over REST."""

from __future__ import annotations

import json

from nbflow.engine import Engine
from tests.server.rest_calls import Call

PAUSED = """id: p
namespace: n
tasks:
  - {id: ask, type: pause, onResume: [{id: x, type: INT}]}
  - {id: say, type: return, format: "{{ outputs.ask.onResume.x }}"}
"""
FAILING = """id: f
namespace: n
tasks: [{id: a, type: return, format: x}, {id: bad, type: io.kestra.plugin.core.execution.Fail}]
"""
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_paused_execution_is_resumed(call: Call, engine: Engine) -> None:
    engine.deploy(PAUSED)
    execution = engine.wait(engine.run("n", "p").id, "PAUSED", timeout=20)
    missing = await call("POST", f"api/v1/executions/{execution.id}/actions/resume")
    assert (missing.status, "`x`" in missing.body["message"]) == (422, True)
    resumed = await call("POST", f"api/v1/executions/{execution.id}/actions/resume", body="x=7", headers=FORM)
    assert (resumed.status, resumed.body["id"]) == (200, execution.id)
    assert engine.wait(execution.id, timeout=20).task_runs["say"].outputs == {"value": "7"}
    assert (await call("POST", f"api/v1/main/executions/{execution.id}/resume")).status == 409
    assert (await call("POST", f"api/v1/executions/{execution.id}/actions/pause")).status == 409


async def test_a_failed_execution_is_restarted_replayed_and_set(call: Call, engine: Engine) -> None:
    engine.deploy(FAILING)
    execution = engine.run("n", "f", wait=True)
    restarted = await call("POST", f"api/v1/executions/{execution.id}/actions/restart")
    assert (restarted.status, restarted.body["id"]) == (200, execution.id)
    assert len(engine.wait(execution.id, timeout=20).task_runs["bad"].attempts) == 2
    first = execution.task_runs["bad"].id
    replayed = await call("POST", f"api/v1/executions/{execution.id}/actions/replay", params={"taskRunId": first})
    assert (replayed.status, replayed.body["originalId"]) == (200, execution.id)
    body = json.dumps({"taskRunId": first, "state": "SUCCESS"})
    assert (
        await call("POST", f"api/v1/executions/{execution.id}/actions/state", body=body, headers=JSON)
    ).status == 200
    assert engine.wait(execution.id, timeout=20).refresh().state == "SUCCESS"
    wrong = await call("POST", f"api/v1/executions/{execution.id}/actions/state", body="{}", headers=JSON)
    assert wrong.status == 422


async def test_many_at_once_and_deletion(call: Call, engine: Engine) -> None:
    engine.deploy(FAILING)
    ids = [engine.run("n", "f", wait=True).id for _ in range(2)]
    refused = await call("POST", "api/v1/executions/restart/by-ids", body=json.dumps([*ids, "nope"]), headers=JSON)
    assert (refused.status, refused.body["invalids"][0]["invalidValue"]) == (400, "nope")
    done = await call("POST", "api/v1/executions/replay/by-ids", body=json.dumps(ids), headers=JSON)
    assert (done.status, done.body["count"], done.body["totalItems"]) == (200, 2, 2)
    assert (await call("POST", "api/v1/executions/restart/by-ids", body="{}", headers=JSON)).status == 422
    assert (await call("DELETE", f"api/v1/executions/{ids[0]}")).status == 204
    assert (await call("GET", f"api/v1/executions/{ids[0]}")).status == 404
