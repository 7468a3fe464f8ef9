"""Rewrites SQL where a database cannot read what a flow writes: stored files, named parameters, relative targets."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_TOKEN = re.compile(
    r"""
    (?P<string>'(?:[^']|'')*')
  | (?P<other>"(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag))
  | (?<![:\w]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_TARGET = re.compile(r"\bTO\s+$", re.IGNORECASE)
_SCHEME = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://|^/|^[A-Za-z]:[\\/]")
_STORED = ("kestra://", "nbflow://")


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


def with_named_parameters(sql: str, names: Collection[str]) -> str:
    """SQL with `$name` where it has `:name`, for the names given."""
    return _TOKEN.sub(lambda match: f"${match['name']}" if match["name"] in names else match[0], sql)


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
