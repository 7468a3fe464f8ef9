"""What a cell of Python reads from others, binds and changes: found in its syntax tree, in the order it would run.

    df = df[df.x > n]      reads df, n; binds df
    rows.append(f(2))      reads rows, f and what f reads; changes rows

A name counts as read unless it is bound for certain before, so that no value is ever missing; a function's own names
count when it is called, not where it is defined.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from nbflow.tasks.cells.plain import parse_cell
from nbflow.tasks.cells.scan import Scan
from nbflow.tasks.cells.statements import Kind, Statement, read_statement


@dataclass(frozen=True, slots=True)
class CellNames:
    """What a cell does with names."""

    reads: frozenset[str] = frozenset()
    """Names that must have a value before, unless the cell itself may give it."""
    binds: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    """Names from elsewhere whose values it changes in place."""
    deletes: frozenset[str] = frozenset()
    code: frozenset[str] = frozenset()
    """Of what it binds: modules, functions and classes."""
    temporary: frozenset[str] = frozenset()
    """Of what it binds: only loop variables and the like."""
    own: frozenset[str] = frozenset()
    """Names that it may bind somewhere: reading them before is no mistake."""
    calls: tuple[tuple[str, tuple[str | None, ...], tuple[tuple[str, str], ...]], ...] = ()
    """Calls of functions of other cells with names as arguments: function, positional ones, named ones."""
    changed_parameters: tuple[tuple[str, tuple[str, ...], frozenset[str]], ...] = ()
    """Functions that change their arguments: name, parameters, those that are changed."""
    statements: tuple[Statement, ...] = ()
    stars: bool = False

    @property
    def gives(self) -> frozenset[str]:
        """Values that a cell after it may read: what it binds or changes, without modules, functions and classes."""
        return (self.binds | self.changes) - self.code - self.deletes


@lru_cache(maxsize=1024)
def names_of(code: str) -> CellNames:
    """What a cell does with names. Raises: SyntaxError."""
    tree, is_plain = parse_cell(code)
    scan = Scan()
    statements: list[Statement] = []
    kinds: dict[str, Kind] = {}
    stars = False
    lines = code.splitlines() if is_plain else []
    for node in tree.body:
        one = read_statement(node, lines, scan)
        statements.append(one)
        stars = stars or one.stars
        kinds.update(dict.fromkeys(one.binds, one.kind))
    bound = frozenset(scan.bound | scan.maybe)
    return CellNames(
        reads=frozenset(scan.reads),
        binds=bound,
        changes=frozenset(scan.changes - (bound - scan.reads)),
        deletes=frozenset(scan.deletes - bound),
        code=frozenset(name for name in bound if kinds.get(name) is Kind.CODE),
        temporary=frozenset((scan.temporary - scan.lasting) & bound),
        own=bound | frozenset(scan.deletes),
        calls=tuple(scan.calls),
        changed_parameters=tuple(
            (name, effects.parameters, frozenset(effects.changed_parameters))
            for name, effects in scan.functions.items()
            if effects.changed_parameters
        ),
        statements=tuple(statements),
        stars=stars,
    )
