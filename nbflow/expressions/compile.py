"""Compiles templates: Jinja2's code generator writes Python, which is kept and run for every rendering.

Each call stands on a line of its own in the generated code, so that the traceback of a failure tells which part
of the expression it came from: `lineno` of our nodes is a position in the template, counted from 1.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, TracebackType
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import EvalContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nbflow.expressions import arithmetic, attributes, comparing, operators
from nbflow.expressions.catalog import Catalog, takes_scope
from nbflow.expressions.direct import direct
from nbflow.expressions.lexer import syntax_error
from nbflow.expressions.limits import Limits
from nbflow.expressions.parser import parse
from nbflow.expressions.scope import Body, Scope
from nbflow.expressions.translate import LAZY, LAZY_RIGHT, Translator
from nbflow.expressions.tree import Template
from nbflow.expressions.values import MacroText


class _Generator(CodeGenerator):
    """Writes the code of our few kinds of nodes; the names of its methods are those that Jinja2 calls."""

    scoped: frozenset[str] = frozenset()

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802  # the name that Jinja2 looks for
        frame = Frame(EvalContext(self.environment, None))
        bodies = [child for child in node.body if isinstance(child, nodes.Block) and not _is_place(child)]
        main = [child for child in node.body if not isinstance(child, nodes.Block) or _is_place(child)]
        shown = _single_value(main)
        if shown is not None:
            self.writeline("def value(context):")
            self.indent()
            self.writeline("return ")
            self.visit(shown, frame)
            self.outdent()
            self.writeline("def root(context):")
            self.indent()
            self.writeline("yield o_show(context, value(context))")
            self.outdent()
        functions = [] if shown is not None else [("root", main)]
        functions += [(f"block_{block.name}", block.body) for block in bodies]
        for name, body in functions:
            self.writeline(f"def {name}(context):")
            self.indent()
            self.writeline("if 0: yield ''")
            self.blockvisit(body, frame)
            self.outdent()
        names = ", ".join(f"{block.name!r}: block_{block.name}" for block in bodies)
        self.writeline(f"blocks = {{{names}}}")

    def visit_Block(self, node: nodes.Block, frame: Frame) -> None:  # noqa: N802  # the name that Jinja2 looks for
        self.writeline("yield from o_run_block(")
        self._mark(node.lineno)
        self.write(f"context, {node.name.removeprefix('run:')!r})")

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802  # the name that Jinja2 looks for
        for child in node.nodes:
            self.writeline("yield ")
            if isinstance(child, nodes.TemplateData):
                self.write(repr(child.data))
            else:
                self.visit(child, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802  # the name that Jinja2 looks for
        rounds = self.temporary_identifier()
        self.writeline(f"{rounds} = ")
        self.visit(node.iter, frame)
        self.writeline(f"for _ in {rounds}:")
        self.indent()
        self.blockvisit(node.body, frame)
        self.outdent()
        if node.else_:
            self.writeline(f"if {rounds}.is_without_rounds:")
            self.indent()
            self.blockvisit(node.else_, frame)
            self.outdent()

    def visit_If(self, node: nodes.If, frame: Frame) -> None:  # noqa: N802  # the name that Jinja2 looks for
        self._branch("if ", node, frame)
        for branch in node.elif_:
            self._branch("elif ", branch, frame)
        if node.else_:
            self.writeline("else:")
            self.indent()
            self.blockvisit(node.else_, frame)
            self.outdent()

    def _branch(self, word: str, node: nodes.If, frame: Frame) -> None:
        self.writeline(word)
        self.visit(node.test, frame)
        self.write(":")
        self.indent()
        self.writeline("pass")
        self.blockvisit(node.body, frame)
        self.outdent()

    def visit_ExprStmt(self, node: nodes.ExprStmt, frame: Frame) -> None:  # noqa: N802  # the name that Jinja2 looks for
        self.newline()
        self.visit(node.node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802  # the name that Jinja2 looks for
        name = node.name
        if name == "not":
            self.write("(not ")
            assert node.node is not None
            self.visit(node.node, frame)
            self.write(")")
            return
        self.write(f"{name}(")
        self._mark(node.lineno)
        separator = ""
        if name in self.scoped:
            self.write("context")
            separator = ", "
        operands = node.args if node.node is None else [node.node, *node.args]
        is_lazy = name in LAZY
        for index, operand in enumerate(operands):
            self.write(separator + ("lambda: " if is_lazy or (index and name in LAZY_RIGHT) else ""))
            self.visit(operand, frame)
            separator = ", "
        for keyword in node.kwargs:
            self.write(f"{separator}{keyword.key}=")
            self.visit(keyword.value, frame)
            separator = ", "
        self.write(")")

    def _mark(self, position: int) -> None:
        """Note that what the present line of code calls stands at a position, and begin a new line."""
        self.debug_info.append((position, self.code_lineno))
        self.stream.write("\n")
        self.code_lineno += 1


def _single_value(body: list[nodes.Node]) -> nodes.Expr | None:
    """What a template prints that is one print and nothing else."""
    if len(body) == 1 and isinstance(body[0], nodes.Output) and len(body[0].nodes) == 1:
        child = body[0].nodes[0]
        if isinstance(child, nodes.Filter) and child.name == "o_show":
            return child.node
    return None


def _is_place(block: nodes.Block) -> bool:
    return block.name.startswith("run:")


@dataclass(slots=True)
class Compiled:
    """A template ready to render."""

    text: str
    root: Body
    blocks: Mapping[str, Body]
    value: Callable[[Scope], object] | None
    namespace: dict[str, Any] = field(repr=False)
    positions: dict[int, int] = field(repr=False)
    labels: dict[int, str] = field(repr=False)
    fuller: Callable[[], Compiled] | None = field(default=None, repr=False)
    """What to render by instead when this fails: it knows where."""

    def position_of(self, trace: TracebackType | None) -> int:
        """The position in the text that a failure came from, 0 at the beginning."""
        line = 0
        while trace is not None:
            if trace.tb_frame.f_globals is self.namespace:
                line = trace.tb_lineno
            trace = trace.tb_next
        return self.positions.get(line, 1) - 1


class Compiler:
    """Compiles templates for one environment; `own` is what of its catalog never changes."""

    def __init__(self, catalog: Catalog, own: Catalog, limits: Limits) -> None:
        self._catalog = catalog
        self._limits = limits
        self._jinja = ImmutableSandboxedEnvironment(optimized=False, autoescape=False)
        self._namespace = _namespace(own)
        self._scoped = frozenset(name for name, one in self._namespace.items() if _takes_scope(one))

    def compile(self, text: str) -> Compiled:
        """Raises: TemplateSyntaxError."""
        template = parse(text, self._limits)
        plain = direct(template)
        if plain is not None:
            return Compiled(text, plain[0], {}, plain[1], {}, {}, {}, lambda: self._translated(text, template))
        return self._translated(text, template)

    def _translated(self, text: str, template: Template) -> Compiled:
        translator = Translator(text, self._catalog)
        tree = translator.template(template)
        added = {one.alias: one for one in translator.definitions if one.alias not in self._namespace}
        scoped = frozenset(alias for alias, one in added.items() if one.needs_scope)
        code, positions = self._code(text, tree, scoped)
        namespace: dict[str, Any] = self._namespace | {alias: one.function for alias, one in added.items()}
        exec(code, namespace)  # code that we generated from a checked tree
        bodies = namespace["blocks"]
        blocks = {name: bodies[block] for name, block in translator.block_names().items()}
        blocks |= bodies
        value = namespace.get("value")
        return Compiled(text, namespace["root"], blocks, value, namespace, positions, translator.labels)

    def _code(self, text: str, tree: nodes.Template, scoped: frozenset[str]) -> tuple[CodeType, dict[int, int]]:
        generator = _Generator(self._jinja, None, None, optimized=False)
        generator.scoped = self._scoped | scoped
        try:
            generator.visit(tree)
            source = generator.stream.getvalue()  # type: ignore[attr-defined]  # it is the StringIO made by default
            code = compile(source, "<expression>", "exec")
        except (SyntaxError, RecursionError, MemoryError, OverflowError) as wrong:
            raise syntax_error(text, 0, "this template is too complex", "split it with `{% set %}`") from wrong
        return code, {line: position for position, line in generator.debug_info}


def _takes_scope(function: object) -> bool:
    return inspect.isfunction(function) and takes_scope(function)


def _macro(scope: Scope, name: str, arguments: dict[str, object]) -> MacroText:
    return MacroText(scope.call_macro(scope.blocks[name], arguments))


def _capture(scope: Scope, name: str) -> str:
    return scope.capture(scope.blocks[name])


def _namespace(catalog: Catalog) -> dict[str, object]:
    names: dict[str, object] = {
        f"o_{name}": function
        for module in (arithmetic, comparing, operators)
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__
    }
    names |= {
        "o_attribute": attributes.attribute,
        "o_raw_attribute": attributes.raw_attribute,
        "o_invoke": attributes.invoke,
        "o_macro": _macro,
        "o_capture": _capture,
        "float": float,
        "__builtins__": {},
    }
    for table in (catalog.filters, catalog.functions, catalog.tests):
        names |= {definition.alias: definition.function for definition in table.values()}
    return names
