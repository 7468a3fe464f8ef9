"""The documents of a text with the place that each has in it, for faces that take many flows in one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from nbflow.errors import Problem
from nbflow.source.loader import split_documents


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a text; `skipped` is the number of lines before it."""

    text: str
    skipped: int = 0

    def in_whole(self, problem: Problem) -> Problem:
        """A problem of this document, with the line it has in the whole text."""
        return replace(problem, line=problem.line + self.skipped)


def parts_of(text: str) -> Iterator[Part]:
    """The documents of a text; of an empty text one part, so that somebody finds it empty."""
    position = 0
    documents = split_documents(text)
    for document in documents:
        position = text.index(document, position)
        yield Part(document, text.count("\n", 0, position))
        position += len(document)
    if not documents:
        yield Part(text)
