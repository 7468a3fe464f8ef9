"""Requests and downloads against a real server."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from nbflow.engine import Engine
from nbflow.tasks.http.download import Download, file_name
from nbflow.tasks.http.exchange import shown
from nbflow.tasks.http.options import Auth, HttpOptions
from nbflow.tasks.http.request import Request
from nbflow.tasks.http.sse import SseRequest
from nbflow.testing import run_task
from tests.tasks.conftest import RunTasks, Site, messages


def test_a_request_puts_out_code_headers_and_body_as_text(site: Site) -> None:
    url = site.answer("/products", {"products": [1]})
    result = run_task(Request(id="get", uri=url))
    assert result.state == "SUCCESS"
    assert result.outputs["code"] == 200
    assert result.outputs["uri"] == url
    assert json.loads(str(result.outputs["body"])) == {"products": [1]}
    assert result.outputs["headers"]["content-type"] == ["application/json"]  # type: ignore[call-overload,index]


def test_url_is_another_spelling_of_uri(site: Site, run_tasks: RunTasks) -> None:
    url = site.answer("/data", {"a": 1})
    execution = run_tasks(f"""
        - id: api
          type: io.kestra.core.tasks.http.Request
          url: {url}
          method: GET
          headers: {{Authorization: "Bearer {{{{ inputs.token }}}}"}}
        - {{id: use, type: io.kestra.plugin.core.debug.Return, format: "{{{{ json(outputs.api.body).a }}}}"}}
    """, more="inputs: [{id: token, type: STRING, defaults: abc}]")  # fmt: skip
    assert execution.task_runs["use"].outputs == {"value": "1"}
    assert site.asked[0][2]["Authorization"] == "Bearer abc"


def test_a_body_that_is_a_map_is_sent_as_json(site: Site) -> None:
    run_task(Request(id="post", uri=site.answer("/"), method="POST", body={"a": [1, "ü"]}))
    method, _, headers, body = site.asked[0]
    assert method == "POST"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"a": [1, "ü"]}


def test_a_body_that_is_text_is_sent_as_it_is(site: Site) -> None:
    run_task(Request(id="post", uri=site.answer("/"), method="put", body="a;b", content_type="text/csv"))
    method, _, headers, body = site.asked[0]
    assert (method, headers["Content-Type"], body) == ("PUT", "text/csv", b"a;b")


def test_form_data_is_urlencoded_and_params_join_the_address(site: Site) -> None:
    url = site.answer("/")
    run_task(
        Request(
            id="post", uri=f"{url}?x=0", method="POST", params={"y": [1, 2]}, form_data={"user": "Ada & Co", "n": 2}
        )
    )
    _, path, headers, body = site.asked[0]
    assert path == "/?x=0&y=1&y=2"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert body == b"user=Ada+%26+Co&n=2"


def test_form_data_with_a_stored_file_is_multipart(site: Site) -> None:
    url = site.answer("/")
    task = Request(
        id="post",
        uri=url,
        method="POST",
        content_type="multipart/form-data",
        form_data={
            "name": "Ada",
            "plain": "{{ vars.files['a.csv'] }}",
            "renamed": {"name": "b.csv", "content": "{{ vars.files['a.csv'] }}"},
        },
    )
    assert run_task(task, files={"a.csv": b"1,2"}).state == "SUCCESS"
    _, _, headers, body = site.asked[0]
    assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b'name="name"\r\n\r\nAda' in body
    assert b'name="plain"; filename="a.csv"' in body
    assert b'name="renamed"; filename="b.csv"' in body
    assert body.count(b"1,2") == 2


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (HttpOptions(auth=Auth(username="u", password="p")), "Basic " + base64.b64encode(b"u:p").decode()),
        (HttpOptions(basic_auth_user="u", basic_auth_password="p"), "Basic " + base64.b64encode(b"u:p").decode()),
        (HttpOptions(auth=Auth(type="BEARER", token="t")), "Bearer t"),
    ],
)
def test_options_log_in(site: Site, options: HttpOptions, header: str) -> None:
    run_task(Request(id="get", uri=site.answer("/"), options=options))
    assert site.asked[0][2]["Authorization"] == header


def test_a_failed_answer_fails_with_its_code_reason_and_beginning(site: Site) -> None:
    url = site.answer("/gone", b"not here any more", 410)
    result = run_task(Request(id="get", uri=url.replace("://", "://user:secret@")))
    assert result.state == "FAILED"
    assert result.messages[-1] == f"GET {url} answered 410 Gone: not here any more"
    assert not any("secret" in message for message in result.messages)
    assert result.outputs["code"] == 410


@pytest.mark.parametrize(
    "more",
    [
        {"allow_failed": True},
        {"options": HttpOptions(allow_failed=True)},
        {"options": HttpOptions(allowed_response_codes=[404])},
    ],
)
def test_a_failed_answer_can_be_allowed(site: Site, more: dict[str, object]) -> None:
    result = run_task(Request.model_validate({"id": "get", "uri": site.url + "/missing", **more}))
    assert result.state == "SUCCESS"
    assert (result.outputs["code"], result.outputs["body"]) == (404, "no such page")


def test_redirects_are_followed_unless_told_otherwise(site: Site) -> None:
    target = site.answer("/new", b"here")
    url = site.answer("/old", code=302, Location="/new")
    assert run_task(Request(id="get", uri=url)).outputs["uri"] == target
    result = run_task(Request(id="get", uri=url, options=HttpOptions(follow_redirects=False)))
    assert result.outputs["code"] == 302


def test_a_body_that_is_too_long_points_to_download(site: Site) -> None:
    url = site.answer("/", b"x" * 2000)
    result = run_task(Request(id="get", uri=url, options=HttpOptions(max_content_length=1000)))
    assert result.state == "FAILED"
    assert "answered more than 1000 bytes (use io.kestra.plugin.core.http.Download" in result.messages[-1]


def test_a_server_that_is_not_there_fails_the_task() -> None:
    result = run_task(Request(id="get", uri="http://127.0.0.1:1/x"))
    assert result.state == "FAILED"
    assert result.messages[-1].startswith("GET http://127.0.0.1:1/x failed: ")


def test_an_address_without_a_scheme_says_how_to_mend_it() -> None:
    result = run_task(Request(id="get", uri="example.org/x"))
    assert "is no address" in result.messages[-1]
    assert "https://" in result.messages[-1]


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("http://ada:hush@[::1", "http://[::1"),
        ("http://ada:hush@127.0.0.1:99999/x", "http://127.0.0.1:99999/x"),
        ("http://ada:hush@localhost:port/x", "http://localhost:port/x"),
        ("http://ada:hush@\u2102\uff0f.com/", "http://\u2102\uff0f.com/"),
    ],
)
@pytest.mark.parametrize("task", [Request, Download])
def test_an_address_that_cannot_be_read_is_told_without_credentials(
    task: type[Request | Download], uri: str, told: str
) -> None:
    result = run_task(task(id="get", uri=uri))
    assert result.state == "FAILED"
    assert result.messages[-1] == f"`{told}` is no address (check its host and port, such as https://host:8080/path)"


def test_a_request_that_takes_too_long_is_ended(run_tasks: RunTasks) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        execution = run_tasks(f"""
            - id: get
              type: http
              uri: http://127.0.0.1:{port}/
              options: {{timeout: {{readIdleTimeout: PT0.1S}}}}
        """)
    assert execution.state == "FAILED"
    assert "no answer in time (ReadTimeout)" in execution.logs()[0].message


def test_a_download_is_stored_under_its_name(site: Site) -> None:
    content = bytes(range(256)) * 4000
    result = run_task(Download(id="get", uri=site.answer("/data/green_2019-01.csv.gz", content)))
    assert result.state == "SUCCESS"
    assert result.outputs["length"] == len(content)
    assert str(result.outputs["uri"]).endswith("/green_2019-01.csv.gz")
    assert result.files == {result.outputs["uri"]: content}


def test_a_compressed_transfer_is_stored_unpacked(site: Site) -> None:
    url = site.answer("/a.txt", gzip.compress(b"hello" * 100), Content_Encoding="gzip")
    result = run_task(Download(id="get", uri=url))
    assert list(result.files.values()) == [b"hello" * 100]


def test_an_empty_download_fails_unless_allowed(site: Site) -> None:
    url = site.answer("/empty")
    failed = run_task(Download(id="get", uri=url))
    assert failed.state == "FAILED"
    assert failed.messages[-1] == f"GET {url} answered an empty file (set `failOnEmptyResponse: false` to accept it)"
    assert run_task(Download(id="get", uri=url, fail_on_empty_response=False)).outputs["length"] == 0


def test_a_download_that_breaks_off_fails(site: Site) -> None:
    url = site.answer("/cut", b"half", Content_Length="8", Connection="close")
    result = run_task(Download(id="get", uri=url))
    assert result.state == "FAILED"
    assert not result.files


@pytest.mark.parametrize(
    ("save_as", "disposition", "url", "name"),
    [
        (None, "", "https://x.org/a/b%20c.csv?q=1", "b c.csv"),
        (None, 'attachment; filename="r.csv"', "https://x.org/a", "r.csv"),
        (None, "attachment; filename=plain.csv; filename*=UTF-8''%C3%BC.csv", "https://x.org/a", "ü.csv"),
        (None, 'attachment; filename="../../etc/passwd"', "https://x.org/a", "passwd"),
        ("mine.csv", 'attachment; filename="r.csv"', "https://x.org/a", "mine.csv"),
        (None, "", "https://x.org/", "download"),
    ],
)
def test_a_downloaded_file_gets_a_safe_name(save_as: str | None, disposition: str, url: str, name: str) -> None:
    assert file_name(save_as, {"content-disposition": disposition}, url) == name


def test_addresses_are_shown_without_credentials() -> None:
    assert shown("https://user:pass@x.org:8080/a?b=1") == "https://x.org:8080/a?b=1"


def test_an_encrypted_body_is_read_by_expressions_and_by_nobody_else(
    site: Site, run_tasks: RunTasks, engine: Engine
) -> None:
    url = site.answer("/token", {"token": "abc-123"})
    execution = run_tasks(f"""
        - {{id: ask, type: http, uri: "{url}", encryptBody: true}}
        - {{id: again, type: http, method: POST, uri: "{url}", body: "{{{{ outputs.ask.encryptedBody }}}}"}}
        - {{id: pick, type: http, uri: "{url}?t={{{{ json(outputs.ask.encryptedBody).token }}}}"}}
        - {{id: tell, type: log, message: "got {{{{ outputs.ask.encryptedBody }}}}"}}
        - {{id: every, type: log, message: "all {{{{ outputs.ask }}}}"}}
    """)
    assert execution.state == "SUCCESS"
    outputs = execution.task_runs["ask"].outputs
    assert "body" not in outputs
    sealed = outputs["encryptedBody"]
    assert isinstance(sealed, dict)
    assert sealed["type"] == "io.kestra.datatype:aes_encrypted"
    assert "abc-123" not in json.dumps(sealed)
    assert site.asked[1][3] == b'{"token": "abc-123"}'
    assert site.asked[2][1] == "/token?t=abc-123"
    assert "got ********" in messages(execution)
    assert not any("abc-123" in entry.message for entry in execution.logs(task_id="every"))


def test_events_are_collected_until_the_server_ends(site: Site) -> None:
    stream = b': hello\n\nid: 1\nevent: tick\ndata: {"n": 1}\n\ndata: two\ndata: lines\n\ndata: unfinished'
    result = run_task(SseRequest(id="listen", uri=site.answer("/events", stream, Content_Type="text/event-stream")))
    assert result.outputs["size"] == 2
    assert result.outputs["events"] == [{"data": {"n": 1}, "id": "1", "name": "tick"}, {"data": "two\nlines"}]
    assert site.asked[0][2]["Accept"] == "text/event-stream"


def test_what_jq_finds_in_events_is_joined(site: Site) -> None:
    stream = b'data: {"text": "Hel"}\n\ndata: {"text": "lo"}\n\ndata: {"other": 1}\n\n'
    url = site.answer("/events", stream, Content_Type="text/event-stream")
    task = SseRequest(id="listen", uri=url, concat_jq_expression=".data.text")
    failed = run_task(task)
    assert failed.state == "FAILED"
    assert "(set `failedOnMissingJq: false` to leave such events out)" in failed.messages[-1]
    assert run_task(task.model_copy(update={"failed_on_missing_jq": False})).outputs["result"] == "Hello"
    assert run_task(task.model_copy(update={"max_events": 2})).outputs["result"] == "Hello"
