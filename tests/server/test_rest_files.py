"""Files given by multipart and read back, and paths that must not lead anywhere else."""

from __future__ import annotations

import json

import pytest

from nbflow.engine import Engine
from tests.server.rest_calls import Call, multipart

FILED = """\
id: filed
namespace: company.team
inputs:
  - id: doc
    type: FILE
tasks:
  - id: answer
    type: io.kestra.plugin.core.debug.Return
    format: "{{ inputs.doc }}"
"""

START = "api/v1/executions/company.team/filed"


@pytest.fixture
def filed(engine: Engine) -> None:
    engine.deploy(FILED)


@pytest.mark.parametrize(
    ("part", "file_name", "stored"),
    [
        ("doc", "report 1.csv", "report%201.csv"),
        ("files", "doc", "doc"),
        ("doc", "../../../etc/passwd", "passwd"),
        ("doc", "..\\..\\boot.ini", "boot.ini"),
        ("doc", "..", "file"),
    ],
)
@pytest.mark.usefixtures("filed")
async def test_a_file_is_stored_below_its_execution(call: Call, part: str, file_name: str, stored: str) -> None:
    content_type, body = multipart(**{part: (file_name, b"\x00bytes\xff")})
    answer = await call("POST", START, body, headers={"Content-Type": content_type}, params={"wait": "true"})
    assert answer.status == 200
    uri = answer.body["inputs"]["doc"]
    folder = f"kestra:///company/team/filed/executions/{answer.body['id']}/inputs/doc/"
    assert uri == folder + stored
    read = await call("GET", f"api/v1/executions/{answer.body['id']}/file", params={"path": uri})
    assert (read.status, read.content) == (200, b"\x00bytes\xff")
    assert read.headers["Content-Type"] == "application/octet-stream"
    assert read.headers["Content-Disposition"].startswith("attachment;")
    metas = await call("GET", f"api/v1/executions/{answer.body['id']}/file/metas", params={"path": uri})
    assert metas.body == {"size": 7}


@pytest.mark.usefixtures("filed")
async def test_an_empty_file_is_a_file(call: Call) -> None:
    content_type, body = multipart(doc=("empty.txt", b""))
    answer = await call("POST", START, body, headers={"Content-Type": content_type}, params={"wait": "true"})
    assert answer.body["state"]["current"] == "SUCCESS"


@pytest.mark.usefixtures("filed")
async def test_a_file_for_no_input_is_422(call: Call) -> None:
    content_type, body = multipart(other=("other.txt", b"x"))
    answer = await call("POST", START, body, headers={"Content-Type": content_type})
    assert answer.status == 422
    assert "'other.txt' belongs to no input" in answer.body["message"]


@pytest.mark.usefixtures("filed")
@pytest.mark.parametrize("path", ["/etc/passwd", "secret.txt", "~/.ssh/id_rsa"])
async def test_text_cannot_name_a_file_of_the_server(call: Call, path: str) -> None:
    content_type, body = multipart(doc=path)
    by_form = await call("POST", START, body, headers={"Content-Type": content_type})
    by_json = await call("POST", START, json.dumps({"inputs": {"doc": path}}))
    assert (by_form.status, by_json.status) == (422, 422)


@pytest.mark.usefixtures("filed")
@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "kestra:///../../../etc/passwd",
        "kestra:///company/team/filed/executions/{id}/../../../../../../etc/passwd",
        "kestra:///company/team/filed/executions/{id}/%2e%2e/%2e%2e/secret",
        "kestra:///company/team/filed/executions/another/inputs/doc/secret.txt",
        "kestra:///company/team/filed/executions/{id}/nothing",
        "kestra:///company/team/filed/executions/{id}/\x00",
    ],
)
async def test_only_files_of_the_execution_can_be_read(call: Call, path: str) -> None:
    content_type, body = multipart(doc=("a.txt", b"x"))
    started = await call("POST", START, body, headers={"Content-Type": content_type}, params={"wait": "true"})
    execution_id = started.body["id"]
    answer = await call(
        "GET", f"api/v1/executions/{execution_id}/file", params={"path": path.replace("{id}", execution_id)}
    )
    assert answer.status in (404, 422)


@pytest.mark.usefixtures("filed")
async def test_a_file_of_another_execution_is_found_there(call: Call) -> None:
    content_type, body = multipart(doc=("a.txt", b"x"))
    first, second = [
        (await call("POST", START, body, headers={"Content-Type": content_type}, params={"wait": "true"})).body
        for _ in range(2)
    ]
    uri = first["inputs"]["doc"]
    answer = await call("GET", f"api/v1/executions/{second['id']}/file", params={"path": uri})
    assert answer.status == 302
    assert f"/api/v1/executions/{first['id']}/file?path=" in answer.headers["Location"]


async def test_a_missing_path_is_400(call: Call, engine: Engine, hello: str) -> None:
    execution = engine.run("company.team", "hello", wait=True)
    answer = await call("GET", f"api/v1/executions/{execution.id}/file")
    assert (answer.status, answer.body["detail"]) == (400, "the query parameter `path` is missing")
