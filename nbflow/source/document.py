"""A flow's text as plain values, and where in the text each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from nbflow.errors import Problem
from nbflow.model.yaml_text import YamlText, read_yaml
from nbflow.types import JsonValue

Path = tuple[str | int, ...]
"""The way from the top of a document to a value: names of properties and indexes of items."""

_SIMPLE_NAME = re.compile(r"[A-Za-z_$][\w$-]*\Z")
_PROPERTIES = re.compile(r"(?:[!&]\S*\s+)*")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
LINE_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of text: `line` and `column` count from 1, `length` in characters."""

    line: int = 1
    column: int = 1
    length: int = 0


def format_path(path: Sequence[str | int]) -> str:
    """A path as people write it: `tasks[2].retry.maxAttempts`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _SIMPLE_NAME.match(step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


@dataclass(slots=True)
class Document:
    """A text, its values, and the faults of the YAML itself."""

    text: str
    value: JsonValue
    problems: list[Problem]
    _yaml: YamlText
    _paths: dict[int, Path] | None = field(default=None)

    @property
    def count(self) -> int:
        """How many documents the text holds, empty ones not counted."""
        return sum(1 for root in self._yaml.roots if not _is_empty(root))

    def second(self) -> Place:
        """Where the second document starts."""
        rest = [root for root in self._yaml.roots if not _is_empty(root)][1:]
        return _start(rest[0]) if rest else Place()

    def position(self, path: Path) -> Place:
        """Where the value at a path stands; of the nearest part around it when there is no such value."""
        key, node, found = self._find(path)
        if node is None:
            return Place()
        if key is not None and (not found or _is_blank(node)):
            return _span(key)
        return _span(node)

    def key_position(self, path: Path) -> Place:
        """Where the name of the property at a path stands; for an item of a list, the item."""
        key, node, found = self._find(path)
        if key is not None and found and path and isinstance(path[-1], str):
            return _span(key)
        return _span(node) if node is not None else Place()

    def position_in(self, path: Path, line: int, column: int) -> Place:
        """Where line and column (from 1) of the text value at a path stand in the document."""
        _, node, found = self._find(path)
        if not found or not isinstance(node, ScalarNode):
            return self.position(path)
        lines = LINE_BREAK.split(node.value)
        if line < 1 or line > len(lines):
            return self.position(path)
        source = _Source(self.text)
        if node.style == "|":
            return source.in_literal(node, line, column)
        wanted = sum(len(part) for part in re.findall(r"[^\n]*\n", node.value)[: line - 1]) + column - 1
        return source.in_scalar(node, wanted)

    def path_of(self, value: object) -> Path | None:
        """The path of a dict or list that belongs to `self.value`; None for any other."""
        if self._paths is None:
            self._paths = {}
            self._note_paths(self.value, ())
        return self._paths.get(id(value))

    def _note_paths(self, value: JsonValue, path: Path) -> None:
        assert self._paths is not None
        if isinstance(value, dict):
            self._paths[id(value)] = path
            for name, item in value.items():
                self._note_paths(item, (*path, name))
        elif isinstance(value, list):
            self._paths[id(value)] = path
            for index, item in enumerate(value):
                self._note_paths(item, (*path, index))

    def _find(self, path: Path) -> tuple[Node | None, Node | None, bool]:
        """The key and value node at a path, or the deepest ones on the way there."""
        node = self._yaml.roots[0] if self._yaml.roots else None
        key: Node | None = None
        for step in path:
            following = _step(node, step)
            if following is None:
                return key, node, False
            key, node = following
        return key, node, True


def read_document(text: str) -> Document:
    """Read a text; faults of the YAML are in `.problems`, and `.value` holds what could be read."""
    read = read_yaml(text)
    return Document(text=text, value=read.value, problems=read.problems, _yaml=read)


def _step(node: Node | None, step: str | int) -> tuple[Node | None, Node] | None:
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return (None, node.value[step]) if 0 <= step < len(node.value) else None
    if isinstance(node, MappingNode) and isinstance(step, str):
        for key, value in _entries(node, 0):
            if key.value == step:
                return key, value
    return None


def _entries(node: MappingNode, depth: int) -> Iterator[tuple[ScalarNode, Node]]:
    """Properties of a mapping, then those it merges."""
    merged: list[Node] = []
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            continue
        if key.value == "<<" and not key.style:
            merged.extend(value.value if isinstance(value, SequenceNode) else [value])
        else:
            yield key, value
    if depth < 20:
        for source in merged:
            if isinstance(source, MappingNode):
                yield from _entries(source, depth + 1)


def _is_empty(root: Node) -> bool:
    return isinstance(root, ScalarNode) and root.value == "" and not root.style


def _is_blank(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.start_mark.index == node.end_mark.index


def _start(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _span(node: Node) -> Place:
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return _span(node.value[0][0])
    start, end = node.start_mark, node.end_mark
    length = end.column - start.column if start.line == end.line else 1
    return Place(start.line + 1, start.column + 1, max(length, 0))


class _Source:
    """Finds characters of a scalar's value in the text it was read from."""

    def __init__(self, text: str) -> None:
        self._text = text.removeprefix("\ufeff")  # libyaml does not count a byte order mark
        self._lines = LINE_BREAK.split(self._text)

    def in_literal(self, node: ScalarNode, line: int, column: int) -> Place:
        """In a `|` block each line of the value is a line of the text, indented."""
        values = LINE_BREAK.split(node.value)
        first = _block_header_line(self._text, node) + 1
        indent = 0
        for offset, value in enumerate(values):
            row = first + offset
            if value.strip() and row < len(self._lines):
                indent = len(self._lines[row]) - len(value)
                break
        return Place(first + line, max(indent, 0) + column)

    def in_scalar(self, node: ScalarNode, wanted: int) -> Place:
        """In other styles line breaks fold and quotes escape: walk along both."""
        text, end = self._text, node.end_mark.index
        start = _PROPERTIES.match(text, node.start_mark.index)
        at = start.end() if start else node.start_mark.index
        if node.style == ">":
            header_end = LINE_BREAK.search(text, at)
            at = header_end.end() if header_end else at
        elif node.style in ("'", '"'):
            at += 1
        for index, character in enumerate(node.value):
            at = self._skip_folding(at, end, character, node.style)
            if index == wanted:
                break
            at = self._past(at, end, character, node.style)
        return self._place(min(at, end))

    def _skip_folding(self, at: int, end: int, character: str, style: str | None) -> int:
        """Pass over a line's indentation, and an escaped line break, before a visible character."""
        text = self._text
        while style == '"' and text.startswith(("\\\n", "\\\r"), at):
            at += 2
            while at < end and text[at] in " \t\n":
                at += 1
        if not character.isspace():
            while at < end and text[at].isspace():
                at += 1
        return at

    def _past(self, at: int, end: int, character: str, style: str | None) -> int:
        text = self._text
        if at >= end:
            return at
        if style == '"' and text[at] == "\\":
            escape = _ESCAPE.match(text, at)
            return escape.end() if escape else at + 1
        if style == "'" and text.startswith("''", at):
            return at + 2
        if character.isspace() and text[at] in "\r\n":  # one break folds to a space, more keep their number less one
            return self._past_break(at, end, character)
        return at + 1

    def _past_break(self, at: int, end: int, character: str) -> int:
        at += 2 if self._text.startswith("\r\n", at) else 1
        while at < end and self._text[at] in " \t":
            at += 1
        return at

    def _place(self, index: int) -> Place:
        before = LINE_BREAK.split(self._text[:index])
        return Place(len(before), len(before[-1]) + 1)


def _block_header_line(text: str, node: ScalarNode) -> int:
    """The line (from 0) of the `|`; an anchor or tag may stand a line before it."""
    properties = _PROPERTIES.match(text, node.start_mark.index)
    skipped = text[node.start_mark.index : properties.end()] if properties else ""
    return int(node.start_mark.line) + len(LINE_BREAK.findall(skipped))
