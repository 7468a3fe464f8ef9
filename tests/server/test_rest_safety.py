"""What a server refuses: bodies too large or too deep, paths that lead elsewhere, bombs, and who asks too often."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest
from jupyter_server.serverapp import ServerApp

from nbflow.engine import Engine
from nbflow.server.credentials import FAILURES
from nbflow.server.handler import SETTING, ServerEngine
from nbflow.settings import ServerSettings
from tests.server.rest_calls import Call, multipart

YAML = {"Content-Type": "application/x-yaml"}


@pytest.fixture
def shared(jp_serverapp: ServerApp, engine: Engine) -> ServerEngine:
    holder: ServerEngine = jp_serverapp.web_app.settings[SETTING]
    return holder


def narrow(shared: ServerEngine, **limits: int) -> None:
    """Give the server other limits."""
    object.__setattr__(shared.settings, "server", ServerSettings(**limits))  # type: ignore[arg-type]  # numbers all


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


async def test_a_body_that_is_too_long_is_413(call: Call, shared: ServerEngine) -> None:
    narrow(shared, max_body_bytes=1000, max_upload_bytes=5000)
    long = await call("POST", "api/v1/flows", "#" * 1001, headers=YAML)
    assert (long.status, long.body["status"]) == (413, 413)
    kind, form = multipart(fileUpload=("flows.yml", b"#" * 6000))
    upload = await call("POST", "api/v1/flows/import", form, headers={"Content-Type": kind})
    assert upload.status == 413
    kind, form = multipart(fileUpload=("flows.yml", b"#" * 3000))
    assert (await call("POST", "api/v1/flows/import", form, headers={"Content-Type": kind})).status == 200


async def test_nothing_is_read_of_strangers(call: Call, shared: ServerEngine) -> None:
    answer = await call("POST", "api/v1/flows", "#" * 100_000, headers=YAML, is_known=False)
    assert answer.status == 401


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000, "9" * 100_000, "{", "\ufeff[1", '"\\ud800"'])
async def test_json_that_no_program_means_is_refused(call: Call, method: str, body: str) -> None:
    path = "api/v1/executions/latest" if method == "POST" else "api/v1/triggers/set-disabled"
    answer = await call(method, path, body, headers={"Content-Type": "application/json"})
    assert answer.status in (400, 422)
    assert "message" in answer.body


@pytest.mark.parametrize("body", ["[" * 100_000, "9" * 100_000, '{"a": ' * 20_000])
async def test_a_value_that_is_nested_too_deep_is_refused(call: Call, body: str) -> None:
    answer = await call("PUT", "api/v1/namespaces/a.b/kv/deep", body)
    assert answer.status in (400, 422)


async def test_a_bomb_of_yaml_is_refused(call: Call) -> None:
    lines = ["id: bomb", "namespace: a.b", "variables:", "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 12):
        lines.append(f"  a{number}: &a{number} [" + ", ".join([f"*a{number - 1}"] * 10) + "]")
    lines += ["tasks:", "  - {id: t, type: log, message: hi}"]
    answer = await call("POST", "api/v1/flows", "\n".join(lines), headers=YAML)
    assert answer.status == 422


async def test_a_bomb_of_zip_is_refused(call: Call, engine: Engine) -> None:
    bomb = packed(**{"zeros.txt": b"\0" * (40 * 2**20)})
    kind, form = multipart(fileContent=("all.zip", bomb))
    answer = await call(
        "POST", "api/v1/namespaces/a.b/files", form, params={"path": "/"}, headers={"Content-Type": kind}
    )
    assert answer.status == 413
    kind, form = multipart(fileUpload=("all.zip", bomb))
    answer = await call("POST", "api/v1/flows/import", form, headers={"Content-Type": kind})
    assert answer.status == 413
    assert engine.store.namespace_files.list("a.b") == []


@pytest.mark.parametrize("name", ["..__evil.txt", "__etc__passwd", "a__..__..__b", "C:\\x"])
async def test_an_archive_cannot_write_elsewhere(call: Call, engine: Engine, name: str) -> None:
    kind, form = multipart(fileContent=("all.zip", packed(**{"good.txt": b"x", name: b"x"})))
    answer = await call(
        "POST", "api/v1/namespaces/a.b/files", form, params={"path": "/"}, headers={"Content-Type": kind}
    )
    assert answer.status == 422
    assert engine.store.namespace_files.list("a.b") == []


async def test_an_archive_is_unpacked(call: Call, engine: Engine) -> None:
    kind, form = multipart(fileContent=("all.zip", packed(**{"a.txt": b"1", "b__c.txt": b"2"})))
    answer = await call(
        "POST", "api/v1/namespaces/a.b/files", form, params={"path": "/"}, headers={"Content-Type": kind}
    )
    assert answer.status == 200
    assert [file.path for file in engine.store.namespace_files.list("a.b")] == ["a.txt", "b/c.txt"]


@pytest.mark.parametrize("path", ["../x", "/../../x", "a/../../x", "..\\x", "/", ""])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_path_never_leaves_its_namespace(call: Call, method: str, path: str) -> None:
    answer = await call(method, "api/v1/namespaces/a.b/files", "", params={"path": path})
    assert answer.status in (400, 422)


@pytest.mark.parametrize("namespace", ["..", "a/../../b", "_files", "a..b", "%2e%2e"])
async def test_a_namespace_is_no_way_out(call: Call, namespace: str) -> None:
    from urllib.parse import quote

    path = f"api/v1/namespaces/{quote(namespace, safe='')}/files"
    answer = await call("POST", path, "", params={"path": "x"})
    assert answer.status in (404, 405, 422)


async def test_a_header_cannot_be_smuggled_in_by_a_file_name(call: Call, engine: Engine) -> None:
    name = 'a"\r\nSet-Cookie: x=1.txt'
    engine.store.namespace_files.put("a.b", name, b"content")
    answer = await call("GET", "api/v1/namespaces/a.b/files", params={"path": name})
    assert answer.status == 200
    assert "x=1" not in answer.headers.get("Set-Cookie", "")
    assert "\n" not in answer.headers["Content-Disposition"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nnever ends"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A" * 20_000),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"garbage" * 10),
    ],
)
async def test_a_form_that_is_none_is_400(call: Call, hello: str, kind: str, body: bytes) -> None:
    answer = await call("POST", f"api/v1/executions/{hello}", body, headers={"Content-Type": kind})
    assert answer.status == 400


async def test_a_compressed_body_is_415(call: Call) -> None:
    answer = await call("POST", "api/v1/flows", b"\x1f\x8b", headers={**YAML, "Content-Encoding": "gzip"})
    assert answer.status == 415


async def test_who_asks_too_often_waits(call: Call, shared: ServerEngine) -> None:
    narrow(shared, requests_per_second=5)
    shared.__dict__.pop("rates", None)
    statuses = [(await call("GET", "api/v1/configs")).status for _ in range(40)]
    assert 429 in statuses
    assert statuses[0] == 200
    shared.__dict__.pop("rates", None)


async def test_jupyters_token_is_a_password_too(call: Call, jp_auth_header: dict[str, str]) -> None:
    token = jp_auth_header["Authorization"].split(" ", 1)[1]
    headers = {**basic(f"ada:{token}"), "Content-Type": "application/x-yaml"}
    text = "id: by_basic\nnamespace: a.b\ntasks:\n  - {id: t, type: log, message: hi}\n"
    answer = await call("POST", "api/v1/flows", text, headers=headers, is_known=False)
    assert answer.status == 200  # no XSRF cookie is asked for
    assert (await call("GET", "api/v1/me", headers=headers, is_known=False)).body["username"] == "ada"


@pytest.mark.parametrize("text", ["ada:wrong", "ada:", ":", "", "nothing"])
async def test_a_wrong_password_is_401(call: Call, text: str) -> None:
    answer = await call("GET", "api/v1/me", headers=basic(text), is_known=False)
    assert answer.status == 401
    assert answer.headers["Www-Authenticate"] == 'Basic realm="nbflow"'


async def test_guessing_is_slowed_down_for_the_guesser_alone(
    call: Call, jp_auth_header: dict[str, str], shared: ServerEngine
) -> None:
    assert (await call("GET", "api/v1/me")).status == 200
    for number in range(FAILURES):
        assert (await call("GET", "api/v1/me", headers=basic(f"ada:{number}"), is_known=False)).status == 401
    token = jp_auth_header["Authorization"].split(" ", 1)[1]
    late = await call("GET", "api/v1/me", headers=basic(f"eve:{token}"), is_known=False)
    assert late.status == 429
    assert int(late.headers["Retry-After"]) >= 1
    assert (await call("GET", "api/v1/me")).status == 200


async def test_a_webhook_takes_no_look_at_who_calls(call: Call, engine: Engine) -> None:
    engine.deploy(
        "id: hooked\nnamespace: a.b\ntasks:\n  - {id: t, type: log, message: hi}\n"
        "triggers:\n  - {id: h, type: webhook, key: secret-key}\n"
    )
    headers = {**basic("eve:wrong"), "Origin": "https://elsewhere.example", "Cookie": "a=b"}
    answer = await call(
        "POST", "api/v1/executions/webhook/a.b/hooked/secret-key", "{}", headers=headers, is_known=False
    )
    assert answer.status == 200
    seen = json.dumps(answer.body["trigger"]["variables"]["headers"]).lower()
    assert "authorization" not in seen
    assert "cookie" not in seen
