"""How values turn into text: as Java's `toString`, as Jackson's JSON, and as a print does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from nbflow.expressions.java.numbers import decimal_text, double_text, float_text, plain_decimal_text
from nbflow.expressions.values import Entry, Float32, LoopState, is_map

_Write = Callable[[str], object]
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')


def java_text(value: object) -> str:
    """A value as Java's `toString` writes it: `[a, 1]`, `{k=v}`, `null`."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]  # just checked
    if value is None:
        return "null"
    scalar = _scalar_text(value)
    if scalar is not None:
        return scalar
    if isinstance(value, Entry):
        return f"{java_text(value.key)}={java_text(value.value)}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{java_text(key)}={java_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Iterable):
        return "[" + ", ".join([java_text(item) for item in value]) + "]"
    return str(value)


def printed(value: object) -> str:
    """A value as a print at the top of a template shows it: collections are JSON, null is nothing."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]  # just checked
    if value is None:
        return ""
    if kind is int:
        return str(value)
    if isinstance(value, Decimal):
        return plain_decimal_text(value)
    scalar = _scalar_text(value)
    if scalar is not None:
        return scalar
    if is_map(value) or (isinstance(value, Iterable) and not isinstance(value, Entry | LoopState)):
        return json_text(value)
    return java_text(value)


def printed_inside(value: object) -> str:
    """A value as a print inside a macro, a `filter` tag or `block()` shows it: collections are Java text."""
    if value is None:
        return ""
    return plain_decimal_text(value) if isinstance(value, Decimal) else java_text(value)


def json_text(value: object) -> str:
    """A value as compact JSON: null entries of maps are left out, null items of lists stay."""
    pieces: list[str] = []
    _write_json(value, pieces.append)
    return "".join(pieces)


def _write_json(value: object, write: _Write) -> None:
    kind = type(value)
    if kind is str:
        write(quoted(value))  # type: ignore[arg-type]  # just checked
    elif value is None:
        write("null")
    elif isinstance(value, str):
        write(quoted(str(value)))
    elif isinstance(value, float) and not -float("inf") < value < float("inf"):
        write(f'"{double_text(value)}"')
    elif isinstance(value, bool | int | float | Decimal):
        write(_scalar_text(value) or "")
    elif isinstance(value, datetime | date | time | timedelta):
        write(quoted(_scalar_text(value) or ""))
    elif isinstance(value, Entry):
        write("{" + quoted(json_key(value.key)) + ":")
        _write_json(value.value, write)
        write("}")
    elif isinstance(value, Mapping):
        separator = "{"
        for key, item in value.items():
            if item is not None:
                write(f"{separator}{quoted(json_key(key))}:")
                _write_json(item, write)
                separator = ","
        write("}" if separator == "," else "{}")
    elif isinstance(value, bytes | bytearray):
        import base64

        write(quoted(base64.b64encode(value).decode()))
    elif isinstance(value, Iterable):
        separator = "["
        for item in value:
            write(separator)
            _write_json(item, write)
            separator = ","
        write("]" if separator == "," else "[]")
    else:
        write(quoted(str(value)))


def json_key(key: object) -> str:
    """The text of a map's key in JSON."""
    if key is None:
        raise ValueError("JSON has no null keys")
    return java_text(key)


def quoted(text: str) -> str:
    """A text as a JSON string; only what must be escaped is."""
    return f'"{_TO_ESCAPE.sub(_escape, text)}"' if _TO_ESCAPE.search(text) else f'"{text}"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _ESCAPES.get(character) or f"\\u{ord(character):04X}"


def _scalar_text(value: object) -> str | None:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Float32):
        return float_text(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return _instant_text(value)
    if isinstance(value, timedelta):
        return _duration_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return None


def _instant_text(value: datetime) -> str:
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _duration_text(value: timedelta) -> str:
    """ISO 8601, as `java.time.Duration` prints: `PT1H30M`, `PT-0.5S`, `PT0S`."""
    micros = value // timedelta(microseconds=1)
    sign = -1 if micros < 0 else 1
    seconds, fraction = divmod(abs(micros), 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    text = "PT"
    if hours:
        text += f"{sign * hours}H"
    if minutes:
        text += f"{sign * minutes}M"
    if seconds or fraction or text == "PT":
        tail = f".{fraction:06d}".rstrip("0") if fraction else ""
        text += f"{'-' if sign < 0 else ''}{seconds}{tail}S"
    return text
