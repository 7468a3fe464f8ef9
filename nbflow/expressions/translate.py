"""Turns the tree of a template into Jinja2's: every operator, access and call becomes the call of a function.

Calls are `nodes.Filter`, whose name is that of a function in the namespace of the compiled template. Operands that
are computed only when needed stand in `nodes.Filter` whose names `LAZY` lists: the code generator wraps them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from jinja2 import nodes

from nbflow.expressions.catalog import Catalog, Definition
from nbflow.expressions.hyphens import hyphenated
from nbflow.expressions.shapes import chain, is_secret, path_text, problem_of, root
from nbflow.expressions.tree import (
    Arguments,
    Attribute,
    Binary,
    Block,
    Call,
    Captured,
    Conditional,
    FilterCall,
    For,
    If,
    Interpolation,
    ListLiteral,
    Literal,
    Macro,
    MapLiteral,
    Name,
    Node,
    Print,
    Set,
    Template,
    TestCall,
    Text,
    Unary,
)
from nbflow.nearest import did_you_mean

LAZY = frozenset({"o_hyphenated", "o_coalesce", "o_coalesce_undefined", "o_or_null", "o_final"})
"""Functions all of whose operands are computed only when they ask for them."""

LAZY_RIGHT = frozenset({"o_contains_lazy"})
"""Functions whose second operand is computed only when they ask for it."""

_BINARY = {
    "+": "o_add",
    "-": "o_subtract",
    "*": "o_multiply",
    "/": "o_divide",
    "%": "o_modulo",
    "==": "o_equals",
    "equals": "o_equals",
    "!=": "o_differs",
    ">": "o_greater",
    "<": "o_less",
    ">=": "o_greater_equal",
    "<=": "o_less_equal",
}
_RAW_ARGUMENT = ("render", "renderOnce")


class Translator:
    """Translates one template. `labels` say what stands at a position, for messages."""

    def __init__(self, text: str, catalog: Catalog) -> None:
        self._text = text
        self._catalog = catalog
        self._macros: dict[str, Macro] = {}
        self._blocks: dict[str, str] = {}
        self._bodies: list[nodes.Node] = []
        self._is_guarded = False
        self._repeats = 0
        self.definitions: set[Definition] = set()
        self.labels: dict[int, str] = {}

    def template(self, template: Template) -> nodes.Template:
        """The template in Jinja2's nodes; macros, blocks and captured bodies are its blocks."""
        self._find_macros(template)
        body = self._body(template.body)
        return nodes.Template([*body, *self._bodies], lineno=1)

    def block_names(self) -> dict[str, str]:
        """The blocks that `block(name)` finds: their names and those of their code."""
        return self._blocks

    def _find_macros(self, node: Node) -> None:
        for child in node.children():
            if isinstance(child, Macro):
                self._macros[child.name] = child
            self._find_macros(child)

    def _call(self, position: int, function: str, *operands: nodes.Node) -> nodes.Expr:
        first, *rest = operands or (None,)
        return nodes.Filter(first, function, rest, [], None, None, lineno=position + 1)

    def _text_const(self, position: int, text: str) -> nodes.Const:
        return nodes.Const(text, lineno=position + 1)

    # Statements

    def _body(self, body: Sequence[Node]) -> list[nodes.Node]:
        translated: list[nodes.Node] = []
        for node in body:
            translated.extend(self._statement(node))
        return translated

    def _statement(self, node: Node) -> list[nodes.Node]:
        at = node.position
        match node:
            case Text(text=text):
                if self._repeats:
                    return [self._output(at, self._call(at, "o_static", self._text_const(at, text)))]
                return [self._output(at, nodes.TemplateData(text, lineno=at + 1))]
            case Print(value=value):
                return [self._output(at, self._call(at, "o_show", self._expression(value)))]
            case Set(name=name, value=value):
                call = self._call(at, "o_assign", self._text_const(at, name), self._expression(value))
                return [nodes.ExprStmt(call, lineno=at + 1)]
            case If():
                return [self._if(node)]
            case For():
                return self._for(node)
            case Macro():
                self._macro(node)
                return []
            case Block(name=name, body=body):
                code = self._hoisted(at, "b", body)
                self._blocks[name] = code
                return [nodes.Block(f"run:{name}", [], False, False, lineno=at + 1)]
        raise AssertionError(f"no statement: {node!r}")

    def _output(self, position: int, node: nodes.Expr) -> nodes.Output:
        return nodes.Output([node], lineno=position + 1)

    def _if(self, node: If) -> nodes.If:
        branches = [(self._condition(test, "o_truth"), self._body(body)) for test, body in node.branches]
        otherwise = self._body(node.otherwise)
        (test, body), *rest = branches
        elifs = [nodes.If(other, inner, [], [], lineno=node.position + 1) for other, inner in rest]
        return nodes.If(test, body, elifs, otherwise, lineno=node.position + 1)

    def _condition(self, test: Node, function: str) -> nodes.Expr:
        value = self._expression(test)
        if self._is_guarded:
            value = self._call(test.position, "o_final", value)
        return self._call(test.position, function, value)

    def _for(self, node: For) -> list[nodes.Node]:
        at = node.position
        iterable = self._expression(node.iterable)
        self._repeats += 1
        body = self._body(node.body)
        self._repeats -= 1
        target = nodes.Name("_", "store", lineno=at + 1)
        otherwise = self._body(node.otherwise)
        rounds = self._call(at, "o_loop", self._text_const(at, node.variable), iterable)
        return [
            nodes.For(target, rounds, body or [nodes.Output([], lineno=at + 1)], otherwise, None, False, lineno=at + 1)
        ]

    def _macro(self, node: Macro) -> None:
        at = node.position
        was_guarded, self._is_guarded = self._is_guarded, True
        defaults: list[nodes.Node] = []
        for name, default in node.parameters:
            value = self._expression(default) if default is not None else nodes.Const(None, lineno=at + 1)
            call = self._call(at, "o_default_argument", self._text_const(at, name), value)
            defaults.append(nodes.ExprStmt(call, lineno=at + 1))
        defaults.append(nodes.ExprStmt(self._call(at, "o_take_arguments"), lineno=at + 1))
        self._is_guarded = was_guarded
        code = self._hoisted(at, "m", node.body, defaults)
        self._blocks[f"macro {node.name}"] = code

    def _hoisted(self, position: int, prefix: str, body: Sequence[Node], before: Sequence[nodes.Node] = ()) -> str:
        """Make a function of its own of a body, and return its name."""
        was_guarded, self._is_guarded = self._is_guarded, True
        self._repeats += 1
        translated = [*before, *self._body(body)]
        self._repeats -= 1
        self._is_guarded = was_guarded
        name = f"{prefix}{len(self._bodies)}"
        self._bodies.append(nodes.Block(name, translated, False, False, lineno=position + 1))
        return name

    # Expressions

    def _expression(self, node: Node, *, is_raw: bool = False) -> nodes.Expr:
        at = node.position
        match node:
            case Literal(value=value):
                return self._literal(at, value)
            case Name() | Attribute():
                return self._path(node, is_raw=is_raw)
            case FilterCall():
                return self._filter(node)
            case Call():
                return self._function(node)
            case Binary():
                return self._binary(node)
            case Unary(operator=operator, operand=operand):
                function = {"not": "o_negated", "-": "o_minus", "+": "o_plus"}[operator]
                return self._call(at, function, self._expression(operand))
            case Conditional(test=test, then=then, otherwise=otherwise):
                condition = self._call(test.position, "o_chooses", self._expression(test))
                return nodes.CondExpr(condition, self._expression(then), self._expression(otherwise), lineno=at + 1)
            case TestCall():
                return self._test(node)
            case Interpolation(parts=parts):
                return self._call(at, "o_limited_concat", *[self._expression(part) for part in parts])
            case ListLiteral(items=items):
                return self._call(at, "o_own", nodes.List([self._expression(item) for item in items], lineno=at + 1))
            case MapLiteral(pairs=pairs):
                translated = [
                    nodes.Pair(self._expression(key), self._expression(value), lineno=at + 1) for key, value in pairs
                ]
                return nodes.Dict(translated, lineno=at + 1)
            case Captured(body=body):
                code = self._hoisted(at, "c", body)
                return self._call(at, "o_capture", self._text_const(at, code))
        raise AssertionError(f"no expression: {node!r}")

    def _literal(self, position: int, value: object) -> nodes.Expr:
        if isinstance(value, float) and not math.isfinite(value):
            return self._call(position, "float", self._text_const(position, "inf"))
        return nodes.Const(value, lineno=position + 1)

    def _path(self, node: Name | Attribute, *, is_raw: bool) -> nodes.Expr:
        """A name with the attributes after it; texts of the author within what it ends at are rendered."""
        translated = self._step(node, is_raw=is_raw)
        if root(node) == "vars" and not is_raw:
            return self._call(node.position, "o_settled", translated)
        return translated

    def _step(self, node: Node, *, is_raw: bool = False) -> nodes.Expr:
        at = node.position
        if isinstance(node, Name):
            self.labels.setdefault(at, node.name)
            return self._call(at, "o_raw_name" if is_raw else "o_name", self._text_const(at, node.name))
        if not isinstance(node, Attribute):
            return self._expression(node)
        self.labels.setdefault(at, path_text(node))
        if is_secret(node):
            return self._call(at, "o_secret", self._expression(node.key))
        target = self._step(node.target)
        if node.arguments is None:
            if is_raw:
                return self._call(at, "o_raw_attribute", target, self._expression(node.key))
            return self._call(at, "o_attribute", target, self._expression(node.key))
        arguments = [self._expression(argument) for argument in node.arguments]
        return self._call(at, "o_invoke", target, self._expression(node.key), *arguments)

    def _binary(self, node: Binary) -> nodes.Expr:
        at, operator = node.position, node.operator
        match operator:
            case "and" | "or":
                kind = nodes.And if operator == "and" else nodes.Or
                left = self._call(at, "o_truth", self._expression(node.left))
                return kind(left, self._call(at, "o_truth", self._expression(node.right)), lineno=at + 1)
            case "??" | "???":
                function = "o_coalesce" if operator == "??" else "o_coalesce_undefined"
                return self._call(at, function, self._guarded(node.left), self._expression(node.right))
            case "~":
                return self._call(at, "o_limited_concat", *[self._expression(part) for part in chain(node)])
            case "..":
                arguments = Arguments(at, [node.left, node.right], [])
                return self._bound(at, self._catalog.functions["range"], None, arguments)
            case "contains":
                left, right = self._expression(node.left), self._expression(node.right)
                is_plain = isinstance(node.right, Literal | Name)
                if is_plain and isinstance(node.right, Literal):
                    return self._call(at, "o_contains", left, right)
                return self._call(at, "o_contains_lazy", left, right)
        call = self._call(at, _BINARY[operator], self._expression(node.left), self._expression(node.right))
        meant = hyphenated(self._text, node) if operator == "-" else None
        if meant is not None:
            call = self._call(at, "o_hyphenated", call, self._expression(meant))
        # Only these wrap what goes wrong in their operands, so that an undefined name is no longer answered.
        return self._call(at, "o_final", call) if self._is_guarded else call

    def _guarded(self, node: Node) -> nodes.Expr:
        was_guarded, self._is_guarded = self._is_guarded, True
        try:
            return self._expression(node)
        finally:
            self._is_guarded = was_guarded

    def _filter(self, node: FilterCall) -> nodes.Expr:
        at = node.position
        definition = self._catalog.filters.get(node.name)
        if definition is None:
            return self._unknown(at, "filter", node.name, self._catalog.filters)
        if node.name == "className" and isinstance(node.value, Literal) and type(node.value.value) is int:
            return self._text_const(at, "java.lang.Long")  # whole numbers that a template writes down are long
        if node.name == "default":
            value = self._call(at, "o_or_null", self._guarded(node.value))
        else:
            value = self._expression(node.value)
        if self._macros:
            value = self._call(at, "o_plain", value)
        return self._bound(at, definition, value, node.arguments)

    def _test(self, node: TestCall) -> nodes.Expr:
        at = node.position
        definition = self._catalog.tests.get(node.name)
        if definition is None:
            return self._unknown(at, "test", node.name, self._catalog.tests)
        if node.name == "defined":
            value = self._call(at, "o_or_null", self._guarded(node.value))
        else:
            value = self._expression(node.value)
        call = self._bound(at, definition, value, node.arguments)
        return self._call(at, "not", call) if node.is_negated else call

    def _function(self, node: Call) -> nodes.Expr:
        at = node.position
        if node.name == "block":
            return self._call(at, "o_block", self._expression(node.arguments.positional[0]))
        definition = self._catalog.functions.get(node.name)
        if definition is not None:
            return self._bound(at, definition, None, node.arguments)
        macro = self._macros.get(node.name)
        if macro is not None:
            return self._macro_call(at, macro, node.arguments)
        return self._unknown(at, "function", node.name, [*self._catalog.functions, *self._macros])

    def _macro_call(self, position: int, macro: Macro, arguments: Arguments) -> nodes.Expr:
        names = [name for name, _ in macro.parameters]
        problem = problem_of(macro.name, names, arguments)
        if problem:
            return self._failure(position, problem)
        given = dict(zip(names, arguments.positional, strict=False)) | dict(arguments.named)
        pairs = [
            nodes.Pair(self._text_const(position, name), self._expression(value), lineno=position + 1)
            for name, value in given.items()
        ]
        values = nodes.Dict(pairs, lineno=position + 1)
        return self._call(position, "o_macro", self._text_const(position, f"macro {macro.name}"), values)

    def _bound(
        self, position: int, definition: Definition, value: nodes.Expr | None, arguments: Arguments
    ) -> nodes.Expr:
        """The call of a filter, function or test with its arguments in place."""
        self.definitions.add(definition)
        operands = [value] if value is not None else []
        if definition.is_variadic:
            operands += [self._expression(argument) for argument in arguments.positional]
            return self._call(position, definition.alias, *operands)
        if definition.arguments is None:
            if arguments.positional:
                extras = [self._expression(argument) for argument in arguments.positional]
                operands = [self._call(position, "o_after", *extras, *operands)]
            return self._call(position, definition.alias, *operands)
        problem = problem_of(definition.name, definition.arguments, arguments)
        if problem:
            return self._failure(position, problem)
        is_raw = definition.name in _RAW_ARGUMENT
        operands += [self._expression(argument, is_raw=is_raw) for argument in arguments.positional]
        named = dict(arguments.named)
        if not named:
            return self._call(position, definition.alias, *operands)
        given = len(arguments.positional)
        keywords = []
        for name, argument in named.items():
            index = definition.arguments.index(name)
            if index < given:
                operands[index + (value is not None)] = self._expression(argument, is_raw=is_raw)
                continue
            keyword = self._expression(argument, is_raw=is_raw)
            keywords.append(nodes.Keyword(definition.parameters[index], keyword, lineno=position + 1))
        first, *rest = operands or (None,)
        return nodes.Filter(first, definition.alias, rest, keywords, None, None, lineno=position + 1)

    def _unknown(self, position: int, kind: str, name: str, known: Iterable[str]) -> nodes.Expr:
        return self._failure(position, f"there is no {kind} `{name}`", did_you_mean(name, known))

    def _failure(self, position: int, message: str, hint: str = "") -> nodes.Expr:
        return self._call(position, "o_fail", self._text_const(position, message), self._text_const(position, hint))
