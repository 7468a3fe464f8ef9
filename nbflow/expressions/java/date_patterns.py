"""Patterns of Java's `DateTimeFormatter`, cut into elements: fields, literals and optional sections."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from nbflow.errors import TemplateError

_MAX_PATTERN = 1000
_FIELDS = "GuyDMLQqYwWdEecFaBhKkHmsSAnNgVvzOXxZ"
_LIMITS = {
    "d": 2,
    "D": 3,
    "F": 1,
    "h": 2,
    "H": 2,
    "k": 2,
    "K": 2,
    "m": 2,
    "s": 2,
    "w": 2,
    "W": 1,
    "a": 1,
    "G": 5,
    "M": 5,
    "L": 5,
    "Q": 5,
    "q": 5,
    "E": 5,
    "e": 5,
    "c": 5,
    "S": 9,
    "A": 19,
    "n": 19,
    "N": 19,
    "u": 19,
    "y": 19,
    "Y": 19,
    "g": 19,
    "X": 5,
    "x": 5,
    "Z": 5,
    "z": 4,
    "B": 5,
}


@dataclass(frozen=True, slots=True)
class Element:
    """A field with the count of its letter, a literal text, or an optional section (`letter` is `[`)."""

    letter: str
    count: int = 0
    text: str = ""
    inner: tuple[Element, ...] = ()
    pad: int = 0

    @property
    def is_number(self) -> bool:
        """Whether the field is written in digits, so that fields side by side must share them when parsed."""
        return self.letter in "uyYDdFhHkKmsSwWAnNg" or (self.letter in "MLQqec" and self.count <= 2)


@functools.lru_cache(maxsize=256)
def elements(pattern: str) -> tuple[Element, ...]:
    """The elements of a pattern. Raises: TemplateError."""
    if len(pattern) > _MAX_PATTERN:
        raise TemplateError(f"a date pattern may have {_MAX_PATTERN} characters, not more")
    stack: list[list[Element]] = [[]]
    at, pad = 0, 0
    while at < len(pattern):
        character = pattern[at]
        if character.isascii() and character.isalpha():
            end = at
            while end < len(pattern) and pattern[end] == character:
                end += 1
            count, at = end - at, end
            if character == "p":
                if at >= len(pattern) or not pattern[at].isalpha():
                    raise _wrong(pattern, "`p` must stand before a field")
                pad = count
                continue
            stack[-1].append(_field(pattern, character, count, pad))
            pad = 0
        elif character == "'":
            text, at = _quoted(pattern, at)
            stack[-1].append(Element("'", text=text))
        elif character == "[":
            stack.append([])
            at += 1
        elif character == "]":
            if len(stack) == 1:
                raise _wrong(pattern, "`]` closes nothing")
            section = tuple(stack.pop())
            stack[-1].append(Element("[", inner=section))
            at += 1
        elif character in "{}#":
            raise _wrong(pattern, f"`{character}` is reserved")
        else:
            stack[-1].append(Element("'", text=character))
            at += 1
    while len(stack) > 1:
        section = tuple(stack.pop())
        stack[-1].append(Element("[", inner=section))
    return tuple(stack[0])


def _wrong(pattern: str, why: str) -> TemplateError:
    return TemplateError(f"`{pattern[:80]}` is no date pattern: {why}", hint="quote plain letters: `'T'`")


def _quoted(pattern: str, at: int) -> tuple[str, int]:
    start = at
    at += 1
    text: list[str] = []
    while at < len(pattern):
        if pattern[at] == "'":
            if pattern[at + 1 : at + 2] != "'":
                return ("".join(text) or "'"), at + 1
            at += 1
        text.append(pattern[at])
        at += 1
    raise _wrong(pattern, f"the quote at {start + 1} is never closed")


def _field(pattern: str, letter: str, count: int, pad: int) -> Element:
    if letter not in _FIELDS:
        raise _wrong(pattern, f"there is no letter `{letter}`")
    is_wrong = (
        count > _LIMITS.get(letter, 5)
        or (letter == "V" and count != 2)
        or (letter in "vO" and count not in (1, 4))
        or (letter == "c" and count == 2)
        or (letter == "B" and count not in (1, 4, 5))
    )
    if is_wrong:
        raise _wrong(pattern, f"`{letter * count}` has too many letters")
    return Element(letter, count, pad=pad)
