"""Takes secrets out of whatever is written: verbatim, and in the spellings that programs give a text."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

from nbflow.types import JsonValue

MASK = "********"

_SHORTEST = 3
_SHORTEST_LINE = 6
"""Lines of a secret that has several, such as a private key, are secrets too when they are at least so long."""
_SHORTEST_ENCODED = 6
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Scrubber:
    """Hides texts in JSON values. Without any it gives back what it is given."""

    def __init__(self, secrets: Iterable[str]) -> None:
        needles: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                needles |= _spellings(secret)
                lines = [line.strip() for line in secret.splitlines()]
                if len(lines) > 1:
                    needles.update(line for line in lines if len(line) >= _SHORTEST_LINE)
        ordered = sorted(needles, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __bool__(self) -> bool:
        return self._pattern is not None

    def hides(self, value: JsonValue) -> bool:
        """Whether there is a secret in a value."""
        return bool(self) and self.value(value) != value

    def text(self, text: str) -> str:
        """A text without the secrets, and without colours where they cut one in pieces."""
        if self._pattern is None:
            return text
        text = self._pattern.sub(MASK, text)
        if "\x1b" in text and self._pattern.search(plain := ANSI.sub("", text)):
            return self._pattern.sub(MASK, plain)
        return text

    def pieces(self, texts: Sequence[str]) -> list[str]:
        """Texts that were written one after another: a secret may begin in one and end in a later one."""
        if self._pattern is None or len(texts) < 2:
            return [self.text(text) for text in texts]
        found = list(self._pattern.finditer("".join(texts)))
        cleaned, start = [], 0
        for text in texts:
            end, kept, at = start + len(text), [], start
            for match in found:
                first, last = max(match.start(), start), min(match.end(), end)
                if first < last:
                    kept += ["".join(text[at - start : first - start]), MASK]
                    at = last
            cleaned.append(self.text("".join([*kept, text[at - start :]])))
            start = end
        return cleaned

    def cell(self, cell: dict[str, Any]) -> dict[str, Any]:  # Any: JSON of a notebook
        """A cell without the secrets, those included that were written in pieces to both of its streams."""
        if self._pattern is None:
            return cell
        streams = [output for output in cell.get("outputs", ()) if output.get("output_type") == "stream"]
        texts = iter(self.pieces([str(output["text"]) for output in streams]))
        cleaned = [
            {**output, "text": next(texts)} if output.get("output_type") == "stream" else output
            for output in cell.get("outputs", ())
        ]
        found = self.value({**cell, "outputs": cleaned} if cleaned else cell)
        assert isinstance(found, dict)
        return found

    def value(self, value: JsonValue) -> JsonValue:
        """A JSON value without the secrets, in names as in values."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            if value and all(isinstance(item, str) for item in value):  # lines, or a traceback, may be one text
                return list(self.pieces([str(item) for item in value]))
            return [self.value(item) for item in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self._pattern.fullmatch(str(value)):
            return MASK
        return value


def _spellings(secret: str) -> set[str]:
    """How a text may be written: as it is, with escapes, in addresses, in HTML, in base 64 and in hexadecimal."""
    found = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        repr(secret.encode())[2:-1],
        secret.encode("unicode_escape").decode("ascii"),
        html.escape(secret),
        html.escape(secret, quote=False),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
    }
    found |= {json.dumps(each)[1:-1] for each in list(found)}  # a text of JSON within JSON
    if len(secret) >= _SHORTEST_ENCODED:
        found |= {secret.encode().hex(), secret.encode().hex().upper(), secret[::-1]}
        found |= set(_in_base64(secret.encode()))
    return {spelling for spelling in found if len(spelling) >= _SHORTEST}


def _in_base64(secret: bytes) -> Iterable[str]:
    """What a text looks like inside base 64, anywhere in a longer text: the digits that depend on it alone."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode()
        first = -(-before * 8 // 6)
        last = (before + len(secret)) * 8 // 6
        inner = encoded[first:last]
        if len(inner) >= _SHORTEST_ENCODED:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")
