"""Parses expressions by precedence: what stands in a print, a condition, an argument."""

from __future__ import annotations

from nbflow.expressions.lexer import Kind, Token, syntax_error
from nbflow.expressions.tree import (
    Arguments,
    Attribute,
    Binary,
    Call,
    Conditional,
    FilterCall,
    Interpolation,
    ListLiteral,
    Literal,
    MapLiteral,
    Name,
    Node,
    TestCall,
    Unary,
)

_UNARY = 500
_BINARY = {
    "or": 10,
    "and": 15,
    "is": 20,
    "is not": 20,
    "contains": 20,
    "==": 30,
    "equals": 30,
    "!=": 30,
    ">": 30,
    "<": 30,
    ">=": 30,
    "<=": 30,
    "+": 40,
    "-": 40,
    "*": 60,
    "/": 60,
    "%": 60,
    "|": 100,
    "~": 110,
    "..": 120,
    "??": 120,
    "???": 120,
}
_CONSTANTS: dict[str, object] = {
    "true": True,
    "TRUE": True,
    "false": False,
    "FALSE": False,
    "null": None,
    "NULL": None,
    "none": None,
    "NONE": None,
}
_RESERVED = ("true", "false", "null", "none")
_MAX_LONG = (1 << 63) - 1
_HINTS = {"in": "write `contains`", "if": "write `condition ? a : b`", "matches": "it does not exist here"}


class Grammar:
    """Reads expressions off a list of tokens."""

    def __init__(self, text: str, tokens: list[Token], nesting: int) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.current = tokens[0]
        self._depth = 0
        self._nesting = nesting

    def next(self) -> Token:
        """Step to the next token and return the one left behind."""
        token = self.current
        if token.kind is not Kind.END:
            self.at += 1
            self.current = self.tokens[self.at]
        return token

    def peek(self) -> Token:
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    def fail(self, message: str, token: Token | None = None, hint: str = "") -> Exception:
        return syntax_error(self.text, (token or self.current).position, message, hint)

    def unexpected(self, expected: str) -> Exception:
        token = self.current
        found = str(token) if token.text else token.kind.value
        return self.fail(f"expected {expected}, found {found}", token, _HINTS.get(token.text, ""))

    def is_punctuation(self, character: str) -> bool:
        token = self.current
        return token.kind is Kind.PUNCTUATION and token.text == character

    def expect(self, kind: Kind, text: str | None = None) -> Token:
        token = self.current
        if token.kind is not kind or (text is not None and token.text != text):
            raise self.unexpected(f"`{text}`" if text is not None else _describe(kind))
        return self.next()

    def expression(self, minimum: int = 0) -> Node:
        """An expression whose operators bind at least as tightly as `minimum`."""
        self._depth += 1
        if self._depth > self._nesting:
            raise self.fail("this expression is nested too deeply", hint="split it with `{% set %}`")
        token = self.current
        if token.kind is Kind.OPERATOR and token.text in ("not", "+", "-"):
            self.next()
            left: Node = Unary(token.position, token.text, self.expression(_UNARY))
        elif token.kind is Kind.PUNCTUATION and token.text in ("(", "[", "{"):
            left = self._bracketed(token)
        else:
            left = self._postfix(self._primary())
        left = self._operators(left, minimum)
        if minimum == 0 and self.is_punctuation("?"):
            position = self.next().position
            then = self.expression()
            self.expect(Kind.PUNCTUATION, ":")
            left = Conditional(position, left, then, self.expression())
        self._depth -= 1
        return left

    def _operators(self, left: Node, minimum: int) -> Node:
        while self.current.kind is Kind.OPERATOR:
            operator = self.current.text
            precedence = _BINARY.get(operator)
            if precedence is None or precedence < minimum:
                break
            position = self.next().position
            if operator == "|":
                left = self.filter_call(left)
            elif operator in ("is", "is not"):
                name = self.expect(Kind.NAME)
                left = TestCall(name.position, left, name.text, self._optional_arguments(), operator == "is not")
            else:
                left = Binary(position, operator, left, self.expression(precedence + 1))
        return left

    def filter_call(self, value: Node) -> FilterCall:
        name = self.expect(Kind.NAME)
        return FilterCall(name.position, value, name.text, self._optional_arguments())

    def _optional_arguments(self) -> Arguments:
        return self._arguments() if self.is_punctuation("(") else Arguments(self.current.position, [], [])

    def _bracketed(self, token: Token) -> Node:
        if token.text == "[":
            return self._list()
        if token.text == "{":
            return self._map()
        self.next()
        inner = self.expression()
        self.expect(Kind.PUNCTUATION, ")")
        return self._postfix(inner)

    def _primary(self) -> Node:
        token = self.current
        match token.kind:
            case Kind.NAME:
                self.next()
                if token.text in _CONSTANTS:
                    return Literal(token.position, _CONSTANTS[token.text])
                if self.is_punctuation("("):
                    arguments = self._arguments()
                    if token.text == "block" and not arguments.positional:
                        raise syntax_error(self.text, token.position, "`block` takes the name of a block")
                    return Call(token.position, token.text, arguments)
                return Name(token.position, token.text)
            case Kind.NUMBER:
                self.next()
                return Literal(token.position, self._number(token))
            case Kind.STRING | Kind.INTERPOLATION_START:
                return self._string()
        raise self.unexpected("a value")

    def _number(self, token: Token) -> int | float:
        if "." in token.text:
            return float(token.text)
        if len(token.text) > 40 or (value := int(token.text)) > _MAX_LONG:
            raise self.fail(f"the number {token.text[:40]} is too large", token, "9223372036854775807 is the largest")
        return value

    def _string(self) -> Node:
        """One string; strings may touch interpolations, but not other strings."""
        start = self.current.position
        parts: list[Node] = []
        was_string = False
        while True:
            if self.current.kind is Kind.STRING and not was_string:
                token = self.next()
                parts.append(Literal(token.position, token.text))
                was_string = True
            elif self.current.kind is Kind.INTERPOLATION_START:
                self.next()
                parts.append(self.expression())
                self.expect(Kind.INTERPOLATION_END)
                was_string = False
            else:
                break
        return parts[0] if len(parts) == 1 else Interpolation(start, parts)

    def _postfix(self, node: Node) -> Node:
        while self.current.kind is Kind.PUNCTUATION:
            match self.current.text:
                case ".":
                    self.next()
                    name = self.expect(Kind.NAME)
                    arguments = None
                    if self.is_punctuation("("):
                        given = self._arguments()
                        if given.named:
                            raise self.fail("a method takes no named arguments", name)
                        arguments = given.positional
                    node = Attribute(name.position, node, Literal(name.position, name.text), arguments)
                case "[":
                    position = self.next().position
                    node = Attribute(position, node, self.expression(), None)
                    self.expect(Kind.PUNCTUATION, "]")
                case "(":
                    raise self.fail("only a function, a macro or a method can be called")
                case _:
                    break
        return node

    def _arguments(self) -> Arguments:
        start = self.expect(Kind.PUNCTUATION, "(")
        arguments = Arguments(start.position, [], [])
        while not self.is_punctuation(")"):
            if arguments.positional or arguments.named:
                self.expect(Kind.PUNCTUATION, ",")
            ahead = self.peek()
            if ahead.kind is Kind.PUNCTUATION and ahead.text == "=":
                name = self.new_name()
                self.next()
                arguments.named.append((name, self.expression()))
                continue
            value = self.expression()
            if arguments.named:
                raise self.fail("positional arguments come before named ones")
            arguments.positional.append(value)
        self.next()
        return arguments

    def parameters(self) -> list[tuple[str, Node | None]]:
        """The parameters of a macro with their defaults."""
        self.expect(Kind.PUNCTUATION, "(")
        parameters: list[tuple[str, Node | None]] = []
        while not self.is_punctuation(")"):
            if parameters:
                self.expect(Kind.PUNCTUATION, ",")
            name = self.new_name()
            default = None
            if self.is_punctuation("="):
                self.next()
                default = self.expression()
            parameters.append((name, default))
        self.next()
        return parameters

    def new_name(self) -> str:
        """A name that a tag or an argument assigns to."""
        token = self.expect(Kind.NAME)
        if token.text in _RESERVED:
            raise self.fail(f"`{token.text}` cannot be assigned to", token)
        return token.text

    def _list(self) -> Node:
        start = self.next().position
        items: list[Node] = []
        if self.is_punctuation("]"):
            self.next()
            return ListLiteral(start, items)
        while True:
            items.append(self.expression())
            if self.is_punctuation("]"):
                self.next()
                return ListLiteral(start, items)
            self.expect(Kind.PUNCTUATION, ",")

    def _map(self) -> Node:
        start = self.next().position
        pairs: list[tuple[Node, Node]] = []
        if self.is_punctuation("}"):
            self.next()
            return MapLiteral(start, pairs)
        while True:
            key = self.expression()
            self.expect(Kind.PUNCTUATION, ":")
            pairs.append((key, self.expression()))
            if self.is_punctuation("}"):
                self.next()
                return MapLiteral(start, pairs)
            self.expect(Kind.PUNCTUATION, ",")


def _describe(kind: Kind) -> str:
    return f"a {kind.value}" if kind in (Kind.NAME, Kind.STRING, Kind.NUMBER) else f"`{kind.value}`"
