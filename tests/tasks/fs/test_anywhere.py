"""Files at URLs: the same tasks do the same on a disk, in memory, in a bucket, on a server, and between these."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nbflow.plugins import RunnableTask, registry
from nbflow.tasks.fs.urls import reach, without_password
from nbflow.testing import TaskResult, run_task
from tests.s3 import S3Server
from tests.tasks.conftest import Site
from tests.tasks.fs.conftest import SshServer


@dataclass
class Spot:
    """A folder somewhere: its URL, what must be said to reach it, and what lies there."""

    url: str
    options: dict[str, object] = field(default_factory=dict)

    @property
    def system(self) -> Any:
        return reach(self.url, self.options).system  # type: ignore[arg-type]

    def fill(self, *names: str) -> None:
        place = reach(self.url, self.options)  # type: ignore[arg-type]
        for name in names:
            path = f"{place.found}/{name}"
            place.make_folder_of(path)
            place.system.pipe_file(path, name.encode())

    def names(self) -> list[str]:
        place = reach(self.url, self.options)  # type: ignore[arg-type]
        base = f"{place.found.rstrip('/')}/"
        return [str(path).removeprefix(base) for path in sorted(place.system.find(place.found))]

    def read(self, name: str) -> bytes:
        place = reach(self.url, self.options)  # type: ignore[arg-type]
        content: bytes = place.system.cat_file(f"{place.found}/{name}")
        return content


KINDS = ["file", "memory", "s3", "sftp"]


def spot_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Spot:
    if kind == "s3":
        s3: S3Server = request.getfixturevalue("s3")
        return Spot("s3://box/top", s3.options)
    if kind == "sftp":
        server: SshServer = request.getfixturevalue("ssh_server")
        (server.folder / "top").mkdir()
        return Spot(f"sftp://ada:hush@127.0.0.1:{server.port}/top")
    if kind == "memory":
        return Spot(f"memory://{tmp_path.name}/top")
    (tmp_path / "top").mkdir()
    return Spot(f"file://{tmp_path}/top")


@pytest.fixture(params=KINDS)
def spot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spot]:
    found = spot_of(request.param, request, tmp_path)
    yield found
    if request.param == "memory":
        found.system.store.clear()


@pytest.fixture
def bucket(s3: S3Server) -> Spot:
    return Spot("s3://box/top", s3.options)


def act(spot: Spot, name: str, files: dict[str, bytes | str] | None = None, **properties: object) -> TaskResult:
    """Run one of the tasks; `{}` in a property stands for the folder's URL."""
    kind = registry().find(RunnableTask, f"nbflow.fs.{name}")
    given = {
        key: value.replace("{}", spot.url) if isinstance(value, str) else value for key, value in properties.items()
    }
    given = {"storageOptions": spot.options, **given}
    return run_task(kind.model_validate({"id": "act", **given}), files=files)


def test_a_file_goes_there_and_comes_back(spot: Spot) -> None:
    content = os.urandom(300_000)
    put = act(spot, "Upload", {"a b.bin": content}, **{"from": "{{ vars.files['a b.bin'] }}", "to": "{}/in/é x.bin"})
    assert put.state == "SUCCESS", put.messages
    assert spot.read("in/é x.bin") == content
    assert put.outputs["to"] == put.outputs["uri"] == without_password(f"{spot.url}/in/é x.bin")
    assert put.outputs["size"] == put.metric("file.size") == 300_000
    got = act(spot, "Download", **{"from": "{}/in/é x.bin"})
    assert got.state == "SUCCESS", got.messages
    assert got.files[str(got.outputs["uri"])] == content
    assert got.outputs["from"] == put.outputs["to"]
    assert "hush" not in str([put.outputs, put.messages, got.outputs, got.messages])


def test_a_file_may_keep_its_name_and_be_refused_in_place_of_another(spot: Spot) -> None:
    spot.fill("in/a.txt")
    properties = {"from": "{{ vars.files['a.txt'] }}", "to": "{}/in/"}
    refused = act(spot, "Upload", {"a.txt": b"new"}, **properties, overwrite=False)
    assert refused.state == "FAILED"
    assert "is there already (set `overwrite: true` to replace it)" in refused.messages[-1]
    assert act(spot, "Upload", {"a.txt": b"new"}, **properties).state == "SUCCESS"
    assert spot.read("in/a.txt") == b"new"


def test_several_files_go_into_a_folder(spot: Spot) -> None:
    given = {"x/1.txt": "{{ vars.files['a.txt'] }}", "2.txt": "{{ vars.files['b.txt'] }}"}
    put = act(spot, "Uploads", {"a.txt": "A", "b.txt": "B"}, **{"from": given, "directory": "{}/out"})
    assert put.state == "SUCCESS", put.messages
    assert spot.names() == ["out/2.txt", "out/x/1.txt"]
    assert put.outputs["files"] == [without_password(f"{spot.url}/out/{name}") for name in ("x/1.txt", "2.txt")]


def test_files_are_listed_with_urls_that_lead_to_them(spot: Spot) -> None:
    spot.fill("d/a.csv", "d/b.txt", "d/deep/c.csv")
    flat = act(spot, "List", **{"directory": "{}/d"})
    assert flat.state == "SUCCESS", flat.messages
    files: Any = flat.outputs["files"]
    assert [(file["name"], file["fileType"]) for file in files] == [
        ("a.csv", "FILE"),
        ("b.txt", "FILE"),
        ("deep", "FOLDER"),
    ]
    assert (files[0]["size"], files[0]["parent"]) == (7, without_password(f"{spot.url}/d"))
    assert files[0]["updatedDate"]
    deep = act(spot, "List", **{"from": "{}/d/", "regExp": r".*/d/.*\.csv", "recursive": True})
    found: Any = deep.outputs["files"]
    shown = without_password(spot.url)
    assert [file["uri"] for file in found] == [f"{shown}/d/a.csv", f"{shown}/d/deep/c.csv"]


def test_all_files_of_a_folder_are_taken_and_moved_away(spot: Spot) -> None:
    spot.fill("in/a.csv", "in/b.csv", "in/c.txt")
    given = {"from": "{}/in/", "regExp": r".*\.csv", "action": "MOVE", "moveDirectory": "{}/done/"}
    taken = act(spot, "Downloads", **given)
    assert taken.state == "SUCCESS", taken.messages
    uris: Any = taken.outputs["outputFiles"]
    assert {name: taken.files[uri] for name, uri in uris.items()} == {"a.csv": b"in/a.csv", "b.csv": b"in/b.csv"}
    assert spot.names() == ["done/a.csv", "done/b.csv", "in/c.txt"]


def test_a_file_and_a_folder_are_moved_and_copied_and_deleted(spot: Spot) -> None:
    spot.fill("a.txt", "d/1.txt", "d/deep/2.txt")
    moved = act(spot, "Move", **{"from": "{}/a.txt", "to": "{}/moved/"})
    assert moved.state == "SUCCESS", moved.messages
    assert moved.outputs["to"] == without_password(f"{spot.url}/moved/a.txt")
    copied = act(spot, "Copy", **{"from": "{}/d", "to": "{}/e"})
    assert copied.state == "SUCCESS", copied.messages
    assert spot.names() == ["d/1.txt", "d/deep/2.txt", "e/1.txt", "e/deep/2.txt", "moved/a.txt"]
    refused = act(spot, "Delete", uri="{}/d")
    assert "is not empty (set `recursive: true`)" in refused.messages[-1]
    assert act(spot, "Delete", uri="{}/d", recursive=True).outputs["deleted"] is True
    assert act(spot, "Delete", uri="{}/moved/a.txt").outputs["deleted"] is True
    assert spot.names() == ["e/1.txt", "e/deep/2.txt"]
    gone = act(spot, "Delete", uri="{}/moved/a.txt")
    assert (gone.state, gone.outputs["deleted"]) == ("SUCCESS", False)


def test_a_file_that_is_not_there_is_named_without_the_password(spot: Spot) -> None:
    failed = act(spot, "Download", **{"from": "{}/no.txt"})
    assert failed.state == "FAILED"
    assert failed.messages[-1].startswith(f"there is no {without_password(spot.url)}/no.txt")


@pytest.mark.parametrize(("source", "target"), [("sftp", "s3"), ("s3", "memory"), ("memory", "file")])
def test_files_move_from_one_kind_of_place_to_another(
    source: str, target: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    there, here = (spot_of(kind, request, tmp_path) for kind in (source, target))
    there.fill("d/1.txt", "d/deep/2.txt", "3.txt")
    given = {"from": "{}/d", "to": f"{here.url}/e", "toStorageOptions": here.options}
    moved = act(there, "Move", **given)
    assert moved.state == "SUCCESS", moved.messages
    assert act(there, "Copy", **{**given, "from": "{}/3.txt", "to": f"{here.url}/e/"}).state == "SUCCESS"
    assert here.names() == ["e/1.txt", "e/3.txt", "e/deep/2.txt"]
    assert here.read("e/deep/2.txt") == b"d/deep/2.txt"
    assert there.names() == ["3.txt"]
    refused = act(there, "Copy", **{**given, "from": "{}/3.txt", "to": f"{here.url}/e/"})
    assert "is there already" in refused.messages[-1]


def test_a_file_of_the_web_is_stored_under_its_plain_name(site: Site) -> None:
    url = site.answer("/data/a.csv", b"x,y\n")
    got = act(Spot(url), "Download", **{"from": "{}?signature=" + "0" * 300})
    assert got.state == "SUCCESS", got.messages
    assert str(got.outputs["uri"]).endswith("/a.csv")
    assert got.files[str(got.outputs["uri"])] == b"x,y\n"
    failed = act(Spot(url), "Delete", uri="{}")
    assert failed.messages[-1] == "delete: this file system cannot do that"


def test_a_file_in_an_archive_of_a_bucket_is_stored(bucket: Spot, tmp_path: Path, s3: S3Server) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/a.csv", "inside")
    s3.put("box", "all.zip", path.read_bytes())
    got = act(
        Spot("zip://in/a.csv::s3://box/all.zip"), "Download", **{"from": "{}", "storageOptions": {"s3": s3.options}}
    )
    assert got.state == "SUCCESS", got.messages
    assert list(got.files.values()) == [b"inside"]


def test_a_large_file_is_sent_in_parts(bucket: Spot, s3: S3Server) -> None:
    content = os.urandom(1 << 20) * 24
    put = act(bucket, "Upload", {"l.bin": content}, **{"from": "{{ vars.files['l.bin'] }}", "to": "{}/l.bin"})
    assert put.state == "SUCCESS", put.messages
    assert s3.client.head_object(Bucket="box", Key="top/l.bin")["ETag"].endswith('-3"')
    assert s3.read("box", "top/l.bin") == content


def test_a_bucket_that_is_not_there_is_not_made(bucket: Spot, s3: S3Server) -> None:
    put = act(bucket, "Upload", {"a": b"a"}, **{"from": "{{ vars.files.a }}", "to": "s3://typo/a"})
    assert put.state == "FAILED"
    assert [found["Name"] for found in s3.client.list_buckets()["Buckets"]] == ["box"]


def test_options_may_be_secrets(bucket: Spot) -> None:
    bucket.fill("a.txt")
    options = {**bucket.options, "secret": "{{ secret('KEY') }}", "client_kwargs": {"region_name": "{{ vars.r }}"}}
    task = {"type": "fs_download", "from": f"{bucket.url}/a.txt", "storageOptions": options}
    got = run_task(task, secrets={"KEY": "hush"}, variables={"r": "eu-west-1"})  # type: ignore[arg-type]
    assert got.state == "SUCCESS", got.messages


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("in/a.csv", {}, "`in/a.csv` is no URL (write one such as s3://bucket/path/file.csv)"),
        ("nowhere://a", {}, "nowhere://a cannot be reached: Protocol not known: nowhere"),
        ("sftp://ada:hush@h/a", {"nonsense": 1}, "sftp://ada@h/a: `storageOptions` do not fit: "),
    ],
)
def test_what_leads_nowhere_is_said(url: str, options: dict[str, object], message: str) -> None:
    failed = act(Spot(url, options), "Download", **{"from": "{}"})
    assert failed.state == "FAILED"
    assert failed.messages[-1].startswith(message)


def test_taken_files_stay_on_their_file_system(spot: Spot) -> None:
    spot.fill("in/a.csv")
    failed = act(spot, "Downloads", **{"from": "{}/in", "action": "MOVE", "moveDirectory": "ftp://u:hush@h/done"})
    assert failed.messages[-1].startswith("ftp://u@h/done does not lie where ")
