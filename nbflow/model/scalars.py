"""What a plain YAML scalar means to Kestra: which texts are numbers, booleans and null.

Kestra reads flows with Jackson on SnakeYAML: the types of YAML 1.1, except that times, dates and base-60 numbers
stay text. Source: jackson-dataformat-yaml `YAMLParser`, SnakeYAML `Resolver`.
"""

from __future__ import annotations

import re

_BOOLEANS = {
    spelling: word in ("true", "yes", "on")
    for word in ("true", "false", "yes", "no", "on", "off")
    for spelling in (word, word.capitalize(), word.upper())
}
_NULLS = {"", "~", "null", "Null", "NULL"}
_NUMBER_STARTS = frozenset("-+.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_OTHER_BASE = re.compile(
    r"(?P<sign>[-+]?)0(?:b(?P<binary>[01_]*[01][01_]*)|x(?P<hex>[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*)|(?P<octal>[0-7_]*[0-7]_*))\Z"
)
_FLOAT = re.compile(
    r"(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?)\Z"
)
_MAX_DIGITS = 1000  # as Jackson's StreamReadConstraints; Python would refuse much longer ones with an error

Scalar = str | int | float | bool | None


class WrittenInt(int):
    """A whole number that remembers how it was written, such as 012 or 0x1F."""

    source_text: str

    def __new__(cls, value: int, source_text: str) -> WrittenInt:
        number = super().__new__(cls, value)
        number.source_text = source_text
        return number

    def __getnewargs__(self) -> tuple[int, str]:  # type: ignore[override]  # int's own takes one argument
        return int(self), self.source_text

    def __str__(self) -> str:
        return self.source_text


class WrittenFloat(float):
    """A number that remembers how it was written, such as 1.10 or 1e3."""

    source_text: str

    def __new__(cls, value: float, source_text: str) -> WrittenFloat:
        number = super().__new__(cls, value)
        number.source_text = source_text
        return number

    def __getnewargs__(self) -> tuple[float, str]:  # type: ignore[override]  # float's own takes one argument
        return float(self), self.source_text

    def __str__(self) -> str:
        return self.source_text


def read_plain(text: str) -> Scalar:
    """The value of a scalar without quotes and without a tag."""
    if not text:
        return None
    first = text[0]
    if first in _NUMBER_STARTS:
        return _number(text)
    if first in "yYnNtTfFoO~":
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text in _NULLS:
            return None
    return text


def read_tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with a tag such as `!!int`; all but those of numbers, booleans and null mean text."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind in ("int", "float"):
        return _number(text) if text else text
    if kind == "bool":
        lowered = text.lower()
        return lowered in ("true", "yes", "on", "y") if lowered in (*_BOOLEANS, "y", "n") else text
    if kind == "null":
        return None if text else text
    if kind == "binary":
        return "".join(text.split())
    return text


def _number(text: str) -> Scalar:
    if len(text) > _MAX_DIGITS:
        return text
    if _DECIMAL.match(text):
        value = int(text.replace("_", ""))
        return value if str(value) == text else WrittenInt(value, text)
    match = _OTHER_BASE.match(text)
    if match is not None:
        base, digits = next(
            (base, match[name]) for name, base in (("binary", 2), ("hex", 16), ("octal", 8)) if match[name] is not None
        )
        value = int(digits.replace("_", ""), base)
        return WrittenInt(-value if match["sign"] == "-" else value, text)
    if _FLOAT.match(text):
        number = float(text.replace("_", ""))
        if number in (float("inf"), float("-inf")):  # no JSON value; as text it can at least be shown
            return text
        return number if str(number) == text else WrittenFloat(number, text)
    return text
