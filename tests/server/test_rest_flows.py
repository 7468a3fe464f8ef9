"""Flows over REST."""

from __future__ import annotations

import pytest

from nbflow.engine import Engine
from tests.server.rest_calls import HELLO, Call

YAML = {"Content-Type": "application/x-yaml"}
BROKEN = "id: broken\nnamespace: company.team\ntasks: []\n"


async def test_a_flow_is_created_with_its_source_byte_for_byte(call: Call) -> None:
    source = f"# a comment\n{HELLO}\n\n"
    answer = await call("POST", "api/v1/main/flows", source, headers=YAML)
    assert answer.status == 200
    assert answer.body["source"] == source
    assert answer.body["revision"] == 1
    assert answer.body["labels"] == [{"key": "team", "value": "qa"}]
    assert answer.body["tasks"][0]["message"] == "Hello {{ inputs.name }}"


async def test_creating_a_flow_twice_is_422(call: Call, hello: str) -> None:
    answer = await call("POST", "api/v1/flows", HELLO)
    assert answer.status == 422
    assert "exists already" in answer.body["message"]


async def test_an_invalid_flow_is_422_with_every_problem(call: Call) -> None:
    answer = await call("POST", "api/v1/flows", BROKEN, headers=YAML)
    assert answer.status == 422
    assert answer.body["message"].startswith("Invalid entity: tasks: ")
    entry = answer.body["_embedded"]["errors"][0]
    assert (entry["path"], entry["line"], entry["severity"]) == ("tasks", 3, "error")


async def test_an_unchanged_source_makes_no_revision(call: Call, hello: str) -> None:
    same = await call("PUT", f"api/v1/flows/{hello}", HELLO)
    changed = await call("PUT", f"api/v1/flows/{hello}", HELLO.replace("Hello", "Goodbye"))
    assert (same.body["revision"], changed.body["revision"]) == (1, 2)
    revisions = await call("GET", f"api/v1/flows/{hello}/revisions")
    assert [each["revision"] for each in revisions.body] == [1, 2]
    assert revisions.body[0]["source"] == HELLO


async def test_an_update_must_keep_its_address(call: Call, hello: str) -> None:
    answer = await call("PUT", f"api/v1/flows/{hello}", HELLO.replace("id: hello\n", "id: other\n", 1))
    assert answer.status == 422


async def test_updating_what_is_not_there_is_404(call: Call) -> None:
    assert (await call("PUT", "api/v1/flows/company.team/hello", HELLO)).status == 404


async def test_a_flow_is_read_deleted_and_created_again(call: Call, hello: str) -> None:
    assert "source" not in (await call("GET", f"api/v1/flows/{hello}")).body
    assert (await call("GET", f"api/v1/flows/{hello}", params={"source": "true"})).body["source"] == HELLO
    deleted = await call("DELETE", f"api/v1/flows/{hello}")
    assert (deleted.status, deleted.content) == (204, b"")
    gone = await call("GET", f"api/v1/flows/{hello}")
    assert (gone.status, gone.body["code"]) == (404, "flow-not-found")
    assert (await call("POST", "api/v1/flows", HELLO)).body["revision"] == 2


async def test_a_missing_flow_comes_with_the_nearest_name(call: Call, hello: str) -> None:
    answer = await call("GET", "api/v1/flows/company.team/helo")
    assert answer.body["detail"] == "there is no flow `company.team.helo` (did you mean `company.team.hello`?)"


async def test_search_pages_and_filters(call: Call, engine: Engine) -> None:
    for number in range(5):
        engine.deploy(HELLO.replace("id: hello\n", f"id: hello{number}\n", 1))
    engine.deploy(HELLO.replace("company.team", "company.team.sub"))
    page = await call("GET", "api/v1/flows/search", params={"page": 2, "size": 2, "sort": "id:desc"})
    assert page.body["total"] == 6
    assert [flow["id"] for flow in page.body["results"]] == ["hello2", "hello1"]
    flat = await call("GET", "api/v1/flows/search", params={"namespace": "company.team"})
    exact = await call("GET", "api/v1/flows/search", params={"filters[namespace][EQUALS]": "company.team"})
    by_label = await call("GET", "api/v1/flows/search", params={"filters[labels][EQUALS][team]": "dev"})
    assert (flat.body["total"], exact.body["total"], by_label.body["total"]) == (6, 5, 0)
    listed = await call("GET", "api/v1/flows/company.team.sub")
    assert [flow["id"] for flow in listed.body] == ["hello"]
    assert (await call("GET", "api/v1/flows/distinct-namespaces")).body == ["company.team", "company.team.sub"]


@pytest.mark.parametrize(
    "params",
    [
        {"sort": "id"},
        {"sort": "colour:asc"},
        {"page": "0"},
        {"size": "many"},
        {"size": "100000"},
        {"filters[colour][EQUALS]": "red"},
        {"filters[namespace][LIKES]": "x"},
        {"filters[": "x"},
    ],
)
async def test_a_search_that_makes_no_sense_is_422(call: Call, params: dict[str, str]) -> None:
    assert (await call("GET", "api/v1/flows/search", params=params)).status == 422


async def test_validation_answers_one_entry_for_each_document(call: Call) -> None:
    answer = await call("POST", "api/v1/flows/validate", f"{HELLO}---\n{BROKEN}", headers=YAML)
    valid, invalid = answer.body
    assert answer.status == 200
    assert (valid["index"], valid["flow"], valid["namespace"]) == (0, "hello", "company.team")
    assert "constraints" not in valid
    assert isinstance(invalid["constraints"], str)
    problem = invalid["problems"][0]
    assert (problem["path"], problem["line"]) == ("tasks", len(HELLO.splitlines()) + 4)


async def test_files_are_validated_by_multipart(call: Call) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="flows"; filename="a.yml"\r\n\r\n'
        + BROKEN.encode()
        + b"\r\n--x--\r\n"
    )
    answer = await call(
        "POST", "api/v1/flows/validate", body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert [entry["filename"] for entry in answer.body] == ["a.yml"]
    assert "constraints" in answer.body[0]


async def test_the_graph_names_tasks_and_order(call: Call, hello: str) -> None:
    answer = await call("GET", f"api/v1/flows/{hello}/graph")
    assert [node["uid"] for node in answer.body["nodes"]] == ["root.hello", "root.answer"]
    edge = answer.body["edges"][0]
    assert (edge["source"], edge["target"]) == ("root.hello", "root.answer")
    assert edge["relation"] == {"relationType": "SEQUENTIAL"}
