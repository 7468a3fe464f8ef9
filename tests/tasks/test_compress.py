"""Archives and compressed files."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from typing import Any

import pytest

from nbflow.tasks.compress.archives import ArchiveCompress, ArchiveDecompress
from nbflow.tasks.compress.files import FileCompress, FileDecompress
from nbflow.tasks.compress.streams import Compression
from nbflow.testing import TaskResult, run_task
from tests.tasks.conftest import RunTasks

CONTENT = bytes(range(256)) * 3000


def run(kind: type[Any], content: bytes, name: str = "in", **properties: object) -> TaskResult:  # Any: task types
    task = kind.model_validate({"id": "do", "from": f"{{{{ vars.files['{name}'] }}}}", **properties})
    return run_task(task, files={name: content})


def only(result: TaskResult) -> bytes:
    assert result.state == "SUCCESS", result.messages
    return result.files[str(result.outputs["uri"])]


@pytest.mark.parametrize("compression", list(Compression))
def test_a_file_is_compressed_and_comes_back(compression: Compression) -> None:
    packed = run(FileCompress, CONTENT, compression=compression)
    content = only(packed)
    assert len(content) < len(CONTENT) / 5
    assert only(run(FileDecompress, content, compression=compression)) == CONTENT
    for broken in (content[: len(content) // 2], b"this is no such file"):
        failed = run(FileDecompress, broken, compression=compression)
        assert failed.state == "FAILED"
        assert f"the file is not compressed with {compression}, or damaged" in failed.messages[-1]


def test_names_tell_how_a_file_is_compressed() -> None:
    packed = run(FileCompress, b"a", name="data.csv", compression="GZIP")
    assert str(packed.outputs["uri"]).endswith("/data.csv.gz")
    assert gzip.decompress(only(packed)) == b"a"
    plain = run(FileDecompress, gzip.compress(b"a"), name="data.csv.gz", compression="GZIP")
    assert str(plain.outputs["uri"]).endswith("/data.csv")


@pytest.mark.parametrize("compression", list(Compression))
def test_a_small_file_that_stands_for_a_large_one_is_refused(compression: Compression) -> None:
    bomb = only(run(FileCompress, bytes(30_000_000), compression=compression))
    failed = run(FileDecompress, bomb, compression=compression, maxSize="1MB")
    assert failed.messages[-1] == "unpacked, it is larger than 1048576 bytes (raise `maxSize`)"
    assert not failed.files


@pytest.mark.parametrize(
    ("algorithm", "compression"),
    [("ZIP", None), ("JAR", None), ("TAR", None), ("TAR", "GZIP"), ("TAR", "ZSTD"), ("TAR", "BROTLI"), ("ZIP", "XZ")],
)
def test_files_are_packed_and_come_back(algorithm: str, compression: str | None) -> None:
    more = {"compression": compression} if compression else {}
    task = ArchiveCompress.model_validate(
        {
            "id": "pack",
            "from": {"a.txt": "{{ vars.files['a'] }}", "in/ü b.bin": "{{ vars.files['b'] }}"},
            "algorithm": algorithm,
            **more,
        }
    )
    packed = only(run_task(task, files={"a": b"hello", "b": CONTENT}))
    unpacked = run(ArchiveDecompress, packed, algorithm=algorithm, **more)
    files = unpacked.outputs["files"]
    assert isinstance(files, dict)
    assert {name: unpacked.files[str(uri)] for name, uri in files.items()} == {"a.txt": b"hello", "in/ü b.bin": CONTENT}


def test_the_list_of_files_may_be_an_expression(run_tasks: RunTasks) -> None:
    execution = run_tasks("""
        - {id: write, type: write_file, content: hello, extension: .txt}
        - {id: pack, type: io.kestra.plugin.compress.ArchiveCompress, algorithm: ZIP,
           from: '{{ {"a/b.txt": outputs.write.uri} }}'}
        - {id: unpack, type: unarchive, algorithm: ZIP, from: "{{ outputs.pack.uri }}"}
        - {id: show, type: log, message: "{{ read(outputs.unpack.files['a/b.txt']) }}"}
    """)
    assert execution.state == "SUCCESS"
    assert execution.logs(task_id="show")[0].message == "hello"


def tar(*members: tarfile.TarInfo) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return file.getvalue()


def member(name: str, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize("name", ["../up.txt", "/etc/passwd", "a/../../b", "C:\\x", "..\\up"])
def test_files_that_would_leave_their_folder_are_refused(name: str) -> None:
    failed = run(ArchiveDecompress, tar(member(name)), algorithm="TAR")
    assert f"the archive has a file `{name}`, which would leave its folder" in failed.messages[-1]
    assert not failed.files


def test_links_and_devices_are_left_out() -> None:
    content = tar(
        member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("hard", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
        member("device", type=tarfile.CHRTYPE),
        member("folder", type=tarfile.DIRTYPE),
        member("file", size=3),
    )
    result = run(ArchiveDecompress, content, algorithm="TAR")
    assert [*result.outputs["files"]] == ["file"]  # type: ignore[misc]  # it is a map
    assert sum("is left out: it is no file" in message for message in result.messages) == 3


def test_archives_of_too_much_are_refused() -> None:
    assert "more than 2 files" in run(
        ArchiveDecompress, tar(*(member(f"f{n}") for n in range(3))), algorithm="TAR", maxFiles=2
    ).messages[-1]  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(5_000_000))
    assert (
        "larger than 1048576 bytes"
        in run(ArchiveDecompress, file.getvalue(), algorithm="ZIP", maxSize="1MB").messages[-1]
    )
    # A size in the list that is too small does not help either: what comes out is counted.
    lying = bytearray(file.getvalue())
    at = lying.rindex(b"PK\x01\x02") + 24
    lying[at : at + 4] = struct.pack("<I", 10)
    assert run(ArchiveDecompress, bytes(lying), algorithm="ZIP", maxSize="1MB").state == "FAILED"


def test_what_is_no_archive_says_so() -> None:
    for kind in ("ZIP", "TAR"):
        assert (
            f"the file is no {kind} archive, or damaged"
            in run(ArchiveDecompress, b"x" * 600, algorithm=kind).messages[-1]
        )
