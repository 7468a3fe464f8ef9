"""Packages that a notebook imports and that its kernel would not find."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from nbflow.tasks.cells.plain import parse_cell
from nbflow.tasks.notebooks.checking.finding import CodeCell, Finding, Kind

_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "google": "google-cloud-storage",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
}
"""Modules whose distribution has another name, where it is well known."""


def packages_of(cells: Sequence[CodeCell], directory: Path) -> list[Finding]:
    """Imports that find nothing in this Python, nor beside the notebook. Those inside `try` may be missing."""
    findings, seen = [], set[str]()
    for cell in cells:
        try:
            tree, _ = parse_cell(cell.source)
        except SyntaxError:
            continue
        for line, module in _imports(tree):
            top = module.partition(".")[0]
            if top not in seen and not _is_there(top, directory):
                name = _DISTRIBUTIONS.get(top, top)
                hint = f"install it, or run the notebook with `dependencies: [{name}]`"
                findings.append(Finding(Kind.PACKAGE, cell.number, line, f"there is no package `{top}` here", hint))
            seen.add(top)
    return findings


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try):
            for part in (*child.orelse, *child.finalbody):
                yield from _imports(part)
        elif isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            if child.module and not child.level:
                yield child.lineno, child.module
        else:
            yield from _imports(child)


def _is_there(name: str, directory: Path) -> bool:
    if name in sys.builtin_module_names or name in sys.stdlib_module_names:
        return True
    if (directory / f"{name}.py").is_file() or (directory / name).is_dir():
        return True
    try:
        return find_spec(name) is not None
    except (ValueError, ImportError):
        return name in sys.modules
