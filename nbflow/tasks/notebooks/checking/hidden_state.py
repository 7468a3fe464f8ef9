"""Hidden state: names that a cell uses and no cell before it defines, which works only in the kernel of the author."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

from nbflow.nearest import did_you_mean
from nbflow.tasks.cells.names import CellNames, names_of
from nbflow.tasks.cells.plain import parse_cell
from nbflow.tasks.cells.plan import ALWAYS
from nbflow.tasks.notebooks.checking.finding import CodeCell, Finding, Kind

_SIMPLE = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr


def hidden_state_of(cells: Sequence[CodeCell], parameters: Collection[str] = ()) -> list[Finding]:
    """Names used too early, deleted before, or never defined; and a notebook that was run out of order."""
    findings: list[Finding] = []
    read: list[tuple[CodeCell, CellNames]] = []
    for cell in cells:
        try:
            read.append((cell, names_of(cell.source)))
        except SyntaxError as cause:
            findings.append(Finding(Kind.SYNTAX, cell.number, cause.lineno or 0, f"it is no Python: {cause.msg}"))
    if any(names.stars for _, names in read):
        return findings  # `import *` may define whatever is missing
    known = {*ALWAYS, *parameters}
    for place, (cell, names) in enumerate(read):
        later = {name: other.number for other, more in reversed(read[place + 1 :]) for name in more.binds | other.gives}
        known |= cell.gives
        for name in sorted(names.reads - known - names.own):
            findings.append(_undefined(cell, name, later.get(name), (known | names.binds) - ALWAYS - {name}))
        for name in sorted((names.reads & names.own) - known):
            if _is_read_first(cell, names, name):
                findings.append(_undefined(cell, name, later.get(name), (known | names.binds) - ALWAYS - {name}))
        known = (known | names.binds) - names.deletes
    return [*findings, *_out_of_order(cells)]


def _is_read_first(cell: CodeCell, names: CellNames, name: str) -> bool:
    """Whether a cell surely reads a name before it binds it; within `try`, `if` and loops, nothing is sure."""
    for node, statement in zip(parse_cell(cell.source)[0].body, names.statements, strict=True):
        if name in statement.binds:
            return name in statement.reads and isinstance(node, _SIMPLE)
        if name in statement.reads:
            return True
    return False


def _undefined(cell: CodeCell, name: str, later: int | None, known: Collection[str]) -> Finding:
    line = _line_of(cell.source, name)
    if later is not None:
        message = f"`{name}` is used here and defined in cell {later}, which comes after"
        return Finding(Kind.HIDDEN_STATE, cell.number, line, message, "move that cell up")
    hint = did_you_mean(name, known) or "the cell that defined it is gone; define it before"
    return Finding(Kind.HIDDEN_STATE, cell.number, line, f"`{name}` is used and defined nowhere", hint)


def _line_of(source: str, name: str) -> int:
    try:
        tree, is_plain = parse_cell(source)
    except SyntaxError:
        return 0
    if not is_plain:
        return next((number for number, line in enumerate(source.splitlines(), 1) if name in line), 0)
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    return min(lines, default=0)


def _out_of_order(cells: Sequence[CodeCell]) -> list[Finding]:
    """The first cell that was run before one above it: the outputs on the page may not be those of a clean run."""
    last = 0
    for cell in cells:
        if cell.execution_count is None:
            continue
        if cell.execution_count < last:
            message = f"it was run as [{cell.execution_count}], before the cell above it, [{last}]"
            hint = "restart the kernel and run all cells to see what a clean run gives"
            return [Finding(Kind.HIDDEN_STATE, cell.number, 0, message, hint, is_error=False)]
        last = cell.execution_count
    return []
