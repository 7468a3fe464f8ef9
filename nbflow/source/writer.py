"""Plain values → readable YAML that loads to the same values again.

Properties come in the order people write them: `id`, `namespace`, `description`, … at the top, `id`, `type`, …
inside; text of several lines stands in `|` blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from nbflow.model.scalars import read_plain
from nbflow.types import JsonValue

_TOP = (
    "id", "namespace", "revision", "version", "description", "labels", "disabled", "draft", "inputs", "variables",
    "concurrency", "retry", "sla", "checks", "tasks", "errors", "finally", "afterExecution", "listeners", "triggers",
    "outputs", "pluginDefaults",
)  # fmt: skip
_INSIDE = ("id", "type", "displayName", "description", "key", "value", "label")
_WIDTH = 120
_BREAKS = "\r\x85\u2028\u2029"
"""Line breaks to YAML that only an escape keeps as they are."""
_STR = "tag:yaml.org,2002:str"
_YAML_1_1: Any = yaml.resolver.Resolver()  # Any: PyYAML leaves it untyped


class _Writer(yaml.SafeDumper):
    """PyYAML's dumper with Kestra's rules for plain text, and lists indented below their property."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # Any: the signature of PyYAML
        return True

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # Any: the signature of PyYAML
        if kind is yaml.ScalarNode and implicit[0] and isinstance(value, str):
            found = read_plain(value)
            names: dict[type, str] = {bool: "bool", int: "int", float: "float", type(None): "null"}
            kind_name = next((name for cls, name in names.items() if isinstance(found, cls)), "str")
            # `<<` would merge; times would be read as text by Kestra but as times by other programs
            return f"tag:yaml.org,2002:{'merge' if value == '<<' else kind_name}"
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and _fits_block(text) else None
    if style is None and (_reads_as_other(text) or any(character in text for character in _BREAKS)):
        style = '"'  # 2024-01-01 or y: text to Kestra, something else to other programs
    return dumper.represent_scalar(_STR, text, style=style)


def _fits_block(text: str) -> bool:
    """Whether a `|` block can hold a text and stay readable."""
    lines = text.split("\n")
    first = next((line for line in lines if line), "")
    return (
        not first.startswith((" ", "\t"))
        and not any(line.endswith((" ", "\t")) for line in lines)
        and all(character in "\n\t" or character.isprintable() for character in text)
    )


def _reads_as_other(text: str) -> bool:
    resolver: Any = yaml.resolver.Resolver()  # Any: PyYAML leaves it untyped
    return (
        text in ("y", "Y", "n", "N")
        or resolver.resolve(yaml.ScalarNode, text, (True, False)) != "tag:yaml.org,2002:str"
    )


def _number(dumper: yaml.SafeDumper, number: int | float) -> yaml.ScalarNode:
    written = getattr(number, "source_text", None)
    if isinstance(number, int):
        return dumper.represent_scalar("tag:yaml.org,2002:int", written or repr(int(number)))
    text = written or repr(float(number))
    if "e" in text and "." not in text and written is None:
        text = text.replace("e", ".0e", 1)  # 1e-07 is a number to Kestra, and text to programs that follow YAML 1.1
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _null(dumper: yaml.SafeDumper, _nothing: None) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "null")


_Writer.add_representer(str, _text)
_Writer.add_multi_representer(int, _number)
_Writer.add_multi_representer(float, _number)
_Writer.add_representer(bool, yaml.SafeDumper.yaml_representers[bool])
_Writer.add_representer(int, _number)
_Writer.add_representer(float, _number)
_Writer.add_representer(type(None), _null)


def dump_flow(document: Mapping[str, JsonValue]) -> str:
    """A flow's values as YAML text."""
    return dump_yaml(_ordered(document, _TOP))


def dump_yaml(value: JsonValue) -> str:
    """Any value as YAML text, its properties in their own order."""
    return yaml.dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False)


def _ordered(value: Mapping[str, JsonValue], first: tuple[str, ...]) -> dict[str, JsonValue]:
    names = [name for name in first if name in value] + [name for name in value if name not in first]
    return {name: _inner(value[name], name) for name in names}


def _inner(value: JsonValue, name: str = "") -> JsonValue:
    if isinstance(value, dict):
        # The names inside variables, labels and inputs are the author's own: their order is too.
        return _ordered(value, () if name in ("variables", "labels", "inputs", "values", "env") else _INSIDE)
    if isinstance(value, list):
        return [_inner(item) for item in value]
    return value
