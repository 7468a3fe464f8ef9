"""nbflow: workflow orchestration that lives in Jupyter.

Everything public is imported on first use, so that `import nbflow` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nbflow.engine import Engine, Execution, sql
    from nbflow.errors import FlowValidationError, InputError, NbflowError, TemplateError
    from nbflow.expressions import render
    from nbflow.magics import load_ipython_extension, unload_ipython_extension
    from nbflow.tasks.notebooks.inside import outputs, stop

_HOMES = {
    "Engine": "nbflow.engine",
    "Execution": "nbflow.engine",
    "FlowValidationError": "nbflow.errors",
    "InputError": "nbflow.errors",
    "NbflowError": "nbflow.errors",
    "TemplateError": "nbflow.errors",
    "load_ipython_extension": "nbflow.magics",
    "outputs": "nbflow.tasks.notebooks.inside",
    "render": "nbflow.expressions",
    "stop": "nbflow.tasks.notebooks.inside",
    "sql": "nbflow.engine",
    "unload_ipython_extension": "nbflow.magics",
}

__all__ = [
    "Engine",
    "Execution",
    "FlowValidationError",
    "InputError",
    "NbflowError",
    "TemplateError",
    "load_ipython_extension",
    "outputs",
    "render",
    "sql",
    "stop",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'nbflow' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "nbflow"}]


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "nbflow.server.extension"}]
