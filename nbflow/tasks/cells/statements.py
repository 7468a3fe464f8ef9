"""What one statement at the top of a cell is good for: code or a constant to take along, or work to be done once."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from nbflow.tasks.cells.functions import changed_by_call, root_name
from nbflow.tasks.cells.scan import Scan


class Kind(StrEnum):
    """What a statement is good for outside its cell."""

    CODE = "code"
    """Imports, functions, classes: a task that needs them takes their source."""
    PLAIN = "plain"
    """Assigns something quick to make again: constants, paths, patterns."""
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement at the top of a cell."""

    source: str
    kind: Kind
    binds: frozenset[str]
    reads: frozenset[str]
    """What it needs where it stands, and what functions in it need when called."""
    changes: frozenset[str]
    stars: bool = False
    """Whether it is `from module import *`."""
    makes_class: bool = False


_PLAIN_CALLS_TEXT = """
int str float bool bytes dict list set tuple frozenset range len sorted min max sum round abs zip enumerate Path
PurePath Decimal Fraction timedelta date datetime ZoneInfo namedtuple defaultdict Counter OrderedDict TypeVar
NewType getLogger compile partial getenv environ re os Path pathlib logging math string
"""
_PLAIN_CALLS = frozenset(_PLAIN_CALLS_TEXT.split())
"""What may be called to make a constant: the name itself, or what the call's dotted name begins with."""
_PLAIN_NODES = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
    ast.Tuple, ast.List, ast.Set, ast.Dict, ast.JoinedStr, ast.FormattedValue, ast.Slice, ast.Starred, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.keyword, ast.Call,
    ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.arguments, ast.arg,
)  # fmt: skip
_CODE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def read_statement(node: ast.stmt, lines: Sequence[str], scan: Scan) -> Statement:
    """What one statement at the top of a cell does with names; the scan of the cell goes over it."""
    scan.now_bound.clear()
    scan.now_changed.clear()
    scan.statement(node)
    kind = _kind_of(node)
    if kind is Kind.WORK:  # nobody takes it along: what it reads does not matter
        return Statement("", kind, frozenset(scan.now_bound), frozenset(), frozenset(scan.now_changed))
    alone = Scan()
    alone.statement(node)
    reads = set(alone.reads)
    for effects in alone.functions.values():
        reads |= effects.reads
    return Statement(
        source=_source_of(node, lines),
        kind=kind,
        binds=frozenset(alone.bound | alone.maybe),
        reads=frozenset(reads),
        changes=frozenset(alone.changes),
        stars=isinstance(node, ast.ImportFrom) and node.names[0].name == "*",
        makes_class=isinstance(node, ast.ClassDef),
    )


def _source_of(node: ast.stmt, lines: Sequence[str]) -> str:
    """The text of a statement with its comments; without them where it shares a line with another."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    own = lines[first - 1 : node.end_lineno]
    if not own or node.col_offset or own[-1].encode()[node.end_col_offset :].lstrip().startswith(b";"):
        return ast.unparse(node)
    return "\n".join(own)


def _kind_of(node: ast.stmt) -> Kind:
    if isinstance(node, _CODE):
        return Kind.CODE
    if isinstance(node, ast.If | ast.Try) and all(_kind_of(part) is Kind.CODE for part in _inner(node)):
        return Kind.CODE
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and _is_quick(node.value):
        return Kind.CODE if isinstance(node.value, ast.Lambda) else Kind.PLAIN
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and changed_by_call(node.value):
        return Kind.PLAIN if all(_is_quick(part) for part in node.value.args) else Kind.WORK
    return Kind.WORK


def _inner(node: ast.If | ast.Try) -> list[ast.stmt]:
    blocks = [node.body, node.orelse]
    if isinstance(node, ast.Try):
        blocks += [node.finalbody, *(handler.body for handler in node.handlers)]
    return [part for block in blocks for part in block if not isinstance(part, ast.Pass)]


def _is_quick(node: ast.expr | None) -> bool:
    if node is None:
        return False
    for part in ast.walk(node):
        if not isinstance(part, _PLAIN_NODES):
            return False
        if isinstance(part, ast.Call):
            last = part.func.attr if isinstance(part.func, ast.Attribute) else ""
            first = root_name(part.func)
            if first not in _PLAIN_CALLS and last not in _PLAIN_CALLS and not _is_text_method(part.func):
                return False
    return True


def _is_text_method(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Constant | ast.JoinedStr)
