"""Bytes become lines, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.runners.lines import LineSplitter


def lines_of(*pieces: bytes, longest: int = 1000) -> list[str]:
    splitter = LineSplitter(longest)
    return [*(line for piece in pieces for line in splitter.feed(piece)), *splitter.end()]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ((b"a\nb\n",), ["a", "b"]),
        ((b"a\nb",), ["a", "b"]),
        ((b"a\r\nb\r\n",), ["a", "b"]),
        ((b"a\r", b"\nb"), ["a", "b"]),
        ((b"10%\r20%\r30%\n",), ["10%", "20%", "30%"]),
        ((b"10%\r", b"20%\r"), ["10%", "20%"]),
        ((b"\n\na\n",), ["", "", "a"]),
        (("ü".encode()[:1], "ü".encode()[1:] + b"\n"), ["ü"]),
        ((b"\xff\n",), ["\ufffd"]),
        (("a\u2028b\x0bc\n".encode(),), ["a\u2028b\x0bc"]),
        ((), []),
    ],
)
def test_only_line_ends_split(pieces: tuple[bytes, ...], lines: list[str]) -> None:
    assert lines_of(*pieces) == lines


def test_a_line_without_an_end_is_handed_on_in_pieces() -> None:
    lines = lines_of(b"x" * 700, b"x" * 700, b"x" * 700, b"\nnext\n", longest=1000)
    assert lines == ["x" * 1400, "x" * 700, "next"]


@given(
    st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)),
    st.data(),
)
def test_cutting_changes_nothing(lines: list[str], data: st.DataObject) -> None:
    content = "".join(line + "\n" for line in lines).encode()
    pieces = []
    while content:
        size = data.draw(st.integers(1, len(content)))
        pieces.append(content[:size])
        content = content[size:]
    assert lines_of(*pieces, longest=10**9) == lines
