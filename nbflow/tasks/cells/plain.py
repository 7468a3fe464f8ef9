"""Turns the text of a cell into plain Python: magics and shell lines become calls, as IPython itself makes them."""

from __future__ import annotations

import ast
import re
from typing import Any

_CALL = re.compile(r"\{([^{}]+)\}|\$\{?([A-Za-z_]\w*)\}?")
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "task"})
_PYTHON_LINES = frozenset({"time", "timeit", "prun", "memit"})


def parse_cell(code: str) -> tuple[ast.Module, bool]:
    """The syntax tree of a cell, and whether it is that of its very text; names in magics and shell lines are in it.

    Raises: SyntaxError.
    """
    try:
        return ast.parse(code), True
    except SyntaxError:
        if not _may_have_magics(code):
            raise
    from IPython.core.inputtransformer2 import TransformerManager  # loaded already where there are such cells

    manager: Any = TransformerManager  # IPython has no types to speak of
    tree = ast.parse(manager().transform_cell(code))
    return ast.fix_missing_locations(_Unfold().visit(tree)), False


def has_magics(code: str) -> bool:
    """Whether only IPython can run a cell."""
    try:
        ast.parse(code)
    except SyntaxError:
        return _may_have_magics(code)
    return "get_ipython(" in code


def _may_have_magics(code: str) -> bool:
    return any(letter in code for letter in "%!?")


class _Unfold(ast.NodeTransformer):
    """Adds to each call of IPython what its text reads: `!ls {folder}` reads `folder`."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        inner = _statements_in(node.value)
        return inner if inner is not None else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        texts = _texts_of(node)
        if texts is None:
            return node
        method, words = texts
        if method == "run_line_magic" and words[0] in _PYTHON_LINES:
            return _expression(words[-1]) or node
        reads = [found for match in _CALL.finditer(words[-1]) if (found := _expression(match[1] or match[2]))]
        return ast.Tuple(elts=[node, *reads], ctx=ast.Load()) if reads else node


def _statements_in(node: ast.expr) -> list[ast.stmt] | None:
    """The statements of a cell magic that runs Python, such as `%%time`; of `%time x = 1` too."""
    texts = _texts_of(node) if isinstance(node, ast.Call) else None
    if texts is None:
        return None
    method, words = texts
    is_cell = method == "run_cell_magic" and words[0] in _PYTHON_CELLS
    is_line = method == "run_line_magic" and words[0] in _PYTHON_LINES
    if not (is_cell or is_line):
        return None
    try:
        return parse_cell(words[-1])[0].body or [ast.Pass()]
    except SyntaxError:
        return None


def _texts_of(node: ast.Call) -> tuple[str, list[str]] | None:
    """Method and texts of `get_ipython().method("text", …)`."""
    if not isinstance(node.func, ast.Attribute) or not isinstance(node.func.value, ast.Call):
        return None
    called = node.func.value.func
    words = [word.value for word in node.args if isinstance(word, ast.Constant) and isinstance(word.value, str)]
    is_one = isinstance(called, ast.Name) and called.id == "get_ipython" and words
    return (node.func.attr, words) if is_one else None


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None
