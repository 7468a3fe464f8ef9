"""The values of a JSON text, one after another, without holding the whole text: an array gives its items."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator

from nbflow.errors import TaskFailedError
from nbflow.tasks.compress.streams import Readable

_PORTION = 1 << 16
_SPACE = re.compile(r"[\s,]*")


def values(file: Readable, charset: str = "utf-8") -> Iterator[object]:
    """The values of a text: the items of each array at its top, and each other value there is.

    A value is held as a whole, so an array inside another is one value. Raises: TaskFailedError for what is no JSON.
    """
    text = _Text(file, charset)
    decode = json.JSONDecoder().raw_decode
    is_inside = False
    while True:
        text.skip_space()
        first = text.first()
        if not first:
            if is_inside:
                raise TaskFailedError("the JSON ends too early: an array is not closed")
            return
        if first == "[" and not is_inside:
            text.drop(1)
            is_inside = True
            continue
        if first == "]" and is_inside:
            text.drop(1)
            is_inside = False
            continue
        while True:
            try:
                value, end = decode(text.kept, text.at)
                if not _may_go_on(value, text.kept[end : end + 1]) or not text.more():
                    break
            except ValueError as cause:
                if not text.more():
                    raise TaskFailedError(f"the file is no JSON: {text.excerpt()!r}") from cause
        text.at = end
        yield value


def _may_go_on(value: object, following: str) -> bool:
    """Whether a value may be the beginning of a number of which the rest is still to be read."""
    return isinstance(value, int | float) and not isinstance(value, bool) and (not following or following in ".eE+-")


class _Text:
    """A text that is read as it is needed."""

    def __init__(self, file: Readable, charset: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(charset)()
        self._wanted = _PORTION
        self._is_over = False
        self.kept = ""
        self.at = 0

    def more(self) -> bool:
        """Read on, twice as much each time a value is not whole yet; False at the end."""
        if self._is_over:
            return False
        content = self._file.read(self._wanted)
        self._is_over = not content
        self._wanted *= 2
        try:
            text = self._decoder.decode(content, final=not content)
        except UnicodeError as cause:
            raise TaskFailedError(f"the file is not in that charset: {cause}", hint="say which in `charset`") from cause
        self.kept, self.at = self.kept[self.at :] + text, 0
        return bool(content) or bool(text)

    def first(self) -> str:
        self._wanted = _PORTION
        while self.at >= len(self.kept):
            if not self.more():
                return ""
        return self.kept[self.at]

    def skip_space(self) -> None:
        while self.first():
            match = _SPACE.match(self.kept, self.at)
            assert match is not None
            self.at = match.end()
            if self.at < len(self.kept):
                return

    def drop(self, count: int) -> None:
        self.at += count

    def excerpt(self) -> str:
        return self.kept[self.at : self.at + 100]
