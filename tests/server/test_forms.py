"""Multipart bodies are read piece by piece, wherever the pieces are cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbflow.server.errors import RequestError
from nbflow.server.forms import MAX_PARTS, FormReader, boundary_of

CONTENT = st.binary(max_size=200).filter(lambda content: b"--limit" not in content)


def body(*parts: tuple[str, str | None, bytes]) -> bytes:
    out = b""
    for name, file_name, content in parts:
        extra = f'; filename="{file_name}"' if file_name is not None else ""
        out += f'--limit\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + content + b"\r\n"
    return out + b"--limit--\r\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=CONTENT, file=CONTENT, size=st.integers(1, 50))
def test_a_form_comes_to_the_same_in_pieces_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, file: bytes, size: int
) -> None:
    reader = FormReader(b"limit", tmp_path_factory.mktemp("form"))
    whole = body(("a", None, text), ("doc", "x.bin", file), ("a", None, b"again"))
    for start in range(0, len(whole), size):
        reader.feed(whole[start : start + size])
    form = reader.end()
    assert form.texts == {"a": [text, b"again"]}
    (upload,) = form.uploads
    assert (upload.part, upload.file_name, upload.size, upload.path.read_bytes()) == ("doc", "x.bin", len(file), file)


@pytest.mark.parametrize("whole", [b"", b"--limit--\r\n", b"--limit--", b"\r\n--limit--\r\nwhatever follows"])
def test_a_form_may_have_no_parts(tmp_path: Path, whole: bytes) -> None:
    reader = FormReader(b"limit", tmp_path)
    reader.feed(whole)
    form = reader.end()
    assert (form.texts, form.uploads) == ({}, [])


def test_names_of_files_are_read_in_every_spelling(tmp_path: Path) -> None:
    reader = FormReader(b"limit", tmp_path)
    for header in ('filename="ü b.txt"', "filename*=utf-8''%C3%BC%20b.txt"):
        reader.feed(f'--limit\r\nContent-Disposition: form-data; name="f"; {header}\r\n\r\nx\r\n'.encode())
    reader.feed(b"--limit--\r\n")
    assert [upload.file_name for upload in reader.end().uploads] == ["ü b.txt", "ü b.txt"]


def test_too_many_parts_are_refused(tmp_path: Path) -> None:
    reader = FormReader(b"limit", tmp_path)
    with pytest.raises(RequestError, match="more than"):
        reader.feed(body(*[("a", None, b"")] * (MAX_PARTS + 1)))


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=", 'x; boundary=""'])
def test_a_form_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(RequestError, match="names no boundary"):
        boundary_of(content_type)
