"""Amazon S3: files go there, lie there and come back, as a server of this machine sees it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from nbflow.engine import Engine
from nbflow.testing import TaskResult, run_task
from tests.s3 import S3Server, running_s3
from tests.tasks.conftest import RunTasks, messages


def act(s3: S3Server, name: str, files: dict[str, bytes | str] | None = None, **properties: object) -> TaskResult:
    """Run one of the tasks on the bucket `box`, logged in, unless it is said otherwise."""
    bucket = {} if name == "Copy" else {"bucket": "box"}
    task = {"type": f"io.kestra.plugin.aws.s3.{name}", **s3.login, **bucket, **properties}
    return run_task(task, files=files)  # type: ignore[arg-type]


def fill(s3: S3Server, *keys: str) -> None:
    for key in keys:
        s3.put("box", key, key.encode())


LOGIN = """
pluginDefaults:
  - type: io.kestra.plugin.aws
    values:
      accessKeyId: "{{{{ secret('AWS_KEY') }}}}"
      secretKeyId: "{{{{ secret('AWS_SECRET') }}}}"
      endpointOverride: {url}
      region: eu-central-1
      forcePathStyle: true
"""


def test_a_file_makes_its_way_to_a_new_bucket_and_back(s3: S3Server, run_tasks: RunTasks, engine: Engine) -> None:
    for name, value in (("AWS_KEY", "id"), ("AWS_SECRET", "hush")):
        engine.store.secrets.put("tests", name, value, datetime.now(UTC))
    execution = run_tasks(
        """
        - {id: bucket, type: io.kestra.plugin.aws.s3.CreateBucket, bucket: lake}
        - {id: file, type: write_file, content: "a,b\\n1,ü\\n", extension: .csv}
        - id: upload
          type: io.kestra.plugin.aws.s3.Upload
          from: "{{ outputs.file.uri }}"
          bucket: "{{ outputs.bucket.bucket }}"
          key: raw data/trips é 1.csv
          metadata: {team: data}
          tagging: {kind: "a b"}
        - {id: download, type: s3_download, bucket: lake, key: "{{ outputs.upload.key }}"}
        """,
        more=LOGIN.format(url=s3.url),
    )
    assert execution.state == "SUCCESS", messages(execution)
    described = s3.client.head_object(Bucket="lake", Key="raw data/trips é 1.csv")
    assert (described["ContentType"], described["Metadata"]) == ("text/csv", {"team": "data"})
    tags = s3.client.get_object_tagging(Bucket="lake", Key="raw data/trips é 1.csv")["TagSet"]
    assert tags == [{"Key": "kind", "Value": "a b"}]
    assert s3.client.get_bucket_location(Bucket="lake")["LocationConstraint"] == "eu-central-1"
    outputs = execution.task_runs["download"].outputs
    assert outputs["eTag"] == execution.task_runs["upload"].outputs["eTag"] == described["ETag"]
    assert (outputs["contentLength"], outputs["contentType"], outputs["metadata"]) == (9, "text/csv", {"team": "data"})
    assert engine.read_file(str(outputs["uri"])).decode() == "a,b\n1,ü\n"
    assert "hush" not in str([run.outputs for run in execution.task_runs])


def test_a_large_file_goes_and_comes_in_parts(s3: S3Server) -> None:
    content = os.urandom(1 << 20) * 20
    put = act(s3, "Upload", {"large.bin": content}, **{"from": "{{ vars.files['large.bin'] }}", "key": "l.bin"})
    assert put.state == "SUCCESS", put.messages
    assert str(put.outputs["eTag"]).rstrip('"').endswith("-3"), "three parts of 8 MiB"
    assert put.metric("file.size") == len(content)
    got = act(s3, "Download", key="l.bin")
    assert hashlib.md5(got.files[str(got.outputs["uri"])]).digest() == hashlib.md5(content).digest()
    copied = act(s3, "Copy", **{"from": {"bucket": "box", "key": "l.bin"}, "to": {"key": "again.bin"}})
    assert copied.state == "SUCCESS", copied.messages
    assert s3.read("box", "again.bin") == content


@pytest.mark.parametrize("as_text", [False, True])
def test_several_files_go_into_a_folder(s3: S3Server, as_text: bool) -> None:
    given: Any = ["{{ vars.files['a.txt'] }}", "{{ vars.files['b.ion'] }}"]
    put = act(
        s3, "Upload", {"a.txt": "A", "b.ion": "B"}, **{"from": json.dumps(given) if as_text else given, "key": "out/"}
    )
    assert put.state == "SUCCESS", put.messages
    assert put.outputs["keys"] == s3.keys("box") == ["out/a.txt", "out/b.ion"]
    assert put.outputs["bucket"] == "box"


def test_a_file_of_records_is_uploaded_as_it_is(s3: S3Server) -> None:
    put = act(s3, "Upload", {"r.ion": '"kestra:///x"\n'}, **{"from": "{{ vars.files['r.ion'] }}", "key": "r.ion"})
    assert put.state == "SUCCESS", put.messages
    assert s3.read("box", "r.ion") == b'"kestra:///x"\n'


def test_an_object_is_described_as_the_task_says(s3: S3Server) -> None:
    put = act(
        s3,
        "Upload",
        {"a.txt": "A"},
        **{"from": "{{ vars.files['a.txt'] }}"},
        key="a.txt",
        contentType="text/plain; charset=utf-8",
        contentEncoding="identity",
        contentDisposition="attachment",
        contentLanguage="de",
        cacheControl="no-store",
        expires="2030-01-02T03:04:05Z",
        storageClass="STANDARD_IA",
        serverSideEncryption="AES256",
        checksumAlgorithm="SHA256",
        checksum=base64.b64encode(hashlib.sha256(b"A").digest()).decode(),
        acl="private",
    )
    assert put.state == "SUCCESS", put.messages
    described = s3.client.head_object(Bucket="box", Key="a.txt")
    names = ("ContentType", "ContentEncoding", "ContentDisposition", "ContentLanguage", "CacheControl", "StorageClass")
    assert [described[name] for name in names] == [
        "text/plain; charset=utf-8",
        "identity",
        "attachment",
        "de",
        "no-store",
        "STANDARD_IA",
    ]
    assert described["ServerSideEncryption"] == "AES256"


def test_listing_tells_files_from_folders_and_goes_through_all_pages(s3: S3Server) -> None:
    fill(s3, "in/", "in/a.csv", "in/b.csv", "in/c.txt", "in/deep/d.csv", "other.csv")
    found = act(s3, "List", prefix="in/", regexp=r".*\.csv", filter="FILES")
    objects: Any = found.outputs["objects"]
    assert [(one["key"], one["size"]) for one in objects] == [
        ("in/a.csv", 8),
        ("in/b.csv", 8),
        ("in/deep/d.csv", 13),
    ]
    assert objects[0]["etag"]
    assert objects[0]["lastModified"]
    assert found.metric("s3.objects.count") == 3

    def keys(**properties: object) -> list[str]:
        objects: Any = act(s3, "List", **properties).outputs["objects"]
        return [one["key"] for one in objects]

    assert keys(filter="DIRECTORY") == ["in/"]
    assert keys(prefix="in/", delimiter="/", filter="FILES") == ["in/a.csv", "in/b.csv", "in/c.txt"]
    assert keys(marker="in/c.txt") == ["in/deep/d.csv", "other.csv"]
    assert keys(maxKeys=2) == ["in/", "in/a.csv"]
    few = act(s3, "List", maxFiles=1)
    assert "6 files match, the first 1 are taken: raise `maxFiles` for more" in few.messages


def test_more_keys_than_one_request_gives_are_found_and_deleted(s3: S3Server) -> None:
    s3.fill("box", [f"many/{number:04}" for number in range(1005)])
    fill(s3, "kept")
    found = act(s3, "List", prefix="many/", maxKeys=5000, maxFiles=5000)
    assert len(found.outputs["objects"]) == 1005  # type: ignore[arg-type]
    deleted = act(s3, "DeleteList", prefix="many/", maxKeys=5000)
    assert (deleted.outputs["count"], deleted.outputs["size"]) == (1005, 1005), deleted.messages
    assert s3.keys("box") == ["kept"]
    assert act(s3, "DeleteList", prefix="many/").outputs["count"] == 0
    none = act(s3, "DeleteList", prefix="many/", errorOnEmpty=True)
    assert none.messages[-1] == "no object of box matches (leave `errorOnEmpty` out)"


def test_objects_are_taken_and_put_aside(s3: S3Server) -> None:
    fill(s3, "in/", "in/a.csv", "in/b.csv", "in/c.txt")
    taken = act(
        s3,
        "Downloads",
        prefix="in/",
        regexp=r".*\.csv",
        action="MOVE",
        moveTo={"bucket": "box", "key": "{{ 'done' }}/"},
    )
    assert taken.state == "SUCCESS", taken.messages
    uris: Any = taken.outputs["outputFiles"]
    assert {key: taken.files[uri] for key, uri in uris.items()} == {"in/a.csv": b"in/a.csv", "in/b.csv": b"in/b.csv"}
    objects: Any = taken.outputs["objects"]
    assert [one["uri"] for one in objects] == list(uris.values())
    assert taken.outputs["totalSize"] == 16
    assert s3.keys("box") == ["done/a.csv", "done/b.csv", "in/", "in/c.txt"]
    act(s3, "Downloads", prefix="done/", action="DELETE")
    assert s3.keys("box") == ["in/", "in/c.txt"]
    lacking = act(s3, "Downloads", action="MOVE")
    assert lacking.messages[-1] == "`action: MOVE` needs `moveTo` with a `key`"


def test_a_download_takes_all_that_match_a_pattern(s3: S3Server) -> None:
    fill(s3, "in/", "in/a.csv", "in/b.csv")
    got = act(s3, "Download", prefix="in/")
    files: Any = got.outputs["files"]
    assert {key: got.files[info["uri"]] for key, info in files.items()} == {
        "in/a.csv": b"in/a.csv",
        "in/b.csv": b"in/b.csv",
    }
    assert act(s3, "Download").messages[-1].startswith("there is nothing to download (set `key`")


def test_an_older_version_is_taken_and_deleted(s3: S3Server) -> None:
    s3.client.put_bucket_versioning(Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    old = act(s3, "Upload", {"a": "old"}, **{"from": "{{ vars.files.a }}", "key": "a"}).outputs["versionId"]
    s3.put("box", "a", b"new")
    got = act(s3, "Download", key="a", versionId=old)
    assert (list(got.files.values()), got.outputs["versionId"]) == ([b"old"], old)
    source = {"bucket": "box", "key": "a", "versionId": old}
    assert act(s3, "Copy", **{"from": source, "to": {"key": "c"}}).state == "SUCCESS"
    assert s3.read("box", "c") == b"old"
    marked = act(s3, "Delete", key="a")
    assert marked.outputs["deleteMarker"] is True
    assert s3.keys("box") == ["c"]


def test_an_object_is_moved_to_another_bucket(s3: S3Server) -> None:
    s3.client.create_bucket(Bucket="box2")
    fill(s3, "a.txt")
    moved = act(
        s3,
        "Copy",
        **{
            "from": {"bucket": "{{ 'box' }}", "key": "a.txt"},
            "to": {"bucket": "{{ 'box2' }}", "serverSideEncryption": "AES256"},
        },
        delete=True,
    )
    assert moved.state == "SUCCESS", moved.messages
    assert (moved.outputs["bucket"], moved.outputs["key"]) == ("box2", "a.txt")
    assert (s3.keys("box"), s3.keys("box2")) == ([], ["a.txt"])
    itself = act(s3, "Copy", **{"from": {"bucket": "box2", "key": "a.txt"}}, delete=True)
    assert itself.messages[-1] == "`from` and `to` are the same: s3://box2/a.txt (leave `delete` out)"
    assert s3.keys("box2") == ["a.txt"]


def test_what_is_not_there_is_named(s3: S3Server) -> None:
    assert act(s3, "Download", key="no").messages[-1] == "there is no object s3://box/no"
    listed = act(s3, "List", bucket="nowhere")
    assert listed.messages[-1] == "AWS answered NoSuchBucket: The specified bucket does not exist `nowhere`"
    put = act(s3, "Upload", {"a": "a"}, **{"from": "{{ vars.files.a }}", "key": "a", "bucket": "nowhere"})
    assert put.messages[-1] == listed.messages[-1]
    assert act(s3, "Delete", key="no").state == "SUCCESS"
    again = act(s3, "CreateBucket", bucket="box", region="eu-west-1")
    assert again.messages[-1].startswith("AWS answered BucketAlready")


def test_who_has_no_key_is_told_where_to_put_it(s3: S3Server) -> None:
    failed = run_task({"type": "s3_list", "bucket": "box", "endpointOverride": s3.url})
    assert failed.messages[-1].startswith("there are no credentials for AWS (set `accessKeyId` and `secretKeyId`")


def test_a_role_is_taken_on(s3: S3Server) -> None:
    fill(s3, "a")
    role = {"stsRoleArn": "arn:aws:iam::123456789012:role/reader", "stsRoleExternalId": "x1"}
    found = act(s3, "List", **role, stsRoleSessionDuration="PT20M", stsEndpointOverride=s3.url)
    assert found.state == "SUCCESS", found.messages
    assert len(found.outputs["objects"]) == 1  # type: ignore[arg-type]


def test_a_service_that_cannot_be_reached_is_named(s3: S3Server) -> None:
    with running_s3() as other:
        gone = other.url
    failed = act(s3, "List", endpointOverride=gone, compatibilityMode=True)
    assert failed.messages[-1].startswith(f'Could not connect to the endpoint URL: "{gone}/box')


@pytest.mark.parametrize(
    ("package", "task", "message"),
    [
        ("boto3", {"type": "s3_list", "bucket": "box"}, "this needs the package `boto3` "),
        (
            "s3fs",
            {"type": "fs_list", "from": "s3://box/in"},
            "s3://box/in cannot be reached: Install s3fs to access S3 ",
        ),
    ],
)
def test_a_package_that_is_not_installed_is_named(
    package: str, task: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules[fsspec.get_filesystem_class.__module__]._registry, "s3", raising=False)
    failed = run_task(task)
    assert failed.messages[-1] == f"{message}(pip install 'jupyter-nbflow[s3]')"


WATCH = """
id: job
namespace: tests
tasks:
  - id: say
    type: return
    format: "{{% for o in trigger.objects %}}{{{{ o.key }}}}: {{{{ read(o.uri) }}}}; {{% endfor %}}"
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
        ({"action": "DELETE"}, ["in/a: in/a; in/b: in/b; ", None, "in/a: new; "], ["out"]),
        ({"action": "MOVE", "moveTo": {"key": "done"}}, ["in/a: in/a; in/b: in/b; ", None, "in/a: new; "],
         ["done/a", "done/b", "out"]),
        ({}, ["in/a: in/a; in/b: in/b; ", None, "in/a: new; "], ["in/a", "in/b", "out"]),
        ({"on": "CREATE", "maxFiles": 1}, ["in/a: in/a; ", "in/b: in/b; ", None], ["in/a", "in/b", "out"]),
    ],
)  # fmt: skip
def test_objects_start_a_flow_when_they_are_new(
    s3: S3Server, engine: Engine, more: dict[str, object], said: list[str | None], left: list[str]
) -> None:
    fill(s3, "in/a", "in/b", "out")
    trigger = {"id": "s", "type": "io.kestra.plugin.aws.s3.Trigger", "bucket": "box", "prefix": "in/", **s3.login}
    engine.deploy(WATCH.format(trigger=json.dumps({**trigger, **more})))
    found = [polled(engine), polled(engine)]
    s3.put("box", "in/a", b"new")
    assert [*found, polled(engine)] == said
    assert s3.keys("box") == left
