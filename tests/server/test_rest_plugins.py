"""The types that flows can use, over REST."""

from __future__ import annotations

import pytest

from tests.server.rest_calls import Call

LOG = "io.kestra.plugin.core.log.Log"


async def test_types_are_grouped(call: Call) -> None:
    answer = await call("GET", "api/v1/plugins", params={"size": 200})
    groups = {group["group"]: group for group in answer.body["results"]}
    core = groups["io.kestra.plugin.core"]
    assert LOG in [task["cls"] for task in core["tasks"]]
    assert (await call("GET", "api/v1/plugins/groups/subgroups")).body == answer.body["results"]


@pytest.mark.parametrize("name", [LOG, "log"])
async def test_a_type_is_explained(call: Call, name: str) -> None:
    answer = await call("GET", f"api/v1/plugins/{name}", params={"all": "true"})
    assert LOG in answer.body["markdown"]
    assert "message" in answer.body["schema"]["properties"]["properties"]


async def test_an_unknown_type_is_404_with_the_nearest_name(call: Call) -> None:
    answer = await call("GET", "api/v1/plugins/io.kestra.plugin.core.log.Lob")
    assert answer.status == 404
    assert LOG in answer.body["detail"]


@pytest.mark.parametrize("kind", ["flow", "task", "trigger"])
async def test_editors_get_a_schema(call: Call, kind: str) -> None:
    schema = (await call("GET", f"api/v1/plugins/schemas/{kind}")).body
    assert "definitions" in schema
    several = (await call("GET", f"api/v1/plugins/schemas/{kind}", params={"arrayOf": "true"})).body
    assert several["type"] == "array"
