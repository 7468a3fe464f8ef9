"""YAML as Jackson writes it, with as few quotes as may be, and as it reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nbflow.errors import TemplateError
from nbflow.expressions.text import java_text, json_key
from nbflow.expressions.values import Entry, LoopState

_RESERVED = frozenset(
    [
        "false",
        "False",
        "FALSE",
        "n",
        "N",
        "no",
        "No",
        "NO",
        "null",
        "Null",
        "NULL",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "true",
        "True",
        "TRUE",
        "y",
        "Y",
        "yes",
        "Yes",
        "YES",
    ]
)
_BREAKS = "\n\x85\u2028\u2029"
_ESCAPES = {
    "\0": "0",
    "\x07": "a",
    "\b": "b",
    "\t": "t",
    "\n": "n",
    "\x0b": "v",
    "\f": "f",
    "\r": "r",
    "\x1b": "e",
    '"': '"',
    "\\": "\\",
    "\x85": "N",
    "\xa0": "_",
    "\u2028": "L",
    "\u2029": "P",
}
_OCTAL = re.compile(r"0[0-9_]+")


def yaml_text(value: object) -> str:
    """A value as a YAML document, a new line at its end."""
    if isinstance(value, str) and not value:
        return '--- ""\n'
    lines: list[str] = []
    _write(value, 0, lines.append, "")
    text = "".join(lines)
    return text if text.endswith("\n") else text + "\n"


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping | Entry)


def _pairs(value: object) -> list[tuple[object, object]]:
    if isinstance(value, Entry):
        return [(value.key, value.value)]
    assert isinstance(value, Mapping)
    return list(value.items())


def _write(value: object, indent: int, write: Any, lead: str) -> None:
    """Write a value after `lead`, what stands before it on its line; `indent` is that of its own lines."""
    if _is_map(value):
        _write_map(_pairs(value), indent, write, lead)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        _write_list(list(value), indent, write, lead)
    else:
        text = _scalar(value, indent)
        write(f"{lead}{' ' if lead else ''}{text}" + ("" if text.endswith("\n") else "\n"))


def _write_map(pairs: list[tuple[object, object]], indent: int, write: Any, lead: str) -> None:
    if not pairs:
        write(f"{lead}{' ' if lead else ''}{{}}\n")
        return
    if lead:
        write(f"{lead}\n")
    for key, item in pairs:
        name = _name(json_key(key), indent)
        is_list = not _is_map(item) and isinstance(item, Iterable) and not isinstance(item, str | bytes)
        _write(item, indent if is_list else indent + 2, write, " " * indent + name)


def _write_list(items: list[object], indent: int, write: Any, lead: str) -> None:
    if not items:
        write(f"{lead}{' ' if lead else ''}[]\n")
        return
    if lead:
        write(f"{lead}\n")
    for item in items:
        _write(item, indent + 2, write, " " * (indent + 1) + "-")


def _scalar(value: object, indent: int) -> str:
    if not isinstance(value, str):
        return java_text(value) if not isinstance(value, LoopState) else _quoted(java_text(value))
    text = str.__str__(value)
    is_plain_allowed, is_block_allowed, is_special = _analysis(text)
    if "\n" in text:
        return _literal(text, indent or 2) if is_block_allowed else _quoted(text)
    if _OCTAL.fullmatch(text):
        return f"'{text}'"
    if _needs_quotes(text):
        return _quoted(text)
    if is_plain_allowed:
        return text
    return _quoted(text) if is_special else _single(text)


def _name(text: str, indent: int) -> str:
    if not text or "\n" in text:
        return f"? {_quoted(text)}\n{' ' * indent}:"
    is_plain_allowed, _, is_special = _analysis(text)
    if text in _RESERVED or text[0] in "~-+." or text[0].isdigit():
        return f"{_quoted(text)}:"
    if is_plain_allowed:
        return f"{text}:"
    return f"{_quoted(text) if is_special else _single(text)}:"


def _needs_quotes(text: str) -> bool:
    if not text or text in _RESERVED or text[0] == "~":
        return True
    for index, character in enumerate(text):
        if character in "[]{},":
            return True
        if character == "#" and (index == 0 or text[index - 1] in " \t"):
            return True
        if character == ":" and (index + 1 == len(text) or text[index + 1] in " \t"):
            return True
    return False


def _analysis(text: str) -> tuple[bool, bool, bool]:
    """Whether a text may stand plain, may be a literal block, and must be escaped."""
    if not text:
        return False, False, False
    is_special = any(not _is_printable(character) for character in text)
    has_break = any(character in _BREAKS for character in text)
    has_space_break = re.search(r" [\n\x85\u2028\u2029]", text) is not None
    is_block = not is_special and not has_space_break and not text.endswith(" ")
    is_wrong_start = text[0] in "#,[]{}&*!|>'\"%@`" or text.startswith(("---", "..."))
    if text[0] in "?:-" and (len(text) == 1 or text[1] in " \t"):
        is_wrong_start = True
    is_wrong_inside = ": " in text or " #" in text or text.endswith(":")
    has_outer_space = text[0] in " \n" or text[-1] in " \n"
    is_plain = not (is_special or has_break or is_wrong_start or is_wrong_inside or has_outer_space)
    return is_plain, is_block, is_special


def _is_printable(character: str) -> bool:
    code = ord(character)
    return (
        character == "\n"
        or 0x20 <= code <= 0x7E
        or code == 0x85
        or 0xA0 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or 0x10000 <= code <= 0x10FFFF
    )


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(text: str) -> str:
    return '"' + "".join([_escaped(character) for character in text]) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return "\\" + _ESCAPES[character]
    if _is_printable(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _literal(text: str, indent: int) -> str:
    hints = "2" if text[0] in " \n" else ""
    if not text.endswith("\n"):
        hints += "-"
    elif len(text) == 1 or text[-2] == "\n":
        hints += "+"
    lines = "\n".join(" " * indent + line if line else "" for line in text.split("\n"))
    return f"|{hints}\n{lines}" + ("" if text.endswith("\n") else "\n")


_INTEGER = re.compile(r"[+-]?[0-9][0-9_]*")
_FLOAT = re.compile(
    r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[+-]?[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?|[+-]?[0-9]+[eE][+-]?[0-9]+"
)
_TRUE = frozenset(["true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"])
_FALSE = frozenset(["false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"])


def read_yaml(text: str) -> object:
    """The first document of a text. Raises: TemplateError."""
    import yaml

    try:
        node = _first(yaml, text)
        if node is None:
            raise TemplateError("this YAML is empty")
        return _value(yaml, node, {}, 0)
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise TemplateError(f"this is not YAML: {wrong}") from wrong


def _first(yaml: Any, text: str) -> Any:  # PyYAML's nodes have no types of use here
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return loader.get_node() if loader.check_node() else None
    finally:
        loader.dispose()


def _value(yaml: Any, node: Any, seen: dict[int, str], depth: int) -> object:
    if depth > 100:
        raise TemplateError("this YAML is nested too deeply")
    if isinstance(node, yaml.ScalarNode):
        return _scalar_value(str(node.value), str(node.tag), node.style)
    if isinstance(node, yaml.SequenceNode):
        return [_value(yaml, item, seen, depth + 1) for item in node.value]
    pairs: dict[str, object] = {}
    for key, item in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise TemplateError("a key of a YAML map must be a plain value")
        pairs[str(key.value)] = _value(yaml, item, seen, depth + 1)
    return pairs


def _scalar_value(text: str, tag: str, style: str | None) -> object:
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if style:
        return int(text) if kind == "int" else text
    if kind.startswith("!"):  # a tag of its own says nothing that JSON could hold
        return text
    return _plain_value(text)


def _plain_value(text: str) -> object:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        digits = text.replace("_", "").lstrip("+")
        return int(digits) if not re.fullmatch(r"-?0[0-9]+", digits) else int(digits, 10)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        raise TemplateError(f"`{text}` is no number that JSON could hold")
    return text
