"""How documents become pieces small enough to be looked up: markup taken out, then cut where sense ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html.parser import HTMLParser

from pydantic import Field, PositiveInt

from nbflow.plugins import Model
from nbflow.types import JsonValue

_LONGEST = 1000
_OVERLAP = 100
_HTML = re.compile(r"\s*(?:<!doctype html|<html\b|<head\b|<body\b)", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_EMPTY_LINES = re.compile(r"\n\s*\n+")
_HIDDEN = {"script", "style", "template", "noscript", "svg", "head"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure"),
    *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre"),
    *("section", "table", "td", "th", "tr", "ul", "title"),
}
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "ul", "ol", "table", "pre", "blockquote"}


class Splitter(StrEnum):
    """Where a document may be cut."""

    RECURSIVE = "RECURSIVE"
    PARAGRAPH = "PARAGRAPH"
    LINE = "LINE"
    SENTENCE = "SENTENCE"
    WORD = "WORD"


class DocumentSplitter(Model):
    """How documents are cut."""

    splitter: Splitter = Field(
        default=Splitter.RECURSIVE,
        description="RECURSIVE cuts between paragraphs, where these are too long between lines, then sentences, then "
        "words. PARAGRAPH, LINE, SENTENCE and WORD begin there.",
    )
    max_segment_size_in_chars: PositiveInt = Field(default=_LONGEST, description="Longest piece, in characters.")
    max_overlap_size_in_chars: int = Field(
        default=_OVERLAP, ge=0, description="Characters of a piece that the next one repeats at most."
    )


@dataclass(frozen=True, slots=True)
class Document:
    """A text and where it is from."""

    text: str
    metadata: dict[str, JsonValue] = field(default_factory=dict)


def plain_text(content: str, kind: str = "") -> str:
    """The text of a document; HTML (by its media type `kind`, or how it begins) without its markup."""
    if "html" in kind or _HTML.match(content):
        reader = _Reader()
        reader.feed(content)
        reader.close()
        lines = (_SPACES.sub(" ", line).strip() for line in "".join(reader.pieces).split("\n"))
        return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()
    return content.strip()


class _Reader(HTMLParser):
    """Collects what a browser shows."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in _PARAGRAPHS else "\n")


# What a text falls into, from the coarsest to the finest; each piece keeps what stood behind it.
_CUTS = {
    Splitter.PARAGRAPH: re.compile(r".+?(?:\n\s*\n\s*|\Z)", re.DOTALL),
    Splitter.LINE: re.compile(r"[^\n]*\n\s*|[^\n]+\Z"),
    Splitter.SENTENCE: re.compile(r".+?(?:[.!?…]+[\"'”’)]*\s+|\n\s*\n\s*|\Z)", re.DOTALL),
    Splitter.WORD: re.compile(r"\S+\s*|\s+"),
}
_ORDER = list(_CUTS)


def split(text: str, by: DocumentSplitter) -> list[str]:
    """The pieces of a text, none longer than allowed (a word that is, is cut), without white space around them."""
    first = 0 if by.splitter is Splitter.RECURSIVE else _ORDER.index(by.splitter)
    longest = by.max_segment_size_in_chars
    overlap = min(by.max_overlap_size_in_chars, longest // 2)
    return list(_join(list(_parts(text, first, longest)), longest, overlap))


def _parts(text: str, level: int, longest: int) -> Iterator[str]:
    """What a text is made of: pieces of one level, those that are too long in pieces of the next."""
    if level == len(_ORDER):
        yield from (text[start : start + longest] for start in range(0, len(text), longest))
        return
    for match in _CUTS[_ORDER[level]].finditer(text):
        part = match[0]
        if len(part.rstrip()) <= longest:
            yield part
        else:
            yield from _parts(part, level + 1, longest)


def _join(parts: Sequence[str], longest: int, overlap: int) -> Iterator[str]:
    """As many parts together as fit; each piece begins with the last parts of the one before, as far as allowed."""
    held: list[str] = []
    fresh = False
    for part in parts:
        if fresh and len("".join([*held, part]).strip()) > longest:
            yield "".join(held).strip()
            held = _end_of(held, overlap)
            if len("".join([*held, part]).strip()) > longest:
                held = []
        held.append(part)
        fresh = fresh or bool(part.strip())
    last = "".join(held).strip()
    if fresh and last:
        yield last


def _end_of(parts: Sequence[str], most: int) -> list[str]:
    kept: list[str] = []
    size = 0
    for part in reversed(parts):
        size += len(part)
        if size > most:
            break
        kept.insert(0, part)
    return kept


def cut(documents: Sequence[Document], by: DocumentSplitter, metadata: Mapping[str, JsonValue]) -> list[Document]:
    """The pieces of documents; each remembers where it is from, and its place there as `index`."""
    return [
        Document(text, {**metadata, **document.metadata, "index": number})
        for document in documents
        for number, text in enumerate(split(document.text, by))
    ]
