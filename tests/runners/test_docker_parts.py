"""What needs no engine: archives of files, streams told apart, logins."""

from __future__ import annotations

import base64
import io
import os
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.errors import TaskFailedError
from nbflow.model.containers import Credentials
from nbflow.runners.docker.files import pack, unpack
from nbflow.runners.docker.login import in_registry, login_for, registry_of
from nbflow.runners.docker.output import pieces

LOGIN = base64.b64encode(b"ada:secret").decode()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    return place


def chunks(archive: bytes, size: int = 1000) -> Iterator[bytes]:
    return (archive[start : start + size] for start in range(0, len(archive), size))


def archive(*entries: tuple[str, bytes | str | None], kind: bytes = tarfile.REGTYPE) -> bytes:
    """An archive as an engine gives it: names below `work` with their content; None for a folder, text for a link."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, what in entries:
            entry = tarfile.TarInfo(f"work/{name}")
            entry.mtime = int(time.time())
            if what is None:
                entry.type = tarfile.DIRTYPE
            elif isinstance(what, str):
                entry.type, entry.linkname = kind, what
            else:
                entry.size = len(what)
            tar.addfile(entry, io.BytesIO(what) if isinstance(what, bytes) else None)
    return content.getvalue()


def test_what_has_not_changed_does_not_come_back(directory: Path) -> None:
    (directory / "deep").mkdir()
    (directory / "same").write_text("same")
    (directory / "deep/changed").write_text("old")
    os.link(directory / "same", directory / "twin")
    packed, sent = pack(directory, time.time())
    with packed:
        content = packed.read()
    assert sorted(sent) == ["deep/changed", "same", "twin"]
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert tar.getnames()[0] == str(directory).lstrip("/")
        assert all(entry.uid == 0 and entry.mode & 0o666 == 0o666 for entry in tar)
    entries: list[tuple[str, bytes | str | None]] = [("", None), ("deep", None), ("deep/changed", b"new")]
    unpack(chunks(archive(*entries, ("more", b"more"))), directory, {name: sent[name] for name in ["deep/changed"]})
    assert (directory / "deep/changed").read_text() == "new"
    assert (directory / "more").read_text() == "more"


def test_what_is_gone_in_the_container_is_gone_here(directory: Path) -> None:
    (directory / "gone").write_text("gone")
    packed, sent = pack(directory, time.time())
    packed.close()
    unpack(chunks(archive(("", None))), directory, sent)
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/../out"])
def test_names_that_leave_the_directory_are_left_out(directory: Path, name: str) -> None:
    unpack(chunks(archive((name, b"x"))), directory, {})
    assert not (directory.parent / "out").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("aim", ["/etc/passwd", "../../etc/passwd", "../secret"])
def test_links_that_leave_the_directory_are_left_out(directory: Path, kind: bytes, aim: str) -> None:
    (directory.parent / "secret").write_text("secret")
    unpack(chunks(archive(("link", aim), kind=kind)), directory, {})
    assert list(directory.iterdir()) == []


def test_nothing_is_written_through_a_link_that_is_there(directory: Path) -> None:
    outside = directory.parent / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    (directory / "folder").symlink_to(outside)
    (directory / "file").symlink_to(outside / "kept")
    unpack(chunks(archive(("folder/new", b"x"), ("file", b"x"))), directory, {})
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "kept"
    assert (directory / "file").read_text() == "x"


def test_an_archive_that_is_cut_off_says_so(directory: Path) -> None:
    with pytest.raises(TaskFailedError, match="the files of the container cannot be read"):
        unpack(chunks(archive(("a", b"x" * 5000))[:3000]), directory, {})


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=20), st.integers(1, 40))
def test_streams_are_told_apart_however_they_are_cut(frames: list[tuple[int, bytes]], size: int) -> None:
    stream = b"".join(bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for kind, data in frames)
    read = list(pieces(chunks(stream, size)))
    for kind in (1, 2):
        assert b"".join(piece[kind - 1] for piece in read) == b"".join(data for of, data in frames if of == kind)


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("python", "docker.io"),
        ("kestra/kestra:latest", "docker.io"),
        ("ghcr.io/kestra-io/pydata", "ghcr.io"),
        ("localhost/box:1", "localhost"),
        ("box:5000/a", "box:5000"),
    ],
)
def test_the_registry_is_in_the_name_of_the_image(image: str, registry: str) -> None:
    assert registry_of(image) == registry


@pytest.mark.parametrize(
    ("image", "registry", "expected"),
    [
        ("team/etl", "ghcr.io", "ghcr.io/team/etl"),
        ("ghcr.io/team/etl", "ghcr.io", "ghcr.io/team/etl"),
        ("team/etl", "https://box:5000/v2/", "box:5000/team/etl"),
        ("team/etl", "https://index.docker.io/v1/", "team/etl"),
        ("team/etl", None, "team/etl"),
    ],
)
def test_the_registry_of_the_credentials_is_added(image: str, registry: str | None, expected: str) -> None:
    assert in_registry(image, Credentials(registry=registry)) == expected


def test_credentials_are_for_their_registry_alone() -> None:
    named = Credentials(registry="ghcr.io", username="ada", password="secret")
    assert login_for("ghcr.io/team/etl", named, None) == {
        "username": "ada",
        "password": "secret",
        "serveraddress": "ghcr.io",
    }
    assert login_for("python:3", named, None) is None
    anywhere = Credentials(auth=LOGIN)
    assert login_for("python:3", anywhere, None) == {
        "username": "ada",
        "password": "secret",
        "serveraddress": "https://index.docker.io/v1/",
    }
    token = Credentials(registry_token="abc")
    assert login_for("box:5000/a", token, None) == {"registrytoken": "abc", "serveraddress": "box:5000"}


@pytest.mark.parametrize("entry", [{"auth": LOGIN}, {"username": "ada", "password": "secret"}])
def test_logins_are_found_in_dockers_configuration(entry: dict[str, str]) -> None:
    config = {"auths": {"ghcr.io": entry, "https://index.docker.io/v1/": {"auth": LOGIN}}}
    login = login_for("ghcr.io/team/etl", None, config)  # type: ignore[arg-type]  # dicts of texts are JSON
    assert login is not None
    assert (login["username"], login["password"]) == ("ada", "secret")
    assert login_for("python", None, config) is not None  # type: ignore[arg-type]
    assert login_for("quay.io/a/b", None, config) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("credentials", "config", "message"),
    [
        (Credentials(auth="no base64!"), None, "`credentials.auth` cannot be read"),
        (None, "{", "`config` is text that is no JSON"),
        (None, [1], "`config` must be a map"),
    ],
)
def test_logins_that_cannot_be_read_say_so(credentials: Credentials | None, config: object, message: str) -> None:
    with pytest.raises(TaskFailedError, match=message):
        login_for("python", credentials, config)  # type: ignore[arg-type]  # what a flow may hold
