"""Cuts a template into tokens: text, and what stands between `{{ }}` and `{% %}`.

Reading rules that matter: an operator is tried before a name, open brackets keep `}}` from closing a print,
`-` inside a delimiter trims white space of the text beside it, and strings know no escapes but their own quote.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from nbflow.errors import Location, TemplateSyntaxError

WHITE_SPACE = "".join(
    chr(code)
    for code in range(0x3001)
    if chr(code) in "\t\n\x0b\f\r\x1c\x1d\x1e\x1f"
    or (unicodedata.category(chr(code)) in ("Zs", "Zl", "Zp") and code not in (0xA0, 0x2007, 0x202F))
)
"""What `Character.isWhitespace` of Java calls white space: no-break spaces are none."""

RAW = re.compile(r"(\{%-*\s*raw\s*-*%\}(.*?)\{%-*\s*endraw\s*-*%\})", re.DOTALL | re.ASCII)

_OPENING = re.compile(r"\{\{|\{%|\{#")
_LEADING_TRIM = re.compile(r"-\s+", re.ASCII)
_VERBATIM = re.compile(r"\s*verbatim\s*-?%\}", re.ASCII)
_END_VERBATIM = re.compile(r"\{%(-)?\s*endverbatim\s*(-)?%\}", re.ASCII)
_PRINT_CLOSE = re.compile(r"\s*-?\}\}", re.ASCII)
_EXECUTE_CLOSE = re.compile(r"\s*-?%\}", re.ASCII)
_TRAILING_TRIM = re.compile(r"\s*-(?:\}\}|%\}|#\})", re.ASCII)
_INTERPOLATION_CLOSE = re.compile(r"\s*\}", re.ASCII)
_PLAIN_PART = re.compile(r'[^#"\\]*(?:(?:\\.|#(?!\{))[^#"\\]*)*', re.DOTALL)
_SPACES = re.compile(f"[{WHITE_SPACE}]*")
_TOKEN = re.compile(
    r"""(?P<operator>contains(?![a-zA-Z0-9_])|is\ not(?![a-zA-Z0-9_])|equals(?![a-zA-Z0-9_])|\?\?\?
    |and(?![a-zA-Z0-9_])|not(?![a-zA-Z0-9_])|or(?![a-zA-Z0-9_])|is(?![a-zA-Z0-9_])|==|!=|>=|<=|\?\?|\.\.|[-+><*/%|~])
    |(?P<name>[^\W\d]\w*)
    |(?P<long>[0-9]+)L
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<punctuation>[()\[\]{}?:.,=])
    |"(?P<double>[^#"\\]*(?:\\.[^#"\\]*)*)"
    |'(?P<single>[^'\\]*(?:\\.[^'\\]*)*)'
    |(?P<quote>")""",
    re.VERBOSE | re.DOTALL,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Kind(Enum):
    """What a token is."""

    TEXT = "text"
    PRINT_START = "{{"
    PRINT_END = "}}"
    EXECUTE_START = "{%"
    EXECUTE_END = "%}"
    OPERATOR = "operator"
    NAME = "name"
    NUMBER = "number"
    PUNCTUATION = "punctuation"
    STRING = "string"
    INTERPOLATION_START = "#{"
    INTERPOLATION_END = "}"
    END = "end of the text"


@dataclass(slots=True)
class Token:
    """A piece of a template and where it begins, counted in characters from 0."""

    kind: Kind
    text: str
    position: int

    def __str__(self) -> str:
        return f"`{self.text}`" if self.text else self.kind.value


def location(text: str, position: int) -> Location:
    """The line and column, from 1, of a character of a text."""
    before = text[:position]
    return Location(line=before.count("\n") + 1, column=position - (before.rfind("\n") + 1) + 1)


def syntax_error(text: str, position: int, message: str, hint: str = "") -> TemplateSyntaxError:
    """An error that points at a character of a template."""
    error = TemplateSyntaxError(message, hint=hint, where=location(text, position))
    error.text = text
    return error


class Lexer:
    """Reads one template; `tokens` does all the work."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tokens: list[Token] = []
        self._brackets: list[tuple[str, int]] = []
        self._is_trimming = False
        self._raws = [match.span() for match in RAW.finditer(text)] if "endraw" in text else []

    def tokens(self) -> list[Token]:
        """All tokens, the last of kind END. Raises: TemplateSyntaxError."""
        end = len(self._text)
        while self._at < end:
            self._data()
        self._push(Kind.END, "", end)
        return self._tokens

    def _push(self, kind: Kind, text: str, position: int) -> None:
        self._tokens.append(Token(kind, text, position))

    def _fail(self, message: str, position: int | None = None, hint: str = "") -> TemplateSyntaxError:
        return syntax_error(self._text, self._at if position is None else position, message, hint)

    def _data(self) -> None:
        start = self._at
        opening = self._next_opening(start)
        text = self._text[start:] if opening is None else self._text[start : opening.start()]
        if self._is_trimming:
            text = text.lstrip(WHITE_SPACE)
            self._is_trimming = False
        if opening is None:
            self._at = len(self._text)
            if text:
                self._push(Kind.TEXT, text, start)
            return
        self._at = opening.end()
        if trim := _LEADING_TRIM.match(self._text, self._at):
            self._at = trim.end()
            text = text.rstrip(WHITE_SPACE)
        if text:
            self._push(Kind.TEXT, text, start)
        match opening.group():
            case "{#":
                self._comment(opening.start())
            case "{{":
                self._inside(Kind.PRINT_START, Kind.PRINT_END, _PRINT_CLOSE, opening.start())
            case _:
                if verbatim := _VERBATIM.match(self._text, self._at):
                    self._verbatim(verbatim.end(), opening.start())
                else:
                    self._inside(Kind.EXECUTE_START, Kind.EXECUTE_END, _EXECUTE_CLOSE, opening.start())

    def _next_opening(self, start: int) -> re.Match[str] | None:
        opening = _OPENING.search(self._text, start)
        for raw_start, raw_end in self._raws:
            if opening is None or opening.start() < raw_start:
                break
            if raw_start <= opening.start() < raw_end and raw_start >= start:
                opening = _OPENING.search(self._text, raw_end)
        return opening

    def _comment(self, start: int) -> None:
        end = self._text.find("#}", self._at)
        if end < 0:
            raise self._fail("this comment is never closed", start, "close it with `#}`")
        # Only a dash that white space precedes trims here: `{# a -#}`.
        if end - 2 >= self._at and self._text[end - 1] == "-" and self._text[end - 2] in " \t\n\x0b\f\r":
            self._is_trimming = True
        self._at = end + 2

    def _verbatim(self, content: int, start: int) -> None:
        end = _END_VERBATIM.search(self._text, content)
        if end is None:
            raise self._fail("this `verbatim` is never closed", start, "close it with `{% endverbatim %}`")
        text = self._text[content : end.start()].lstrip(WHITE_SPACE)
        if end.group(1):
            text = text.rstrip(WHITE_SPACE)
        if end.group(2):
            self._is_trimming = True
        self._at = end.end()
        if text:
            self._push(Kind.TEXT, text, content)

    def _inside(self, opens: Kind, closes: Kind, closing: re.Pattern[str], start: int) -> None:
        """Read the tokens of a print or a tag up to its closing delimiter."""
        self._push(opens, "", start)
        text, end = self._text, len(self._text)
        while self._at < end:
            if _TRAILING_TRIM.match(text, self._at):
                self._is_trimming = True
            if not self._brackets and (close := closing.match(text, self._at)):
                self._push(closes, "", self._at)
                self._at = close.end()
                return
            self._expression()
        if self._brackets:
            bracket, position = self._brackets[-1]
            raise self._fail(f"this `{bracket}` is never closed", position)
        raise self._fail(f"this `{opens.value}` is never closed", start, f"close it with `{closes.value}`")

    def _expression(self) -> None:
        spaces = _SPACES.match(self._text, self._at)
        assert spaces is not None
        self._at = at = spaces.end()
        match = _TOKEN.match(self._text, at)
        if match is None:
            if at >= len(self._text):
                return
            raise self._unexpected(at)
        self._at = match.end()
        match match.lastgroup:
            case "operator":
                self._push(Kind.OPERATOR, match.group(), at)
            case "name":
                self._name(match.group(), at)
            case "long" | "number":
                self._push(Kind.NUMBER, match.group(match.lastgroup), at)
            case "punctuation":
                self._punctuation(match.group(), at)
            case "double":
                self._push(Kind.STRING, match.group("double").replace('\\"', '"'), at)
            case "single":
                self._push(Kind.STRING, match.group("single").replace("\\'", "'"), at)
            case _:
                self._interpolated(at)

    def _name(self, name: str, at: int) -> None:
        if not name.isascii():
            for index, character in enumerate(name):
                is_letter = unicodedata.category(character)[0] == "L" or character == "_"
                if not is_letter and not (index and unicodedata.category(character) == "Nd"):
                    if not index:
                        raise self._unexpected(at)
                    name = name[:index]
                    self._at = at + index
                    break
        self._push(Kind.NAME, name, at)

    def _unexpected(self, at: int) -> TemplateSyntaxError:
        character = self._text[at]
        hint = {
            "&": "write `and`",
            "!": "write `not`",
            "'": "close the string with `'`",
            "\\": "",
        }.get(character, "")
        return self._fail(f"unexpected character `{character}`", at, hint)

    def _punctuation(self, character: str, at: int) -> None:
        if character in "([{":
            self._brackets.append((character, at))
        elif character in ")]}":
            if not self._brackets:
                raise self._fail(f"unexpected `{character}`", at)
            opened, position = self._brackets.pop()
            if _CLOSING.get(opened) != character:
                raise self._fail(f"this `{opened}` is never closed", position)
        self._push(Kind.PUNCTUATION, character, at)

    def _interpolated(self, start: int) -> None:
        """Read a string in double quotes that holds a `#`, and the expressions in `#{ }` within it."""
        self._brackets.append(('"', start))
        text, end = self._text, len(self._text)
        while self._at < end:
            if text.startswith("#{", self._at):
                self._interpolation()
                continue
            part = _PLAIN_PART.match(text, self._at)
            if part and part.end() > self._at:
                self._push(Kind.STRING, part.group(), self._at)
                self._at = part.end()
            elif text[self._at] == '"':
                self._brackets.pop()
                self._at += 1
                return
            else:
                break
        raise self._fail("this string is never closed", start, 'close it with `"`')

    def _interpolation(self) -> None:
        opened = self._at
        depth = len(self._brackets)
        self._brackets.append(("#{", opened))
        self._push(Kind.INTERPOLATION_START, "#{", opened)
        self._at += 2
        while self._at < len(self._text):
            if len(self._brackets) == depth + 1 and (close := _INTERPOLATION_CLOSE.match(self._text, self._at)):
                self._brackets.pop()
                self._push(Kind.INTERPOLATION_END, "}", self._at)
                self._at = close.end()
                return
            self._expression()
        raise self._fail("this `#{` is never closed", opened, "close it with `}`")
