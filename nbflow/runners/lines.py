"""Bytes of a stream become lines: split at line ends alone, whatever pieces they come in, flat in memory."""

from __future__ import annotations

import codecs
import re

LONGEST_LINE = 4 * 1024 * 1024
"""Characters after which a line without an end is handed on in pieces."""

_CARRIAGE_RETURNS = re.compile("\r+\n?")


class LineSplitter:
    """Splits a stream of bytes (UTF-8; what is not becomes U+FFFD) into lines; `\\r` ends a line as well."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []
        self._rest_length = 0
        self._longest = longest

    def feed(self, data: bytes) -> list[str]:
        """The lines that these bytes complete."""
        text = self._decoder.decode(data)
        if self._rest and self._rest[-1].endswith("\r"):  # a line end that two pieces share
            text = self._take_rest() + text
        if "\r" in text:
            held = "\r" if text.endswith("\r") else ""
            text = _CARRIAGE_RETURNS.sub("\n", text.rstrip("\r") if held else text) + held
        lines = text.split("\n")
        rest = lines.pop()
        if lines:
            lines[0] = self._take_rest() + lines[0]
        if rest:
            self._rest.append(rest)
            self._rest_length += len(rest)
        if self._rest_length > self._longest:
            lines.append(self._take_rest())
        return lines

    def end(self) -> list[str]:
        """The last line, when it has no end."""
        rest = self._take_rest() + self._decoder.decode(b"", final=True)
        return [rest.rstrip("\r")] if rest else []

    def _take_rest(self) -> str:
        rest = "".join(self._rest)
        self._rest.clear()
        self._rest_length = 0
        return rest
