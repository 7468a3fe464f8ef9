"""Cloud Storage: files go there, lie there and come back, as a stand-in of this machine sees it."""

from __future__ import annotations

import hashlib
import json

import pytest

from nbflow.engine import Engine
from nbflow.tasks.gcp.gcs.buckets import CreateBucket
from nbflow.tasks.gcp.gcs.transfer import Upload
from nbflow.testing import run_task
from tests.tasks.conftest import RunTasks, messages
from tests.tasks.gcp.conftest import RunCloud
from tests.tasks.gcp.google import Google


def put_object(google: Google, name: str, content: bytes = b"x") -> None:
    google.buckets.setdefault("b", {"name": "b"})
    google.put("b", name, content)


def test_a_file_makes_its_way_to_a_new_bucket_and_back(google: Google, run_cloud: RunCloud, engine: Engine) -> None:
    execution = run_cloud("""
        - id: bucket
          type: io.kestra.plugin.gcp.gcs.CreateBucket
          name: lake
          location: europe-west2
          storageClass: REGIONAL
          ifExists: SKIP
        - {id: file, type: write_file, content: "a,b\\n1,ü\\n", extension: .csv}
        - id: upload
          type: io.kestra.plugin.gcp.gcs.Upload
          from: "{{ outputs.file.uri }}"
          to: "gs://{{ outputs.bucket.bucket.name }}/raw data/trips 1.csv"
        - {id: download, type: gcs_download, from: "{{ outputs.upload.uri }}", validateChecksum: true}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    assert execution.task_runs["bucket"].outputs["created"] is True
    assert google.buckets["lake"]["storageClass"] == "REGIONAL"
    described, content = google.objects["lake", "raw data/trips 1.csv"]
    assert (content.decode(), described["contentType"]) == ("a,b\n1,ü\n", "text/csv")
    outputs = execution.task_runs["download"].outputs
    assert (outputs["bucket"], outputs["path"]) == ("lake", "raw data/trips 1.csv")
    assert engine.read_file(str(outputs["uri"])) == content


def test_a_large_file_is_sent_whole(google: Google, run_cloud: RunCloud, engine: Engine) -> None:
    google.buckets["b"] = {"name": "b"}
    content = bytes(range(256)) * 20_000
    uri = engine.store.files.put_bytes("tests/large.bin", content)
    execution = run_cloud(f"- {{id: up, type: gcs_upload, from: '{uri}', to: gs://b/large.bin, expectedCrc32c: AAAA}}")
    assert execution.task_runs["up"].outputs["crc32c"] == "AAAA"
    assert execution.state == "SUCCESS", messages(execution)
    assert hashlib.md5(google.objects["b", "large.bin"][1]).digest() == hashlib.md5(content).digest()


def test_a_file_that_arrives_changed_is_a_failure(google: Google, run_cloud: RunCloud, engine: Engine) -> None:
    google.buckets["b"] = {"name": "b"}
    uri = engine.store.files.put_bytes("tests/a.txt", b"abc")
    execution = run_cloud(f"- {{id: up, type: gcs_upload, from: '{uri}', to: gs://b/a.txt, expectedMd5: AAAA}}")
    assert "the file has the MD5 kAFQmDzST7DWlj99KOF/cg==, and `expectedMd5` says AAAA" in messages(execution)[-1]


@pytest.mark.parametrize(("policy", "outcome"), [("SKIP", (False, False)), ("UPDATE", (False, True)), ("ERROR", None)])
def test_a_bucket_that_exists_is_kept_changed_or_refused(
    google: Google, run_cloud: RunCloud, policy: str, outcome: tuple[bool, bool] | None
) -> None:
    google.buckets["b"] = {"name": "b", "labels": {}}
    execution = run_cloud(f"""
        - id: bucket
          type: io.kestra.plugin.gcp.gcs.CreateBucket
          name: b
          labels: {{team: data}}
          ifExists: {policy}
    """)
    if outcome is None:
        assert messages(execution)[-1] == "there is a bucket `b` already (set `ifExists` to SKIP or UPDATE)"
    else:
        outputs = execution.task_runs["bucket"].outputs
        assert (outputs["created"], outputs["updated"]) == outcome
    assert google.buckets["b"]["labels"] == ({"team": "data"} if policy == "UPDATE" else {})


def test_listing_tells_files_from_folders_and_goes_through_all_pages(google: Google, run_cloud: RunCloud) -> None:
    google.page = 1
    for name in ("in/a.csv", "in/b.csv", "in/c.txt", "in/deep/d.csv"):
        put_object(google, name)
    execution = run_cloud("""
        - {id: level, type: io.kestra.plugin.gcp.gcs.List, from: gs://b/in/}
        - {id: files, type: gcs_list, from: gs://b/in/, filter: FILES, listingType: RECURSIVE, regExp: ".*\\\\.csv"}
        - {id: few, type: gcs_list, from: gs://b, listingType: RECURSIVE, maxFiles: 2}
    """)
    assert execution.state == "SUCCESS", messages(execution)
    names = {run.task_id: [blob["name"] for blob in run.outputs["blobs"]] for run in execution.task_runs}  # type: ignore[index,union-attr,call-overload]
    assert sorted(names["level"]) == ["in/a.csv", "in/b.csv", "in/c.txt", "in/deep/"]
    assert names["files"] == ["in/a.csv", "in/b.csv", "in/deep/d.csv"]
    assert names["few"] == ["in/a.csv", "in/b.csv"]
    assert "there is more below gs://b: `maxFiles` is 2" in messages(execution)


def test_objects_are_copied_moved_and_deleted(google: Google, run_cloud: RunCloud) -> None:
    for name in ("a", "b", "c"):
        put_object(google, name, name.encode())
    execution = run_cloud("""
        - {id: copy, type: io.kestra.plugin.gcp.gcs.Copy, from: gs://b/a, to: gs://b/copy/a}
        - {id: move, type: gcs_copy, from: gs://b/b, to: gs://b/moved/b, delete: true}
        - {id: delete, type: io.kestra.plugin.gcp.gcs.Delete, uri: gs://b/c}
        - {id: again, type: gcs_delete, uri: gs://b/c}
        - {id: strict, type: gcs_delete, uri: gs://b/c, errorOnMissing: true, allowFailure: true}
    """)
    assert sorted(name for _, name in google.objects) == ["a", "copy/a", "moved/b"]
    assert [execution.task_runs[name].outputs["deleted"] for name in ("delete", "again")] == [True, False]
    assert execution.task_runs["strict"].state == "WARNING"
    assert "there is no object gs://b/c" in messages(execution)


def test_downloads_put_aside_what_they_took(google: Google, run_cloud: RunCloud, engine: Engine) -> None:
    for name in ("in/a.csv", "in/b.csv"):
        put_object(google, name, name.encode())
    execution = run_cloud("""
        - id: take
          type: io.kestra.plugin.gcp.gcs.Downloads
          from: gs://b/in/
          action: MOVE
          moveDirectory: gs://b/done/
    """)
    assert execution.state == "SUCCESS", messages(execution)
    files = execution.task_runs["take"].outputs["outputFiles"]
    assert isinstance(files, dict)
    assert {name: engine.read_file(str(uri)) for name, uri in files.items()} == {
        "in/a.csv": b"in/a.csv",
        "in/b.csv": b"in/b.csv",
    }
    assert sorted(name for _, name in google.objects) == ["done/a.csv", "done/b.csv"]


def test_whole_folders_and_buckets_can_be_deleted(google: Google, run_cloud: RunCloud) -> None:
    google.page = 2
    for name in ("tmp/a", "tmp/b", "tmp/deep/c", "kept", "kept2"):
        put_object(google, name, b"12")
    execution = run_cloud("""
        - {id: list, type: io.kestra.plugin.gcp.gcs.DeleteList, from: gs://b/tmp/, listingType: RECURSIVE}
        - {id: full, type: io.kestra.plugin.gcp.gcs.DeleteBucket, name: b, allowFailure: true}
        - {id: bucket, type: io.kestra.plugin.gcp.gcs.DeleteBucket, name: b, force: true}
    """)
    assert execution.task_runs["list"].outputs == {"count": 3, "size": 6}
    assert "Google answered 409: The bucket you tried to delete is not empty." in messages(execution)
    assert (google.buckets, google.objects) == ({}, {})


def test_an_object_that_is_not_there_is_named(google: Google, run_cloud: RunCloud) -> None:
    google.buckets["b"] = {"name": "b"}
    execution = run_cloud("- {id: down, type: gcs_download, from: gs://b/none.csv}")
    assert messages(execution)[-1] == "there is no object gs://b/none.csv"


def test_a_place_must_be_one(run_cloud: RunCloud) -> None:
    execution = run_cloud("- {id: down, type: gcs_download, from: s3://b/none.csv}")
    assert messages(execution)[-1] == "`from` must be a place such as gs://bucket/path/file.csv, got 's3://b/none.csv'"


def test_passing_failures_are_tried_again(google: Google, run_cloud: RunCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nbflow.tasks.gcp.session._WAITS", (0.0, 0.0))
    google.failures = [(503, {"error": {"code": 503, "message": "later"}}), (429, None)]
    assert run_cloud("- {id: b, type: gcs_create_bucket, name: b}").state == "SUCCESS"
    google.failures = [(503, {"error": {"code": 503, "message": "later"}})] * 3
    execution = run_cloud("- {id: b, type: gcs_create_bucket, name: c}")
    assert messages(execution)[-1] == "Google answered 503: later (a `retry` helps when that passes)"


def test_the_key_of_a_service_account_is_needed_and_read(google: Google, run_tasks: RunTasks) -> None:
    bucket = "- {id: b, type: gcs_create_bucket, name: b, endpoint: '%s', serviceAccount: '%s'}"
    said = messages(run_tasks(bucket % (google.url, "{not json")))[-1]
    assert said.startswith("`serviceAccount` is no JSON (set `serviceAccount` to the JSON of a service account's key")
    assert "not json" not in said
    other = json.dumps({**json.loads(google.service_account), "client_email": "thief@demo.example"})
    failed = run_task(CreateBucket(id="b", name="b", project_id="p", service_account=other))
    assert failed.messages[-1].startswith("Google gave no access token (400): Invalid JWT")
    assert not any("PRIVATE KEY" in message for message in failed.messages)


def test_the_environment_names_the_key_file(
    google: Google, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST")
    monkeypatch.setattr("nbflow.tasks.gcp.gcs.objects._SERVICE", google.url)
    key = tmp_path_factory.mktemp("key") / "key.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    missing = run_task(CreateBucket(id="b", name="b"))
    assert missing.messages[-1].startswith(f"the key file {key} cannot be read: No such file or directory")
    key.write_text(google.service_account, encoding="utf-8")
    assert run_task(CreateBucket(id="b", name="b")).state == "SUCCESS"
    assert google.buckets.keys() == {"b"}


def test_an_emulator_needs_no_key(google: Google) -> None:
    google.token = ""  # so that "Bearer " alone would be taken; no header at all is refused
    result = run_task(Upload(id="up", from_="kestra:///none", to="gs://b/a"))
    assert result.state == "FAILED"
    refused = run_task(CreateBucket(id="b", name="b", project_id="p"))
    assert refused.messages[-1] == "Google answered 401: Request had invalid authentication credentials."
    assert all(path != "/token" for _, path, _ in google.asked)


WATCH = """
id: job
namespace: tests
tasks:
  - id: say
    type: return
    format: "{{% for b in trigger.blobs %}}{{{{ b.name }}}}: {{{{ read(b.uri) }}}}; {{% endfor %}}"
triggers:
  - {trigger}
"""


def polled(engine: Engine) -> str | None:
    """What the execution says that a look started; None when it started none."""
    execution = engine.poll("tests", "job", "s")
    return None if execution is None else str(execution.wait(30).task_runs["say"].outputs["value"])


@pytest.mark.parametrize(
    ("more", "said", "left"),
    [
        ({"action": "DELETE"}, ["in/a: 1; in/b: 2; ", None, "in/a: new; "], ["out"]),
        ({"action": "MOVE", "moveDirectory": "gs://b/done/"}, ["in/a: 1; in/b: 2; ", None, "in/a: new; "],
         ["done/a", "done/b", "out"]),
        ({}, ["in/a: 1; in/b: 2; ", None, "in/a: new; "], ["in/a", "in/b", "out"]),
        ({"on": "CREATE", "maxFiles": 1}, ["in/a: 1; ", "in/b: 2; ", None], ["in/a", "in/b", "out"]),
    ],
)  # fmt: skip
def test_objects_start_a_flow_when_they_are_new(
    google: Google, engine: Engine, more: dict[str, object], said: list[str | None], left: list[str]
) -> None:
    for name, content in (("in/a", b"1"), ("in/b", b"2"), ("out", b"3")):
        put_object(google, name, content)
    trigger = {
        "id": "s",
        "type": "io.kestra.plugin.gcp.gcs.Trigger",
        "from": "gs://b/in/",
        "serviceAccount": google.service_account,
    }
    engine.deploy(WATCH.format(trigger=json.dumps({**trigger, **more})))
    found = [polled(engine), polled(engine)]
    put_object(google, "in/a", b"new")
    assert [*found, polled(engine)] == said
    assert sorted(name for _, name in google.objects) == left
