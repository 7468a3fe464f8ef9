"""Files of namespaces: where they lie, which are found, and that none leaves its namespace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nbflow.errors import ConflictError, StoredFileNotFoundError, StoreError
from nbflow.settings import Settings
from nbflow.store import InvalidNameError, NamespaceFile, NamespaceFiles, Store

NS = "company.team"


@pytest.fixture(params=["local", "remote"])
def files(request: pytest.FixtureRequest, settings: Settings) -> Iterator[NamespaceFiles]:
    from fsspec.implementations.memory import MemoryFileSystem

    with Store(settings if request.param == "local" else replace(settings, storage_url="memory://nbflow")) as store:
        yield store.namespace_files
    MemoryFileSystem.store.clear()


def _fill(files: NamespaceFiles, *paths: str, namespace: str = NS) -> None:
    for path in paths:
        files.put(namespace, path, f"{namespace} {path}".encode())


def _paths(found: list[NamespaceFile]) -> list[str]:
    return [file.path for file in found]


def test_a_file_lies_where_kestra_has_it(files: NamespaceFiles, tmp_path: Path) -> None:
    put = files.put(NS, "scripts/a b.py", b"print()")
    assert put == NamespaceFile(NS, "scripts/a b.py", "kestra:///company/team/_files/scripts/a%20b.py")
    assert files.uri(NS, "./scripts//a b.py") == put.uri
    assert files.read(NS, "scripts/a b.py") == b"print()"
    assert files.exists(NS, "scripts/a b.py")
    assert not files.exists(NS, "scripts")
    assert files.list(NS) == [put]
    (tmp_path / "source").write_bytes(bytes(range(256)))
    assert files.put(NS, "scripts/a b.py", tmp_path / "source") == put
    assert files.read(NS, "scripts/a b.py") == bytes(range(256))


def test_what_is_not_there_is_said(files: NamespaceFiles, tmp_path: Path) -> None:
    with pytest.raises(StoredFileNotFoundError, match="there is no file kestra:///company/team/_files/x in"):
        files.read(NS, "x")
    with pytest.raises(StoredFileNotFoundError, match=r"^there is no file `x` in company\.team$"):
        files.move(NS, "x", "y")
    with pytest.raises(StoredFileNotFoundError, match="is no file to store"):
        files.put(NS, "x", tmp_path / "nothing")
    assert not files.exists(NS, "x")
    assert files.delete(NS, "x") == 0
    assert files.list(NS) == files.list(NS, "x") == files.inherited(NS) == []


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("../x", "it holds `..`"),
        ("a/../../x", "it holds `..`"),
        ("a/..", "it holds `..`"),
        ("/etc/passwd", "it is absolute"),
        ("//server/x", "it is absolute"),
        ("C:/x", "it is absolute"),
        ("a\\..\\x", "it holds a backslash"),
        ("..\\x", "it holds a backslash"),
        ("a\0b", "it holds what no name of a file may"),
        ("a\ud800", "it holds what no name of a file may"),
        ("", "it names no file"),
        (".", "it names no file"),
        ("./", "it names no file"),
    ],
)
def test_no_path_leaves_the_namespace(files: NamespaceFiles, path: str, fault: str) -> None:
    _fill(files, "x", namespace="company")
    _fill(files, "a/x")
    message = f"`{path}` is no path of a namespace file: {fault} (one such as scripts/main.py, with `/` between)"
    uses = (
        lambda: files.put(NS, path, b""),
        lambda: files.read(NS, path),
        lambda: files.exists(NS, path),
        lambda: files.delete(NS, path),
        lambda: files.uri(NS, path),
        lambda: files.move(NS, path, "target"),
        lambda: files.move(NS, "a/x", path),
        lambda: files.list(NS, path or ".."),
    )
    for use in uses:
        with pytest.raises(InvalidNameError, match="is no path of a namespace file") as refused:
            use()
        if path:
            assert str(refused.value) == message
    assert _paths(files.inherited(NS)) == ["a/x", "x"]


@pytest.mark.parametrize("namespace", ["", "..", "a..b", "a/b", "/", "company._files", "_files", "a\\b"])
def test_no_namespace_reaches_into_another(files: NamespaceFiles, namespace: str) -> None:
    for use in (files.read, files.exists, files.delete, files.uri):
        with pytest.raises(InvalidNameError, match="namespace"):
            use(namespace, "x")
    with pytest.raises(InvalidNameError, match="namespace"):
        files.list(namespace)


def test_a_link_that_leads_out_is_not_followed(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    with Store(settings) as store:
        store.namespace_files.put(NS, "x", b"")
        (settings.storage_path / "company" / "team" / "_files" / "out").symlink_to(tmp_path)
        with pytest.raises(StoreError, match="is no path inside the storage"):
            store.namespace_files.read(NS, "out/secret")
        with pytest.raises(StoreError, match="is no path inside the storage"):
            store.namespace_files.delete(NS, "out")
        assert _paths(store.namespace_files.list(NS)) == ["x"]
    assert (tmp_path / "secret").read_text() == "secret"


def test_files_and_folders_are_deleted_and_their_neighbours_stay(files: NamespaceFiles) -> None:
    _fill(files, "a/1", "a/b/2", "a/b/3", "ab/4", "5")
    _fill(files, "a/1", namespace=f"{NS}.inner")
    assert files.delete(NS, "5") == 1
    assert files.delete(NS, "a/b/") == 2
    assert files.delete(NS, "a") == 1
    assert _paths(files.list(NS)) == ["ab/4"]
    assert _paths(files.list(f"{NS}.inner")) == ["a/1"]
    _fill(files, "a")
    assert files.read(NS, "a") == b"company.team a", "the name of a folder that is gone is free"


def test_files_and_folders_are_moved(files: NamespaceFiles) -> None:
    _fill(files, "a/1", "a/b/2", "ab/3")
    assert _paths(files.move(NS, "a/1", "c/one")) == ["c/one"]
    assert files.read(NS, "c/one") == b"company.team a/1"
    assert _paths(files.move(NS, "a", "c/d")) == ["c/d/b/2"]
    assert _paths(files.move(NS, "c/one", "./c//one")) == ["c/one"]
    assert _paths(files.list(NS)) == ["ab/3", "c/d/b/2", "c/one"]


def test_a_move_replaces_nothing_unless_told_to(files: NamespaceFiles) -> None:
    _fill(files, "a/1", "b/1", "b/2", "c")
    for target in ("c", "b"):
        with pytest.raises(ConflictError) as refused:
            files.move(NS, "a/1", target)
        assert str(refused.value) == f"`{target}` is there already in company.team (set `overwrite` to replace it)"
    with pytest.raises(ConflictError, match="`a` cannot be moved into itself, to `a/b`"):
        files.move(NS, "a", "a/b")
    assert _paths(files.list(NS)) == ["a/1", "b/1", "b/2", "c"]
    files.move(NS, "a", "b", overwrite=True)
    assert files.read(NS, "b/1") == b"company.team a/1"
    files.move(NS, "c", "b/2", overwrite=True)
    assert _paths(files.list(NS)) == ["b/1", "b/2"]


TREE = ("main.py", "a.sql", "q/b.sql", "q/deep/c.sql", "q/deep/c.csv", "scripts/x.py", "lib/scripts/y.py", "x{1}.txt")


@pytest.mark.parametrize(
    ("include", "found"),
    [
        ([], TREE),
        (["**"], TREE),
        (["main.py"], ["main.py"]),
        (["*.sql"], ["a.sql", "q/b.sql", "q/deep/c.sql"]),
        (["**.sql"], ["a.sql", "q/b.sql", "q/deep/c.sql"]),
        (["**/*.sql"], ["a.sql", "q/b.sql", "q/deep/c.sql"]),
        (["/*.sql"], ["a.sql"]),
        (["/q/**"], ["q/b.sql", "q/deep/c.sql", "q/deep/c.csv"]),
        (["/q/"], ["q/b.sql", "q/deep/c.sql", "q/deep/c.csv"]),
        (["/q/*"], ["q/b.sql"]),
        (["/q/**/c.*"], ["q/deep/c.sql", "q/deep/c.csv"]),
        (["scripts/**"], ["scripts/x.py", "lib/scripts/y.py"]),
        (["/scripts/**"], ["scripts/x.py"]),
        (["?.{sql,csv}"], ["a.sql", "q/b.sql", "q/deep/c.sql", "q/deep/c.csv"]),
        (["{a,{b,c}}.sql"], ["a.sql", "q/b.sql", "q/deep/c.sql"]),
        (["[ab].sql"], ["a.sql", "q/b.sql"]),
        (["[!a].sql"], ["q/b.sql", "q/deep/c.sql"]),
        (["main.py", "/a.*"], ["main.py", "a.sql"]),
        (["[", "[z-a]", "[a--b]", "{", "(", "", "MAIN.PY", "q"], []),
        (["**/" * 200 + "nothing"], []),
    ],
)
def test_patterns_select_files(files: NamespaceFiles, include: list[str], found: list[str]) -> None:
    _fill(files, *TREE)
    assert _paths(files.list(NS, include=include)) == sorted(found)
    if include:
        assert _paths(files.list(NS, exclude=include)) == sorted(set(TREE) - set(found))


def test_a_folder_is_listed_and_excludes_win(files: NamespaceFiles) -> None:
    _fill(files, *TREE)
    assert _paths(files.list(NS, "q")) == ["q/b.sql", "q/deep/c.csv", "q/deep/c.sql"]
    assert _paths(files.list(NS, "q/deep/", include=["*.sql"])) == ["q/deep/c.sql"]
    assert _paths(files.list(NS, include=["*.sql"], exclude=["/q/**"])) == ["a.sql"]
    assert files.list(NS, "q/b.sql") == [], "a file is no folder"


def test_files_of_the_parents_lie_under_those_of_the_namespace(files: NamespaceFiles) -> None:
    _fill(files, "a", "b", "c.sql", namespace="x")
    _fill(files, "b", namespace="x.y")
    _fill(files, "a", "d.sql", namespace="x.y.z")
    _fill(files, "stranger", namespace="xy")
    _fill(files, "child", namespace="x.y.z.w")
    found = files.inherited("x.y.z")
    assert [(file.namespace, file.path) for file in found] == [
        ("x.y.z", "a"),
        ("x.y", "b"),
        ("x", "c.sql"),
        ("x.y.z", "d.sql"),
    ]
    assert [files.read(file.namespace, file.path) for file in found][:2] == [b"x.y.z a", b"x.y b"]
    assert _paths(files.inherited("x.y.z", include=["*.sql"], exclude=["d*"])) == ["c.sql"]
    assert _paths(files.inherited("x")) == ["a", "b", "c.sql"]


def test_files_of_executions_are_none_of_the_namespace(settings: Settings) -> None:
    with Store(settings) as store:
        store.files.put_bytes("company/team/etl/executions/1/out.csv", b"")
        assert store.namespace_files.list(NS) == []
        assert store.namespace_files.inherited(f"{NS}.etl") == []
