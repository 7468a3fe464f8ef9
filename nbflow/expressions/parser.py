"""Parses a template: its text, its prints and its tags."""

from __future__ import annotations

from nbflow.expressions.grammar import Grammar
from nbflow.expressions.lexer import Kind, Lexer, Token
from nbflow.expressions.limits import Limits
from nbflow.expressions.tree import (
    Block,
    Captured,
    FilterCall,
    For,
    If,
    Macro,
    Node,
    Print,
    Set,
    Template,
    Text,
)

_REMOVED = ("include", "import", "from", "extends", "embed", "autoescape", "cache", "flush", "parallel")
_TAGS = ("if", "for", "set", "macro", "block", "filter", "verbatim", "raw")


def parse(text: str, limits: Limits | None = None) -> Template:
    """The tree of a template. Raises: TemplateSyntaxError."""
    limits = limits or Limits()
    parser = _Parser(text, Lexer(text).tokens(), limits.nesting)
    return Template(0, parser.body())


class _Parser(Grammar):
    def __init__(self, text: str, tokens: list[Token], nesting: int) -> None:
        super().__init__(text, tokens, nesting)
        self._open: list[Token] = []
        self._macros: set[str] = set()

    def body(self, *ends: str) -> list[Node]:
        """What stands before one of the tags `ends`; stops at the name of that tag."""
        nodes: list[Node] = []
        while True:
            token = self.next()
            match token.kind:
                case Kind.TEXT:
                    nodes.append(Text(token.position, token.text))
                case Kind.PRINT_START:
                    nodes.append(Print(token.position, self.expression()))
                    self.expect(Kind.PRINT_END)
                case Kind.EXECUTE_START:
                    if self.current.kind is not Kind.NAME:
                        raise self.unexpected("the name of a tag")
                    if self.current.text in ends:
                        return nodes
                    nodes.append(self._tag(self.next()))
                case _:
                    if ends:
                        opened = self._open[-1]
                        raise self.fail(f"this `{opened.text}` is never closed", opened, f"close it with `{ends[-1]}`")
                    return nodes

    def _tag(self, tag: Token) -> Node:
        if len(self._open) >= self._nesting:
            raise self.fail("tags are nested too deeply", tag)
        self._open.append(tag)
        match tag.text:
            case "if":
                node: Node = self._if(tag)
            case "for":
                node = self._for(tag)
            case "set":
                node = self._set(tag)
            case "macro":
                node = self._macro(tag)
            case "block":
                node = self._block(tag)
            case "filter":
                node = self._filter(tag)
            case _:
                raise self._unknown_tag(tag)
        self._open.pop()
        return node

    def _unknown_tag(self, tag: Token) -> Exception:
        if tag.text == "elif":
            return self.fail("there is no tag `elif`", tag, "write `elseif`")
        if tag.text in _REMOVED:
            return self.fail(f"the tag `{tag.text}` is not supported", tag)
        if tag.text.startswith("end") or tag.text in ("else", "elseif"):
            return self.fail(f"`{tag.text}` closes nothing here", tag)
        return self.fail(f"there is no tag `{tag.text}`", tag, f"there are {', '.join(_TAGS)}")

    def _end(self) -> None:
        self.expect(Kind.EXECUTE_END)

    def _if(self, tag: Token) -> Node:
        condition = self.expression()
        self._end()
        branches = [(condition, self.body("elseif", "else", "endif"))]
        otherwise: list[Node] = []
        while (word := self.next().text) != "endif":
            if word == "else":
                self._end()
                otherwise = self.body("endif")
            else:
                condition = self.expression()
                self._end()
                branches.append((condition, self.body("elseif", "else", "endif")))
        self._end()
        return If(tag.position, branches, otherwise)

    def _for(self, tag: Token) -> Node:
        variable = self.new_name()
        self.expect(Kind.NAME, "in")
        iterable = self.expression()
        self._end()
        body = self.body("else", "endfor")
        otherwise: list[Node] = []
        if self.next().text == "else":
            self._end()
            otherwise = self.body("endfor")
            self.next()
        self._end()
        return For(tag.position, variable, iterable, body, otherwise)

    def _set(self, tag: Token) -> Node:
        name = self.new_name()
        self.expect(Kind.PUNCTUATION, "=")
        value = self.expression()
        self._end()
        return Set(tag.position, name, value)

    def _macro(self, tag: Token) -> Node:
        name = self.expect(Kind.NAME)
        if name.text in self._macros:
            raise self.fail(f"there are two macros `{name.text}`", name)
        self._macros.add(name.text)
        parameters = self.parameters()
        self._end()
        body = self.body("endmacro")
        self.next()
        self._end()
        return Macro(tag.position, name.text, parameters, body)

    def _block(self, tag: Token) -> Node:
        if self.current.kind not in (Kind.NAME, Kind.STRING):
            raise self.unexpected("the name of the block")
        name = self.next().text
        self._end()
        body = self.body("endblock")
        self.next()
        if self.current.kind in (Kind.NAME, Kind.STRING) and self.current.text == name:
            self.next()
        self._end()
        return Block(tag.position, name, body)

    def _filter(self, tag: Token) -> Node:
        captured = Captured(tag.position, [])
        value: FilterCall = self.filter_call(captured)
        while self.current.kind is Kind.OPERATOR and self.current.text == "|":
            self.next()
            value = self.filter_call(value)
        self._end()
        captured.body = self.body("endfilter")
        self.next()
        self._end()
        return Print(tag.position, value)
