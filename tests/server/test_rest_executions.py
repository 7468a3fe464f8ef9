"""Executions over REST: start, read, search, kill."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from nbflow.engine import Engine
from tests.server.rest_calls import HELLO, Call, multipart

JSON = {"Content-Type": "application/json"}


async def test_a_post_without_a_body_starts_an_execution(call: Call, engine: Engine, hello: str) -> None:
    answer = await call("POST", f"api/v1/executions/{hello}")
    assert answer.status == 200
    started = answer.body
    assert started["url"].startswith("http")
    assert started["flowId"] == "hello"
    assert {"key": "team", "value": "qa"} in started["labels"]
    engine.wait(started["id"], timeout=20)
    final = (await call("GET", f"api/v1/main/executions/{started['id']}")).body
    assert final["state"]["current"] == "SUCCESS"
    assert [run["taskId"] for run in final["taskRunList"]] == ["hello", "answer"]
    assert final["outputs"] == {"greeted": "World"}
    assert final["originalId"] == final["id"]


async def test_wait_answers_with_the_final_execution(call: Call, hello: str) -> None:
    content_type, body = multipart(name="Ada")
    answer = await call(
        "POST",
        f"api/v1/executions/trigger/{hello}",
        body,
        params={"wait": "true", "labels": ["a:b:c", "team:dev"]},
        headers={"Content-Type": content_type},
    )
    assert answer.body["state"]["current"] == "SUCCESS"
    assert answer.body["outputs"] == {"greeted": "Ada"}
    assert {"key": "a", "value": "b:c"} in answer.body["labels"]
    assert {"key": "team", "value": "dev"} in answer.body["labels"]


@pytest.mark.parametrize("path", ["api/v1/executions/company.team/hello", "api/v1/main/executions/company.team/hello"])
async def test_inputs_may_come_as_json(call: Call, hello: str, path: str) -> None:
    answer = await call("POST", path, json.dumps({"inputs": {"name": "Ada"}}), headers=JSON, params={"wait": "true"})
    assert answer.body["outputs"] == {"greeted": "Ada"}


async def test_namespace_and_flow_may_come_in_the_body(call: Call, hello: str) -> None:
    body = {"namespace": "company.team", "flowId": "hello", "inputs": {"name": "Ada"}, "wait": True}
    answer = await call("POST", "api/v1/executions", json.dumps(body), headers=JSON)
    assert (answer.status, answer.body["outputs"]) == (200, {"greeted": "Ada"})


@pytest.mark.parametrize(
    ("body", "path"),
    [("{", ""), ('{"inputs": 3, "namespace": "a", "flowId": "b"}', "inputs"), ("{}", "flowId"), ("[1]", "")],
)
async def test_a_body_that_cannot_be_read_is_422(call: Call, body: str, path: str) -> None:
    answer = await call("POST", "api/v1/executions", body, headers=JSON)
    assert answer.status == 422
    assert answer.body["_embedded"]["errors"][0]["path"] == path


async def test_space_around_an_input_is_kept(call: Call, hello: str) -> None:
    content_type, body = multipart(name="  Ada ")
    answer = await call(
        "POST",
        f"api/v1/executions/{hello}",
        body,
        params={"wait": "true", "name": "query"},
        headers={"Content-Type": content_type},
    )
    assert answer.body["inputs"] == {"name": "  Ada "}


async def test_inputs_that_do_not_fit_are_422_with_their_paths(call: Call, engine: Engine) -> None:
    engine.deploy(HELLO.replace("type: STRING\n    defaults: World", "type: INT"))
    content_type, body = multipart(name="many")
    answer = await call("POST", "api/v1/executions/company.team/hello", body, headers={"Content-Type": content_type})
    assert answer.status == 422
    assert answer.body["_embedded"]["errors"][0]["path"] == "inputs.name"


async def test_an_unknown_flow_is_404_and_a_disabled_one_409(call: Call, engine: Engine) -> None:
    engine.deploy(f"{HELLO}disabled: true\n")
    assert (await call("POST", "api/v1/executions/company.team/nothing")).status == 404
    assert (await call("POST", "api/v1/executions/company.team/hello")).status == 409


@pytest.mark.parametrize("label", ["nothing", ":value", "system.from:me"])
async def test_a_bad_label_is_422(call: Call, hello: str, label: str) -> None:
    assert (await call("POST", f"api/v1/executions/{hello}", params={"labels": label})).status == 422


async def test_an_execution_has_a_longer_address_too(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    assert (await call("GET", f"api/v1/executions/company.team/hello/{execution.id}")).body["id"] == execution.id
    assert (await call("GET", f"api/v1/executions/company.team/other/{execution.id}")).status == 404


async def test_an_unknown_execution_is_404(call: Call) -> None:
    answer = await call("GET", "api/v1/executions/5LJHz5SSYjdpgYcmLBuFvz")
    assert (answer.status, answer.body["code"]) == (404, "execution-not-found")


@pytest.mark.parametrize("spelling", ["kill", "actions/kill"])
async def test_a_running_execution_is_killed(call: Call, engine: Engine, sleeper: str, spelling: str) -> None:
    execution = engine.run("company.team", "sleeper")
    answer = await call("DELETE", f"api/v1/executions/{execution.id}/{spelling}")
    assert (answer.status, answer.body["id"]) == (200, execution.id)
    assert engine.wait(execution.id, timeout=20).state == "KILLED"
    assert (await call("DELETE", f"api/v1/executions/{execution.id}/kill")).status == 409


async def test_search_filters_and_leaves_task_runs_out(call: Call, engine: Engine, hello: str) -> None:
    engine.deploy(HELLO.replace("company.team", "company.team.sub"))
    for name, label in (("a", "one"), ("b", "two"), ("c", "two")):
        engine.run("company.team", "hello", {"name": name}, labels={"batch": label}, wait=True)
    engine.run("company.team.sub", "hello", wait=True)

    async def total(**params: str) -> int:
        return int((await call("GET", "api/v1/executions/search", params=params)).body["total"])

    page = (await call("GET", "api/v1/executions/search", params={"size": 2, "sort": "state.startDate:asc"})).body
    assert page["total"] == 4
    assert [each["inputs"]["name"] for each in page["results"]] == ["a", "b"]
    assert "taskRunList" not in page["results"][0]
    assert await total(namespace="company.team") == 4
    assert await total(**{"filters[namespace][EQUALS]": "company.team"}) == 3
    assert await total(**{"filters[labels][EQUALS][batch]": "two"}) == 2
    assert await total(labels="batch:one") == 1
    assert await total(**{"filters[state][IN]": "FAILED,KILLED"}) == 0
    assert await total(**{"filters[state][NOT_IN]": "FAILED,KILLED"}) == 4
    assert await total(state="SUCCESS") == 4
    assert await total(**{"filters[and][0][flowId][EQUALS]": "hello"}) == 4
    assert await total(timeRange="PT1H") == 4
    assert await total(endDate=(datetime.now(UTC) - timedelta(hours=1)).isoformat()) == 0
    assert await total(startDate=(datetime.now(UTC) - timedelta(hours=1)).isoformat()) == 4
    listed = await call("GET", "api/v1/executions", params={"namespace": "company.team.sub", "flowId": "hello"})
    assert listed.body["total"] == 1


@pytest.mark.parametrize(
    "params",
    [
        {"state": "DONE"},
        {"startDate": "yesterday"},
        {"timeRange": "an hour"},
        {"labels": "nothing"},
        {"sort": "colour:asc"},
        {"filters[or][0][colour][EQUALS]": "a"},
        {"filters[flowId][REGEX]": "a.*"},
    ],
)
async def test_a_search_that_makes_no_sense_is_422(call: Call, params: dict[str, str]) -> None:
    answer = await call("GET", "api/v1/executions/search", params=params)
    assert (answer.status, answer.body["title"]) == (422, "Invalid entity")


async def test_outputs_have_routes_of_their_own(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    assert (await call("GET", f"api/v1/outputs/executions/{execution.id}")).body == {"greeted": "World"}
    entry = (await call("GET", f"api/v1/outputs/tasks/{execution.id}")).body[-1]
    assert (entry["taskId"], entry["inline"]) == ("answer", {"value": "World"})
    assert (await call("GET", f"api/v1/outputs/tasks/{execution.id}/{entry['taskRunId']}")).body == {"value": "World"}
    assert (await call("GET", f"api/v1/outputs/tasks/{execution.id}/nothing")).status == 404
