"""Java's regular expressions: translated for the `regex` package, which can be stopped when it takes too long."""

from __future__ import annotations

import functools
import re
from typing import Any

from nbflow.errors import TemplateError, UnsafeTemplateError

SECONDS = 1.0
"""What one search may take; the longest a regular expression of a flow was seen to need is a thousandth of it."""
_MAX_PATTERN = 10_000
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": r"\x20-~",
    "Blank": r"\x20\t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r"\x20\t\n\x0b\f\r",
}
_END_OF_INPUT = r"(?=(?:\r\n|[\n\r\x85\u2028\u2029])?\Z)"
_SHORTHANDS = {
    "d": "0-9",
    "w": "a-zA-Z0-9_",
    "s": r"\x20\t\n\x0b\f\r",
    "h": r"\x20\t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": r"\n\x0b\f\r\x85\u2028\u2029",
}


def replace_all(text: str, pattern: str, replacement: str) -> str:
    """Every match replaced, `$1` and `${name}` in the replacement standing for groups."""
    return _replace(text, pattern, replacement, 0)


def replace_first(text: str, pattern: str, replacement: str) -> str:
    return _replace(text, pattern, replacement, 1)


def full_match(text: str, pattern: str) -> bool:
    """Whether a pattern matches the whole text."""
    compiled = _compiled(pattern)
    return _guarded(pattern, lambda: compiled.fullmatch(text, timeout=SECONDS)) is not None


def check(pattern: str) -> None:
    """Raises: TemplateError when a pattern is none; its cause says where it is wrong."""
    _compiled(pattern)


def split(text: str, pattern: str, limit: int) -> list[str]:
    """`String.split`: without a limit trailing empty parts are dropped, as is an empty match at the very start."""
    compiled = _compiled(pattern)
    parts: list[str] = []
    start = 0
    found = _guarded(pattern, lambda: list(compiled.finditer(text, timeout=SECONDS)))
    for match in found:
        if 0 < limit <= len(parts) + 1:
            break
        if match.end() == 0 or (match.start() == match.end() == len(text)):
            continue
        parts.append(text[start : match.start()])
        start = match.end()
    if not parts:
        return [text]
    parts.append(text[start:])
    if limit == 0:
        while parts and not parts[-1]:
            parts.pop()
    return parts


def _replace(text: str, pattern: str, replacement: str, count: int) -> str:
    compiled = _compiled(pattern)
    pieces = _replacement(replacement, compiled)

    def expand(match: Any) -> str:  # a match of the `regex` package, which has no types
        return "".join([piece if isinstance(piece, str) else match.group(piece[0]) or "" for piece in pieces])

    result: str = _guarded(pattern, lambda: compiled.sub(expand, text, count=count, timeout=SECONDS))
    return result


def _guarded(pattern: str, run: Any) -> Any:  # results of the `regex` package have no types
    try:
        return run()
    except TimeoutError as late:
        raise UnsafeTemplateError(
            f"the regular expression `{pattern[:80]}` took too long", hint="avoid repeats within repeats"
        ) from late


def _replacement(text: str, compiled: Any) -> list[str | tuple[int | str]]:
    pieces: list[str | tuple[int | str]] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            if at + 1 >= len(text):
                raise TemplateError("the replacement ends in a lone `\\`")
            pieces.append(text[at + 1])
            at += 2
        elif character == "$":
            group, at = _group(text, at + 1, compiled)
            pieces.append((group,))
        else:
            pieces.append(character)
            at += 1
    return pieces


def _group(text: str, at: int, compiled: Any) -> tuple[int | str, int]:
    if name := re.compile(r"\{([a-zA-Z][a-zA-Z0-9]*)\}").match(text, at):
        if name.group(1) not in compiled.groupindex:
            raise TemplateError(f"the pattern has no group `{name.group(1)}`")
        return name.group(1), name.end()
    if at >= len(text) or not text[at].isascii() or not text[at].isdigit():
        raise TemplateError("`$` in a replacement stands for a group", hint="write `\\$` for a dollar sign")
    number, at = int(text[at]), at + 1
    if number > compiled.groups:
        raise TemplateError(f"the pattern has no group {number}")
    while (
        at < len(text) and text[at].isascii() and text[at].isdigit() and number * 10 + int(text[at]) <= compiled.groups
    ):
        number, at = number * 10 + int(text[at]), at + 1
    return number, at


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:  # the `regex` package has no types
    import regex

    if len(pattern) > _MAX_PATTERN:
        raise UnsafeTemplateError(f"a regular expression may have {_MAX_PATTERN} characters, not more")
    try:
        return regex.compile(_translated(pattern), regex.V1)
    except (regex.error, ValueError, OverflowError, RecursionError) as wrong:
        raise TemplateError(f"`{pattern[:80]}` is not a regular expression: {wrong}") from wrong


def _translated(pattern: str) -> str:
    """The pattern in the dialect of `regex` with VERSION1, whose sets nest as Java's do."""
    out: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            piece, at = _escape(pattern, at, depth > 0)
            out.append(piece)
            continue
        if character == "[":
            depth += 1
            out.append(character)
            at += 1
            if at < len(pattern) and pattern[at] == "^":
                out.append("^")
                at += 1
            if at < len(pattern) and pattern[at] == "]" and depth == 1:
                out.append("\\]")
                at += 1
            continue
        if character == "]" and depth:
            depth -= 1
        elif depth and character in "-|~" and pattern.startswith(character * 2, at):
            out.append("\\" + character)
            at += 1
            continue
        elif not depth and character == "$":
            out.append("$" if "(?m" in pattern else _END_OF_INPUT)
            at += 1
            continue
        out.append(character)
        at += 1
    return "".join(out)


def _escape(pattern: str, at: int, in_set: bool) -> tuple[str, int]:
    if at + 1 >= len(pattern):
        raise ValueError("it ends in a lone `\\`")
    letter = pattern[at + 1]
    after = at + 2
    if letter == "Q":
        end = pattern.find("\\E", after)
        quoted = pattern[after:] if end < 0 else pattern[after:end]
        return re.escape(quoted), len(pattern) if end < 0 else end + 2
    if letter == "E":
        return "", after
    if letter.lower() in _SHORTHANDS and letter in "dwshvDWSHV":
        inner = _SHORTHANDS[letter.lower()]
        if letter.islower():
            return (inner if in_set else f"[{inner}]"), after
        return f"[^{inner}]", after
    if letter in "pP":
        return _property(pattern, after, letter == "P", in_set)
    if letter == "Z":
        return _END_OF_INPUT, after
    if letter == "z":
        return r"\Z", after
    if letter == "R":
        return r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])", after
    if letter == "k" and after < len(pattern) and pattern[after] == "<":
        end = pattern.find(">", after)
        return f"(?P={pattern[after + 1 : end]})", end + 1
    if letter == "e":
        return r"\x1b", after
    if letter == "0":
        octal = re.compile(r"[0-3]?[0-7]{1,2}").match(pattern, after)
        if octal is None:
            raise ValueError("`\\0` needs octal digits")
        return re.escape(chr(int(octal.group(), 8))), octal.end()
    if letter == "x" and pattern.startswith("{", after):
        end = pattern.find("}", after)
        return re.escape(chr(int(pattern[after + 1 : end], 16))), end + 1
    if letter in "bBAGXtnrfaxuc" or letter.isdigit():
        if letter == "c":
            return re.escape(chr(ord(pattern[after]) ^ 64)), after + 1
        return f"\\{letter}", after
    if letter.isascii() and letter.isalpha():
        raise ValueError(f"there is no escape `\\{letter}`")
    return re.escape(letter), after


def _property(pattern: str, at: int, is_negated: bool, in_set: bool) -> tuple[str, int]:
    if pattern.startswith("{", at):
        end = pattern.find("}", at)
        if end < 0:
            raise ValueError("`\\p{` is never closed")
        name, after = pattern[at + 1 : end], end + 1
    else:
        name, after = pattern[at : at + 1], at + 1
    if name in _POSIX:
        inner = _POSIX[name]
        if is_negated:
            return f"[^{inner}]", after
        return (inner if in_set else f"[{inner}]"), after
    name = {"javaLowerCase": "Lowercase", "javaUpperCase": "Uppercase", "javaWhitespace": "White_Space"}.get(name, name)
    if name.startswith("Is") and len(name) > 2:
        name = {"IsLetter": "L", "IsDigit": "Nd", "IsPunctuation": "P"}.get(name, name[2:])
    return f"\\{'P' if is_negated else 'p'}{{{name}}}", after
