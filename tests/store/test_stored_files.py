"""Files between tasks: what goes in comes out, whole, and nothing leaves the storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.errors import MissingExtraError, StoredFileNotFoundError, StoreError
from nbflow.plugins.storages import FileStorage
from nbflow.settings import Settings
from nbflow.store import LocalFiles, RemoteFiles, Store


@pytest.fixture(params=["local", "remote"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileStorage]:
    if request.param == "local":
        yield LocalFiles(tmp_path / "storage")
        return
    from fsspec.implementations.memory import MemoryFileSystem

    yield RemoteFiles("memory://nbflow/storage")
    MemoryFileSystem.store.clear()


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("company/etl/executions/x/tasks/t/r/out.csv", "kestra:///company/etl/executions/x/tasks/t/r/out.csv"),
        ("a/b c/é 100%.txt", "kestra:///a/b%20c/%C3%A9%20100%25.txt"),
        ("a/#?&.txt", "kestra:///a/%23%3F&.txt"),
        ("a//b/./c", "kestra:///a/b/c"),
    ],
)
def test_a_file_is_found_under_its_percent_encoded_uri(files: FileStorage, path: str, uri: str) -> None:
    assert files.put_bytes(path, b"content") == uri
    assert files.read_bytes(uri) == b"content"
    assert files.read_bytes(uri.replace("kestra", "nbflow")) == b"content"
    assert files.size(uri) == 7
    assert files.exists(uri)
    assert files.list("a") == ([uri] if path.startswith("a") else [])


def test_a_file_goes_in_and_out_as_a_copy(files: FileStorage, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 10_000)
    uri = files.put_file("a/copy", source)
    source.write_bytes(b"changed by the script that wrote it")
    target = files.fetch(uri, tmp_path / "new" / "folder" / "target")
    assert target.read_bytes() == bytes(range(256)) * 10_000
    target.write_bytes(b"changed by the one who read it")
    assert files.size(uri) == 2_560_000


def test_a_file_is_replaced_and_deleted(files: FileStorage) -> None:
    uri = files.put_bytes("a/b", b"long content")
    files.put_bytes("a/b", b"")
    assert files.read_bytes(uri) == b""
    assert files.delete(uri) is True
    assert files.delete(uri) is False
    assert not files.exists(uri)


def test_all_files_below_a_path_are_listed_and_no_others(files: FileStorage) -> None:
    for path in ("a/1", "a/x/2", "a/x/y/3", "ab/4"):
        files.put_bytes(path, b"")
    assert files.list("a") == ["kestra:///a/1", "kestra:///a/x/2", "kestra:///a/x/y/3"]
    assert files.list("a/x") == ["kestra:///a/x/2", "kestra:///a/x/y/3"]
    assert files.list("nowhere") == []


def test_a_path_that_is_a_file_has_nothing_below(files: FileStorage) -> None:
    uri = files.put_bytes("a/file", b"x")
    assert files.list("a/file") == []
    assert files.delete_below("a/file") == 0
    assert files.exists(uri)


def test_all_files_below_a_path_are_deleted_and_no_others(files: FileStorage) -> None:
    for path in ("a/1", "a/x/2", "a/x/y/3", "ab/4"):
        files.put_bytes(path, b"")
    assert files.delete_below("a/x") == 2
    assert files.delete_below("a/x") == 0
    assert files.delete_below("nowhere") == 0
    assert files.list("a") == ["kestra:///a/1"]
    assert files.list("ab") == ["kestra:///ab/4"]
    with pytest.raises(StoreError, match="is no path inside the storage"):
        files.delete_below("..")


def test_a_file_is_moved_in_place_of_another(files: FileStorage) -> None:
    one, two = files.put_bytes("a/b/one é", b"one"), files.put_bytes("c/two", b"two")
    assert files.move(one, "c/two") == two
    assert files.read_bytes(two) == b"one"
    assert not files.exists(one)
    assert files.move(two, "new/folder/x") == "kestra:///new/folder/x"
    assert files.read_bytes("kestra:///new/folder/x") == b"one"
    with pytest.raises(StoredFileNotFoundError, match="there is no file kestra:///c/two in the storage"):
        files.move(two, "d")
    with pytest.raises(StoreError, match="is no path inside the storage"):
        files.move("kestra:///new/folder/x", "../x")


def test_a_folder_goes_with_its_last_file_and_a_file_may_take_its_name(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "storage")
    files.delete(files.put_bytes("a/b/c", b"x"))
    assert files.put_bytes("a", b"x") == "kestra:///a"
    files.move("kestra:///a", "b/c")
    files.put_bytes("b/d", b"")
    assert files.delete_below("b") == 2
    assert [path.name for path in (tmp_path / "storage").iterdir()] == [".incoming"]


@pytest.mark.parametrize("durable", [False, True])
def test_files_are_put_while_others_take_their_folder_away(tmp_path: Path, durable: bool) -> None:
    files = LocalFiles(tmp_path / "storage", durable)

    def put_and_delete(number: int) -> bool:
        return files.delete(files.put_bytes(f"a/b/{number}", b"x"))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(put_and_delete, range(1000)))


def test_a_file_that_is_not_there_is_named(files: FileStorage, tmp_path: Path) -> None:
    for read in (files.read_bytes, files.size, lambda uri: files.fetch(uri, tmp_path / "target")):
        with pytest.raises(StoredFileNotFoundError) as missing:
            read("kestra:///a/b")
        assert str(missing.value) == "there is no file kestra:///a/b in the storage"
    assert not files.exists("kestra:///a/b")
    with pytest.raises(StoredFileNotFoundError):
        files.put_file("a/b", tmp_path / "nothing")


@pytest.mark.parametrize(
    "path", ["../a", "a/../../b", "/etc/passwd", "//server/a", "", ".", "C:/a", "a\\..\\..\\b", "a\0b"]
)
def test_no_path_leaves_the_storage(files: FileStorage, path: str) -> None:
    with pytest.raises(StoreError, match="is no path inside the storage"):
        files.put_bytes(path, b"")
    with pytest.raises(StoreError, match="is no path inside the storage"):
        files.list(path)


@pytest.mark.parametrize(
    "uri",
    [
        "kestra:///../a",
        "kestra:///a/%2e%2e/%2e%2e/b",
        "kestra:////etc/passwd",
        "kestra:///%2Fetc/passwd",
        "kestra:///a%00b",
        "kestra://host/a",
        "file:///etc/passwd",
        "/etc/passwd",
        "a",
        "",
    ],
)
def test_no_uri_leaves_the_storage(files: FileStorage, uri: str) -> None:
    for use in (files.read_bytes, files.exists, files.delete, files.size, files.local_path):
        with pytest.raises(StoreError):
            use(uri)


def test_a_link_that_leads_out_of_the_storage_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "storage" / "a").mkdir(parents=True)
    (tmp_path / "storage" / "a" / "out").symlink_to(tmp_path)
    (tmp_path / "storage" / "a" / "file").symlink_to(tmp_path / "secret")
    files = LocalFiles(tmp_path / "storage")
    for path in ("a/file", "a/out/secret"):
        with pytest.raises(StoreError, match="is no path inside the storage"):
            files.read_bytes(f"kestra:///{path}")
        with pytest.raises(StoreError, match="is no path inside the storage"):
            files.put_bytes(path, b"overwritten")
    assert files.list("a") == []
    assert (tmp_path / "secret").read_text() == "secret"


def test_a_storage_behind_a_link_works(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "storage").symlink_to(tmp_path / "disk")
    files = LocalFiles(tmp_path / "storage")
    assert files.list("a") == []
    assert files.list("a") == [files.put_bytes("a/b", b"x")][:0]
    assert files.list("a") == ["kestra:///a/b"]


def test_a_file_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "storage")
    files.put_bytes("a/b", b"before")
    with pytest.raises(TypeError):
        files.put_bytes("a/b", "no bytes")  # type: ignore[arg-type]
    assert files.read_bytes("kestra:///a/b") == b"before"
    assert [path.name for path in (tmp_path / "storage").rglob("*") if path.is_file()] == ["b"]


def test_a_path_through_a_file_is_a_store_error(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "storage")
    files.put_bytes("a", b"a file")
    with pytest.raises(StoreError, match="`a/b` cannot be stored: "):
        files.put_bytes("a/b", b"")


def test_a_local_file_can_be_read_where_it_lies_and_a_remote_one_cannot(files: FileStorage) -> None:
    uri = files.put_bytes("a/b", b"content")
    place = files.local_path(uri)
    assert (place.read_bytes() if place else None) == (b"content" if isinstance(files, LocalFiles) else None)


def test_stored_files_keep_the_rights_that_the_user_gives_to_new_files(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        LocalFiles(tmp_path / "storage").put_bytes("a/b", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "storage" / "a" / "b").stat().st_mode & 0o777 == 0o644


def test_a_store_uses_the_storage_of_its_settings(settings: Settings) -> None:
    with Store(settings) as store:
        store.files.put_bytes("a/b", b"")
        assert (settings.storage_path / "a" / "b").is_file()
    with Store(replace(settings, storage_url="memory://elsewhere")) as store:
        assert store.files.local_path(store.files.put_bytes("a/b", b"")) is None


def test_a_storage_without_its_package_says_which() -> None:
    with pytest.raises(MissingExtraError, match="the storage abfs://bucket needs a package that is not installed"):
        RemoteFiles("abfs://bucket").put_bytes("a", b"")
