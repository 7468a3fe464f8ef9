"""Ion text, as Jackson writes and reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.java.numbers import decimal_text, double_text
from nbflow.expressions.text import java_text, json_key
from nbflow.expressions.values import Entry

_SYMBOL = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_KEYWORDS = ("null", "true", "false", "nan")
_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\0": "\\0",
    "\x07": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\x0b": "\\v",
}


def ion_text(value: object) -> str:
    """A value as Ion text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(str.__str__(value), '"')
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, Entry):
        return f"{{{_name(java_text(value.key))}:{ion_text(value.value)}}}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_name(json_key(key))}:{ion_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Iterable):
        return "[" + ",".join(ion_text(item) for item in value) + "]"
    return _quoted(java_text(value), '"')


def _name(text: str) -> str:
    if _SYMBOL.fullmatch(text) and text not in _KEYWORDS and not re.fullmatch(r"\$[0-9]+", text):
        return text
    return _quoted(text, "'").replace('\\"', '"') if "'" not in text else "'" + text.replace("'", "\\'") + "'"


def _quoted(text: str, mark: str) -> str:
    pieces = [_ESCAPES.get(character) or _plain(character) for character in text]
    return f"{mark}{''.join(pieces)}{mark}"


def _plain(character: str) -> str:
    return f"\\x{ord(character):02x}" if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 else character


def _double(value: float) -> str:
    if value != value:
        return "nan"
    if value in (float("inf"), -float("inf")):
        return "+inf" if value > 0 else "-inf"
    if value == 0:
        return "-0e0" if str(value).startswith("-") else "0e0"
    text = double_text(value)
    if "E" in text:
        return text
    return f"{text.removesuffix('.0')}e0"


def _decimal(value: Decimal) -> str:
    text = decimal_text(value)
    return text.replace("E", "d") if "E" in text else text if "." in text else f"{text}."


def read_ion(text: str) -> object:
    """The first value of an Ion text. Raises: TemplateError."""
    try:
        from amazon.ion import simpleion
    except ImportError as missing:
        raise TemplateError("reading Ion needs a package", hint="pip install 'jupyter-nbflow[ion]'") from missing
    from amazon.ion.exceptions import IonException

    try:
        values = simpleion.loads(text, single_value=False, parse_eagerly=False)
        first = next(iter(values), _NOTHING)
    except (IonException, ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as wrong:
        raise TemplateError(f"this is not Ion: {wrong}") from wrong
    if first is _NOTHING:
        raise TemplateError("this Ion text is empty")
    return plain_value(first)


_NOTHING = object()


def plain_value(value: Any) -> object:  # the `amazon.ion` package has no types
    """A value of the `amazon.ion` package as one of Python's own."""
    name = type(value).__name__
    if value is None or name == "IonPyNull":
        return None
    if name == "IonPyBool":
        return bool(value)
    if name == "IonPySymbol":
        return str(value.text)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Decimal):
        return Decimal(str(value))
    if isinstance(value, datetime):
        return _timestamp(value)
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, Iterable):
        return [plain_value(item) for item in value]
    return str(value)


def _timestamp(value: Any) -> datetime | date:  # a timestamp of the `amazon.ion` package
    precision = getattr(value, "precision", None)
    if precision is not None and getattr(precision, "includes_minute", False) is False:
        return date(value.year, value.month, value.day)
    fields = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    return datetime(*fields, tzinfo=value.tzinfo or UTC)
