"""Imports point one way: who may import whom, held over every module of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nbflow"

LAYERS: list[set[str]] = [
    {"errors", "clock", "nearest", "regexes", "types", "settings"},
    {"model", "expressions"},
    {"plugins", "builtin"},
    {"tasks", "triggers", "runners", "source", "store"},
    {"scheduler"},
    {"engine"},
    {"flowtests"},
    {"widgets", "notebooks", "testing"},
    {"magics", "server", "cli"},
]
"""From the ground up; a part may import from the layers below its own."""

FREE_WITHIN = ({"errors", "clock", "nearest", "regexes", "types", "settings"}, {"plugins", "builtin"})
"""Layers whose parts may import each other; elsewhere neighbours stay apart."""

RANKS = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

MODULES = {
    ".".join(("nbflow", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "labextension" not in path.relative_to(PACKAGE).parts
}


def part_of(module: str) -> str:
    """The part of the package a module belongs to: `nbflow.store.tables` is of `store`."""
    return module.split(".")[1] if "." in module else ""


def imports(module: str, *, when_loading: bool = False) -> Iterator[tuple[int, str]]:
    """The modules of nbflow that a module imports, with the line; only those it loads with, if so wished."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    inside = _inner_nodes(tree) if when_loading else set()
    for node in ast.walk(tree):
        if node in inside:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "nbflow":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            if base.split(".")[0] != "nbflow":
                continue
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield node.lineno, full if full in MODULES else base


def _inner_nodes(tree: ast.Module) -> set[ast.AST]:
    """What does not run with the import of a module: the bodies of functions, and what only a type checker reads."""
    later = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING")
    ]
    return {inner for node in later for inner in ast.walk(node)}


def _absolute(module: str, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def test_every_part_has_a_layer() -> None:
    parts = {part_of(module) for module in MODULES} - {""}
    assert parts <= set(RANKS), "give the new part a place in LAYERS and in the design notes"


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module)])
def test_imports_point_down(module: str) -> None:
    mine = part_of(module)
    for line, target in imports(module):
        theirs = part_of(target)
        if theirs in ("", mine):  # the package itself holds the version and what is public
            continue
        may = RANKS[theirs] < RANKS[mine] or any({mine, theirs} <= parts for parts in FREE_WITHIN)
        assert may, f"{MODULES[module]}:{line}: {mine} must not import {target}"


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module) != "testing"])
def test_only_tests_import_testing(module: str) -> None:
    for line, target in imports(module):
        assert part_of(target) != "testing", f"{MODULES[module]}:{line}: only tests import {target}"


@pytest.mark.parametrize("module", [module for module in MODULES if part_of(module)])
def test_no_import_is_hidden_behind_type_checking(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        assert name != "TYPE_CHECKING", f"{MODULES[module]}: TYPE_CHECKING hides an import"


def test_no_import_cycles() -> None:
    graph = {module: {target for _, target in imports(module, when_loading=True)} - {module} for module in MODULES}
    cycle = _cycle(graph)
    assert cycle is None, f"modules import each other: {' → '.join(cycle)}"


def _cycle(graph: dict[str, set[str]]) -> list[str] | None:
    """A path from a module back to itself; None when there is none."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str] | None:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        for target in sorted(graph.get(module, ())):
            found = visit(target, [*path, module])
            if found:
                return found
        done.add(module)
        return None

    for module in sorted(graph):
        found = visit(module, [])
        if found:
            return found
    return None
