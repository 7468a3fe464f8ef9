"""Files on this machine and on real SFTP, FTP and FTPS servers: the same tasks do the same everywhere."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from nbflow.plugins import RunnableTask, registry
from nbflow.testing import TaskResult, run_task
from tests.tasks.fs.conftest import Server


def act(server: Server, name: str, files: dict[str, bytes] | None = None, **properties: object) -> TaskResult:
    """Run one of the tasks; `{}` in a property stands for the beginning of paths."""
    kind = registry().find(RunnableTask, f"io.kestra.plugin.fs.{server.kind}.{name}")
    given = {
        key: value.replace("{}", server.base) if isinstance(value, str) else value for key, value in properties.items()
    }
    return run_task(kind.model_validate({"id": "act", **server.login, **given}), files=files)


def stored(result: TaskResult) -> bytes:
    assert result.state == "SUCCESS", result.messages
    return result.files[str(result.outputs["uri"])]


def fill(server: Server, *names: str) -> None:
    for number, name in enumerate(names):
        path = server.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        os.utime(path, (1_700_000_000 + number * 60,) * 2)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_goes_there_and_comes_back(server: Server) -> None:
    content = os.urandom(300_000)
    put = act(server, "Upload", {"a b.bin": content}, **{"from": "{{ vars.files['a b.bin'] }}", "to": "{}/in/é x.bin"})
    assert put.state == "SUCCESS", put.messages
    assert (server.folder / "in" / "é x.bin").read_bytes() == content
    assert put.outputs["size"] == 300_000
    assert "hush" not in str(put.outputs)
    got = act(server, "Download", **{"from": "{}/in/é x.bin"})
    assert stored(got) == content
    assert got.outputs["from"] == put.outputs["to"]
    again = act(server, "Download", **{"from": str(put.outputs["to"])})
    assert stored(again) == content


def test_a_file_may_keep_its_name_and_be_refused_in_place_of_another(server: Server) -> None:
    fill(server, "in/a.txt")
    properties = {"from": "{{ vars.files['a.txt'] }}", "to": "{}/in/"}
    refused = act(server, "Upload", {"a.txt": b"new"}, **properties, overwrite=False)
    assert refused.state == "FAILED"
    assert "is there already (set `overwrite: true` to replace it)" in refused.messages[-1]
    assert act(server, "Upload", {"a.txt": b"new"}, **properties).state == "SUCCESS"
    assert (server.folder / "in" / "a.txt").read_bytes() == b"new"


def test_a_checksum_is_held_against_the_file(server: Server) -> None:
    fill(server, "a.txt")
    right = hashlib.sha256(b"a.txt").hexdigest()
    checked = act(server, "Download", **{"from": "{}/a.txt"}, validateChecksum=True, checksumExpected=right.upper())
    assert checked.outputs["checksum"] == right
    wrong = act(
        server, "Download", **{"from": "{}/a.txt"}, validateChecksum=True, checksumExpected="0", checksumAlgorithm="MD5"
    )
    assert f"has the checksum {hashlib.md5(b'a.txt').hexdigest()}, not 0" in wrong.messages[-1]
    assert not wrong.files


def test_a_file_that_is_not_there_is_named(server: Server) -> None:
    failed = act(server, "Download", **{"from": "{}/no.txt"})
    assert failed.state == "FAILED"
    assert failed.messages[-1].startswith("there is no ")
    assert failed.messages[-1].endswith("/no.txt (check the path, and whether it begins with /)")
    assert "hush" not in failed.messages[-1]


def test_files_are_listed_by_pattern_and_order(server: Server) -> None:
    fill(server, "d/b.csv", "d/a.csv", "d/c.txt", "d/deep/e.csv")
    flat = act(server, "List", **{"from": "{}/d"}).outputs
    assert [(one["name"], one["fileType"]) for one in flat["files"]] == [  # type: ignore[union-attr,index,call-overload]
        ("a.csv", "FILE"),
        ("b.csv", "FILE"),
        ("c.txt", "FILE"),
        ("deep", "FOLDER"),
    ]
    deep = act(server, "List", **{"from": "{}/d/"}, regExp=r".*\.csv", recursive=True, sort="LAST_MODIFIED_DESC")
    files = deep.outputs["files"]
    assert isinstance(files, list)
    assert [one["path"] for one in files] == [  # type: ignore[index,call-overload]
        f"{server.base}/d/deep/e.csv",
        f"{server.base}/d/a.csv",
        f"{server.base}/d/b.csv",
    ]
    assert files[0]["updatedDate"] == "2023-11-14T22:16:20Z"  # type: ignore[index,call-overload]
    few = act(server, "List", **{"from": "{}/d"}, maxFiles=1, sort="NAME_DESC")
    assert few.outputs["count"] == 1
    assert "4 files match, the first 1 are taken: raise `maxFiles` for more" in few.messages


def test_all_files_of_a_folder_are_taken_and_moved_away(server: Server) -> None:
    fill(server, "in/a.csv", "in/b.csv", "in/c.txt")
    properties = {"from": "{}/in", "regExp": r".*\.csv", "action": "MOVE", "moveDirectory": "{}/done"}
    taken = act(server, "Downloads", **properties)
    assert taken.state == "SUCCESS", taken.messages
    uris = taken.outputs["outputFiles"]
    assert isinstance(uris, dict)
    assert {name: taken.files[str(uri)] for name, uri in uris.items()} == {"a.csv": b"in/a.csv", "b.csv": b"in/b.csv"}
    assert names(server.folder) == ["done/a.csv", "done/b.csv", "in/c.txt"]
    act(server, "Downloads", **{"from": "{}/done", "action": "DELETE"})
    assert names(server.folder) == ["in/c.txt"]


def test_many_files_go_there(server: Server) -> None:
    files = {"a.csv": b"1", "b.csv": b"2", "c.txt": b"3"}
    task = {"from": "{{ [vars.files['a.csv'], vars.files['b.csv'], vars.files['c.txt']] }}", "to": "{}/new/in"}
    put = act(server, "Uploads", files, **task, regExp=r".*\.csv")
    assert put.state == "SUCCESS", put.messages
    assert names(server.folder) == ["new/in/a.csv", "new/in/b.csv"]
    act(server, "Uploads", files, **{"from": {"x/y.csv": "{{ vars.files['a.csv'] }}"}, "to": "{}/new"})
    assert (server.folder / "new/x/y.csv").read_bytes() == b"1"


def test_a_file_and_a_folder_are_moved(server: Server) -> None:
    fill(server, "a.txt", "b.txt", "d/e.txt")
    assert act(server, "Move", **{"from": "{}/a.txt", "to": "{}/to/"}).state == "SUCCESS"
    refused = act(server, "Move", **{"from": "{}/b.txt", "to": "{}/to/a.txt"})
    assert "is there already" in refused.messages[-1]
    moved = act(server, "Move", **{"from": "{}/b.txt", "to": "{}/to/a.txt"}, overwrite=True)
    assert moved.state == "SUCCESS", moved.messages
    assert act(server, "Move", **{"from": "{}/d", "to": "{}/to/d2"}).state == "SUCCESS"
    assert names(server.folder) == ["to/a.txt", "to/d2/e.txt"]
    assert (server.folder / "to/a.txt").read_text() == "b.txt"


def test_files_and_folders_are_deleted(server: Server) -> None:
    fill(server, "a.txt", "d/b.csv", "d/c.txt", "d/e/f[1].csv")
    assert act(server, "Delete", uri="{}/a.txt").outputs["deleted"] is True
    assert act(server, "Delete", uri="{}/a.txt").outputs["deleted"] is False
    assert act(server, "Delete", uri="{}/a.txt", errorOnMissing=True).state == "FAILED"
    some = act(server, "Delete", uri="{}/d", regExp=r".*\.csv", recursive=True)
    assert len(some.outputs["uris"]) == 2  # type: ignore[arg-type]
    assert names(server.folder) == ["d/c.txt"]
    assert "is not empty" in act(server, "Delete", uri="{}/d", recursive=False).messages[-1]
    assert act(server, "Delete", uri="{}/d", recursive=True).outputs["deleted"] is True
    assert not (server.folder / "d").exists()


def test_a_wrong_login_says_so_and_keeps_the_password(server: Server) -> None:
    if server.kind == "local":
        pytest.skip("nobody logs in here")
    server.login = {**server.login, "password": "wrong-one"}
    failed = act(server, "List", **{"from": "/"})
    assert "refuses the login" in failed.messages[-1]
    assert "wrong-one" not in failed.messages[-1]


def test_a_server_that_is_not_there_says_so(server: Server) -> None:
    if server.kind == "local":
        pytest.skip("it is always there")
    server.login = {**server.login, "port": 1}
    assert "127.0.0.1:1 cannot be reached" in act(server, "List", **{"from": "/"}).messages[-1]
