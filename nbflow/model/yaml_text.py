"""YAML text → plain values and a tree of nodes with positions; every fault is a `Problem` with its line and column.

Limits keep hostile text harmless: size, depth, and the number of nodes once aliases are replaced by what they name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from nbflow.errors import Problem
from nbflow.model.scalars import read_plain, read_tagged
from nbflow.types import JsonValue

MAX_CHARACTERS = 3 * 1024 * 1024  # SnakeYAML's own limit
MAX_DEPTH = 100
MAX_NODES = 200_000

_PLAIN = "plain"
_QUOTED = "quoted"
_UNQUOTED = re.compile(r"\s*(?:- +)*(?:[\w.-]+: +)?(?P<opener>\{\{)")
_LINE_BREAK = re.compile(r"\r\n|[\r\n\x85\u2028\u2029]")
# Below this no text can nest deep enough to exhaust the stack of the C parser, which composes by recursion.
_SAFE_OPENERS = 2000


class _Composer(Protocol):
    def check_node(self) -> bool: ...
    def get_node(self) -> Node: ...
    def check_event(self) -> bool: ...
    def get_event(self) -> yaml.Event: ...
    def dispose(self) -> None: ...


class _ScalarStyles:
    """Tells plain scalars from quoted ones instead of guessing a type; types are read by `nbflow.model.scalars`."""

    def resolve(self, kind: type[Node], _value: object, implicit: Any) -> str:  # Any: a flag or a pair of flags
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return ""

    def descend_resolver(self, _node: Node | None, _index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


def _composer_class() -> type[Any]:  # Any: PyYAML's loaders share no typed base
    try:
        from yaml._yaml import CParser
    except ImportError:
        return pure_composer()

    class FastComposer(_ScalarStyles, CParser):
        pass

    return FastComposer


def pure_composer() -> type[Any]:  # Any: PyYAML's loaders share no typed base
    """The composer for a PyYAML without libyaml: the same events, ten times slower."""
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PureComposer(_ScalarStyles, Reader, Scanner, Parser, Composer):
        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)

    return PureComposer


_COMPOSER = _composer_class()


@dataclass(slots=True)
class YamlText:
    """What a text holds: `roots` has a node for each document, `value` the plain value of the first one."""

    value: JsonValue = None
    roots: list[Node] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    nodes: dict[int, Node] = field(default_factory=dict)
    """`id()` of a dict or list in `value` → its node. No two of them are the same object."""


def load_yaml(text: str) -> JsonValue:
    """The value of a short YAML text, such as an input's. Raises: ValueError saying what is wrong and where."""
    read = read_yaml(text)
    if read.problems:
        first = read.problems[0]
        raise ValueError(f"must be YAML: {first.message} at line {first.line}, column {first.column}")
    return read.value


def read_yaml(text: str) -> YamlText:
    """Read a text; with problems, `value` holds what could be read."""
    result = YamlText()
    if len(text) > MAX_CHARACTERS:
        limit = f"{MAX_CHARACTERS:,} characters"
        result.problems.append(
            Problem(f"the text has {len(text):,} characters; at most {limit} are read", hint="split it into subflows")
        )
        return result
    try:
        too_deep = _too_deep(text)
        if too_deep is not None:
            result.problems.append(too_deep)
            return result
        composer = cast("_Composer", _COMPOSER(text))
        try:
            while composer.check_node():
                result.roots.append(composer.get_node())
        finally:
            composer.dispose()
    except yaml.YAMLError as error:
        result.problems.append(_problem(error, text))
        return result
    except UnicodeEncodeError as error:  # libyaml takes UTF-8, which has no lone surrogates
        result.problems.append(_bad_character(text, error.start))
        return result
    if result.roots:
        builder = _Builder(result, text)
        try:
            result.value = builder.build(result.roots[0], 0)
        except _TooManyError as too_many:
            result.problems.append(too_many.problem)
    return result


def _too_deep(text: str) -> Problem | None:
    openers = text.count("[") + text.count("{")
    longest = max(map(len, text.splitlines()), default=0)
    if openers + 2 * longest < _SAFE_OPENERS:
        return None
    composer = cast("_Composer", _COMPOSER(text))
    depth = 0
    try:
        while composer.check_event():
            event = composer.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    return _deep_problem(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    finally:
        composer.dispose()
    return None


def _deep_problem(place: Node | yaml.Event) -> Problem:
    mark = place.start_mark
    assert mark is not None
    return Problem(
        f"is nested more than {MAX_DEPTH} levels deep",
        line=mark.line + 1,
        column=mark.column + 1,
        hint="move inner tasks to a subflow",
    )


class _TooManyError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Builder:
    """Makes plain values of nodes; an alias becomes a copy of what it names."""

    def __init__(self, result: YamlText, text: str) -> None:
        self._text = text
        self._nodes = result.nodes
        self._problems = result.problems
        self._built = 0

    def build(self, node: Node, depth: int) -> JsonValue:
        self._built += 1
        if self._built > MAX_NODES:
            raise _TooManyError(_at(node, f"the text has more than {MAX_NODES:,} values once aliases are filled in"))
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if depth > MAX_DEPTH:  # an alias inside what it names gets here too
            raise _TooManyError(_deep_problem(node))
        if isinstance(node, SequenceNode):
            items: list[JsonValue] = [self.build(item, depth + 1) for item in node.value]
            self._nodes[id(items)] = node
            return items
        assert isinstance(node, MappingNode)
        if node.flow_style and any(isinstance(key, MappingNode) for key, _ in node.value):
            # How `message: {{ x }}` reads without quotes. Go on with the text that was meant.
            self._problems.append(_unquoted_expression(node.start_mark.line, node.start_mark.column))
            return self._text[node.start_mark.index : node.end_mark.index]
        entries: dict[str, JsonValue] = {}
        self._nodes[id(entries)] = node
        self._fill(entries, node, depth)
        return entries

    def _fill(self, entries: dict[str, JsonValue], node: MappingNode, depth: int) -> None:
        merged: list[Node] = []
        lines: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._problems.append(_at(key, "the name of a property must be text", "put it in quotes"))
                continue
            name: str = key.value
            if name == "<<" and key.tag == _PLAIN:
                merged.append(value)
                continue
            if name in entries:
                line = lines[name]
                self._problems.append(
                    _at(key, f"`{name}` is given twice, first in line {line}", "keep one of the two", len(name))
                )
                continue
            lines[name] = key.start_mark.line + 1
            entries[name] = self.build(value, depth + 1)
        for value in merged:
            self._merge(entries, value, depth)

    def _merge(self, entries: dict[str, JsonValue], value: Node, depth: int) -> None:
        for source in value.value if isinstance(value, SequenceNode) else [value]:
            if not isinstance(source, MappingNode):
                self._problems.append(_at(source, "`<<` must name a mapping, or a list of them"))
                continue
            built = self.build(source, depth + 1)
            assert isinstance(built, dict)
            for name, item in built.items():
                entries.setdefault(name, item)


def _scalar(node: ScalarNode) -> JsonValue:
    tag, text = node.tag, cast("str", node.value)
    if tag == _QUOTED:
        return text
    if tag == _PLAIN:
        return read_plain(text)
    return read_tagged(tag, text)


def _unquoted_expression(line: int, column: int) -> Problem:
    return Problem(
        "text that starts with an expression needs quotes", line + 1, column + 1, hint='write "{{ … }}"', length=2
    )


def _at(node: Node, message: str, hint: str = "", length: int = 0) -> Problem:
    mark = node.start_mark
    return Problem(message, line=mark.line + 1, column=mark.column + 1, hint=hint, length=length)


_KNOWN_FAULTS: tuple[tuple[str, str, str], ...] = (
    (
        "mapping values are not allowed",
        "a colon followed by a space starts a property, and none may stand here",
        "put text that holds `: ` in quotes, or mend the indentation",
    ),
    ("found character that cannot start any token", "text cannot start with {character}", "put it in quotes"),
    (
        "found undefined alias",
        "there is no anchor of this name",
        "name one with `&name` before, or quote text that starts with `*`",
    ),
    ("found unexpected end of stream", "the quote that opens here is never closed", "close it"),
    (
        "found unknown escape character",
        "there is no such escape in double quotes",
        "write `\\\\`, or use single quotes",
    ),
    (
        "did not find expected ',' or ']'",
        "the list that opens with `[` is never closed here",
        "close it with `]`, items apart by `,`",
    ),
    (
        "did not find expected ',' or '}'",
        "the mapping that opens with `{{` is never closed here",
        "close it with `}}`; put expressions in quotes",
    ),
    (
        "did not find expected '-' indicator",
        "a list item was expected here",
        "indent it as the items above, starting with `- `",
    ),
    (
        "did not find expected key",
        "a property was expected here",
        "indent it as the lines above, and put text that starts with an expression in quotes",
    ),
    ("could not find expected ':'", "a property needs a colon", "write `name: value`"),
    (
        "did not find expected node content",
        "a value was expected here",
        "close what is open, or put the text in quotes",
    ),
)


def _problem(error: yaml.YAMLError, text: str) -> Problem:
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unreadable(error, text)
    fault, mark = error.problem or "", error.problem_mark
    if "unexpected end of stream" in fault and error.context_mark is not None:
        mark = error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    rows = _LINE_BREAK.split(text)
    character = rows[line][column : column + 1] if line < len(rows) else ""
    if "cannot start any token" in fault and character == "\t":
        return Problem(
            "a tab stands where the line is indented", line + 1, column + 1, hint="indent with spaces", length=1
        )
    for row in {line, *([error.context_mark.line] if error.context_mark is not None else [])}:
        unquoted = _UNQUOTED.match(rows[row]) if row < len(rows) else None
        if unquoted is not None:
            return _unquoted_expression(row, unquoted.start("opener"))
    for part, message, hint in _KNOWN_FAULTS:
        if part in fault:
            shown = f"`{character}`" if character != "`" else "a backtick"
            return Problem(
                message.format(character=shown),
                line + 1,
                column + 1,
                hint=hint.replace("}}", "}"),
                length=len(character),
            )
    context = f" {error.context}" if error.context else ""
    return Problem(f"is not YAML: {fault}{context}", line + 1, column + 1)


def _unreadable(error: yaml.YAMLError, text: str) -> Problem:
    position = getattr(error, "position", None)
    if position is None:
        return Problem(f"is not YAML: {error}")
    return _bad_character(text, position)


def _bad_character(text: str, position: int) -> Problem:
    before = _LINE_BREAK.split(text[:position])
    shown = f"U+{ord(text[position]):04X}" if position < len(text) else "here"
    return Problem(
        f"the character {shown} is not allowed in YAML",
        line=len(before),
        column=len(before[-1]) + 1,
        hint="remove it, or write it as an escape in double quotes",
        length=1,
    )
