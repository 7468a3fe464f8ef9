"""Reads and rewrites SQL without parsing it: statements, named parameters, stored files, relative targets."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

_TOKEN = re.compile(
    r"""
    (?P<escaped>\b[eE]'(?:[^'\\]|\\.|'')*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<other>"(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/ | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag))
  | (?<![:\w]):(?P<name>[A-Za-z_]\w*)
  | (?P<mark>\?)
  | (?P<end>;)
  | (?P<word>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_BACKSLASHED = re.compile(r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | \#[^\n]*""", re.VERBOSE | re.DOTALL)
_TARGET = re.compile(r"\bTO\s+$", re.IGNORECASE)
_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://|^/|^[A-Za-z]:[\\/]")
_COMMENTS = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_STORED = ("kestra://", "nbflow://")


def _tokens(sql: str, backslashes: bool = False) -> Iterator[re.Match[str]]:
    """What matters in a text of SQL, from left to right; `backslashes`: they escape in strings, as MySQL has it."""
    place = 0
    while (match := _TOKEN.search(sql, place)) is not None:
        if backslashes:
            other = _BACKSLASHED.search(sql, place)
            if other is not None and other.start() <= match.start():
                place = other.end()
                continue
        yield match
        place = match.end()


def statements(sql: str, *, backslashes: bool = False) -> list[str]:
    """The statements of a text, parted at semicolons outside of strings, names and comments; empty ones left out."""
    ends = [match.start() for match in _tokens(sql, backslashes) if match["end"]]
    parts = [sql[start:end] for start, end in zip([0, *(end + 1 for end in ends)], [*ends, len(sql)], strict=True)]
    return [part.strip() for part in parts if _COMMENTS.sub("", part, count=1)]


def words(statement: str) -> list[str]:
    """The words of a statement in capitals, without those in strings, quoted names and comments."""
    return [match["word"].upper() for match in _tokens(statement) if match["word"]]


def with_placeholders(
    sql: str,
    names: Collection[str],
    named: Callable[[str], str],
    marked: Callable[[], str] | None = None,
    *,
    doubles: str = "",
    backslashes: bool = False,
) -> str:
    """SQL with the placeholders of a driver: `named` gives that of a name among `names`, `marked` that of a `?`.

    Asked from left to right. What is in `doubles`, as `%`, is written twice wherever it stands otherwise: drivers
    read it as a placeholder, in strings too.
    """
    pieces: list[str] = []
    place = 0
    for match in _tokens(sql, backslashes):
        if match["name"] in names:
            placeholder = named(match["name"])
        elif marked is not None and match["mark"]:
            placeholder = marked()
        else:
            continue
        pieces += [_doubled(sql[place : match.start()], doubles), placeholder]
        place = match.end()
    return "".join([*pieces, _doubled(sql[place:], doubles)])


def _doubled(text: str, doubles: str) -> str:
    return text.replace(doubles, doubles * 2) if doubles else text


def with_named_parameters(sql: str, names: Collection[str]) -> str:
    """SQL with `$name` where it has `:name`, for the names given."""
    return with_placeholders(sql, names, "${}".format)


def with_local_files(sql: str, local: Callable[[str], str]) -> str:
    """SQL whose strings name local files where they named stored ones; `local` gives the path of a URI.

    Strings are taken whole, so that a URI in a comment or an identifier, or a quote in a file's name, harms nothing.
    """

    def rewrite(match: re.Match[str]) -> str:
        text = match["string"]
        if text is None or not text[1:].startswith(_STORED):
            return match[0]
        return quoted(local(text[1:-1].replace("''", "'")))

    return _TOKEN.sub(rewrite, sql)


def with_local_target(sql: str, local: Callable[[str], str]) -> str:
    """A COPY or EXPORT whose target is a relative path, with the path that `local` gives."""

    def rewrite(match: re.Match[str]) -> str:
        text = match["string"]
        if text is None or not _TARGET.search(sql, 0, match.start()) or _SCHEME.match(text[1:-1]):
            return match[0]
        return quoted(local(text[1:-1].replace("''", "'")))

    return _TOKEN.sub(rewrite, sql)


def quoted(text: str) -> str:
    """A text as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str, mark: str = '"') -> str:
    """A name as an identifier of SQL, taken as it is written."""
    return mark + name.replace(mark, mark * 2) + mark
