"""Documents are cut where sense ends, and no piece is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbflow.tasks.ai.chunks import DocumentSplitter, Splitter, plain_text, split

TEXT = "One. Two two. Three!\nFour four\n\nFive five five. Six"


@pytest.mark.parametrize(
    ("splitter", "longest", "overlap", "pieces"),
    [
        (Splitter.RECURSIVE, 100, 0, [TEXT]),
        (Splitter.RECURSIVE, 30, 0, ["One. Two two. Three!\nFour four", "Five five five. Six"]),
        (Splitter.RECURSIVE, 20, 0, ["One. Two two. Three!", "Four four", "Five five five. Six"]),
        (Splitter.RECURSIVE, 15, 0, ["One. Two two.", "Three!", "Four four", "Five five five.", "Six"]),
        (Splitter.SENTENCE, 15, 0, ["One. Two two.", "Three!", "Four four", "Five five five.", "Six"]),
        (Splitter.WORD, 9, 0, ["One. Two", "two.", "Three!", "Four four", "Five five", "five. Six"]),
        (Splitter.WORD, 9, 4, ["One. Two", "Two two.", "Three!", "Four four", "Five five", "five. Six"]),
    ],
)
def test_a_text_is_cut_where_sense_ends(splitter: Splitter, longest: int, overlap: int, pieces: list[str]) -> None:
    by = DocumentSplitter(splitter=splitter, max_segment_size_in_chars=longest, max_overlap_size_in_chars=overlap)
    assert split(TEXT, by) == pieces


@given(st.text(max_size=400), st.sampled_from(list(Splitter)), st.integers(1, 60), st.integers(0, 60))
def test_nothing_is_lost_and_no_piece_is_too_long(text: str, splitter: Splitter, longest: int, overlap: int) -> None:
    by = DocumentSplitter(splitter=splitter, max_segment_size_in_chars=longest, max_overlap_size_in_chars=overlap)
    pieces = split(text, by)
    assert all(0 < len(piece) <= longest for piece in pieces)
    if overlap == 0:
        assert "".join("".join(pieces).split()) == "".join(text.split())


def test_html_is_read_as_a_browser_shows_it() -> None:
    page = "<html><head><title>T</title></head><body><p>A&nbsp;&lt;b&gt;</p><ul><li>x<li>y</ul><script>1</script>"
    assert plain_text(page) == "A <b>\n\nx\ny"
    assert plain_text("a <b> c") == "a <b> c"
    assert plain_text("<p>a</p>", "text/html; charset=utf-8") == "a"
