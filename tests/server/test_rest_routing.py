"""Which requests are let in, and what a client hears that asks for what is not there."""

from __future__ import annotations

import pytest

from tests.server.rest_calls import Call


@pytest.mark.parametrize("path", ["api/v1/configs", "api/v1/main/configs", "api/v1/configs/"])
async def test_both_prefixes_and_a_trailing_slash_are_served(call: Call, path: str) -> None:
    answer = await call("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body["version"].startswith("2.")


@pytest.mark.parametrize("path", ["api/health", "health"])
async def test_health_is_open_to_everybody(call: Call, path: str) -> None:
    answer = await call("GET", path, is_known=False)
    assert (answer.status, answer.body) == (200, {"status": "UP"})


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["api/v1/flows/a/b", "api/v1/nothing", "api/v1/executions/x/follow"])
async def test_without_credentials_the_answer_is_401_in_json(call: Call, method: str, path: str) -> None:
    answer = await call(method, path, is_known=False)
    assert answer.status == 401
    assert answer.headers["Www-Authenticate"] == 'Basic realm="nbflow"'
    assert answer.body["status"] == 401
    assert answer.body["title"] == "Unauthorized"


async def test_a_wrong_token_is_401(call: Call) -> None:
    answer = await call("GET", "api/v1/configs", headers={"Authorization": "Bearer wrong"}, is_known=False)
    assert answer.status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "token"])
async def test_the_token_is_taken_in_the_header_and_in_the_query(
    call: Call, jp_auth_header: dict[str, str], scheme: str
) -> None:
    token = jp_auth_header["Authorization"].split(" ", 1)[1]
    header = await call("GET", "api/v1/configs", headers={"Authorization": f"{scheme} {token}"}, is_known=False)
    query = await call("GET", "api/v1/configs", params={"token": token}, is_known=False)
    assert (header.status, query.status) == (200, 200)


@pytest.mark.parametrize(
    "path",
    [
        "api/v1",
        "api/v1/",
        "api/v1/nothing/here",
        "api/v1/other/flows/search",
        "api/v1/flows/expressions",
        "api/v1/executions/distinct-field-values",
        "api/v1/executions/5LJHz5SSYjdpgYcmLBuFvz/actions/dance",
        "api/v1/../../etc/passwd",
        "api/v1/flows/..%2f..%2fetc%2fpasswd/x/y/z",
        "api/v1/%00",
        "api/v1/flows/%ff%fe/x",
    ],
)
async def test_an_unknown_route_is_404_in_json(call: Call, path: str) -> None:
    answer = await call("GET", path)
    assert answer.status in (400, 404)
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.body) >= {"message", "_links", "_embedded", "type", "title", "status", "detail"}
    assert answer.body["status"] == answer.status


async def test_a_segment_is_decoded_after_the_match(call: Call) -> None:
    answer = await call("GET", "api/v1/flows/a%2Fb/c%20d")
    assert answer.status == 404
    assert answer.body["detail"].startswith("there is no flow `a/b.c d`")


async def test_a_verb_that_a_route_lacks_is_an_error_in_json(call: Call) -> None:
    answer = await call("PUT", "api/v1/configs", "{}")
    assert answer.status == 405
    assert answer.body["title"] == "Method Not Allowed"


@pytest.mark.parametrize("action", ["restart", "pause", "validate"])
async def test_an_action_on_what_looks_like_an_id_starts_nothing(call: Call, action: str) -> None:
    answer = await call("POST", f"api/v1/executions/5LJHz5SSYjdpgYcmLBuFvz/{action}", "")
    assert answer.status == 404
    assert "there is no flow" not in answer.body["message"]
