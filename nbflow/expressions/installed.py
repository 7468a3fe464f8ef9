"""Filters and functions that installed packages bring: named by their catalogs, imported on first use."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import cast

from nbflow.errors import MissingExtraError, PluginError
from nbflow.expressions.catalog import Function

GROUP = "nbflow.plugins"
"""The group of entry points whose catalogs have `filters` and `functions`."""


class InstalledFunctions:
    """Looks through the catalogs of installed packages; implements `nbflow.expressions.extensions.Source`."""

    def find(self, kind: str, name: str) -> Function | None:
        """Raises: PluginError when a catalog names what is not there; MissingExtraError."""
        target = next((table[name] for table in _tables(kind) if name in table), None)
        if target is None:
            return None
        module_name, _, function_name = target.partition(":")
        try:
            found = getattr(importlib.import_module(module_name), function_name, None)
        except ModuleNotFoundError as missing:
            raise MissingExtraError(
                f"the {kind} `{name}` needs the package `{missing.name}`, which is not installed"
            ) from missing
        if not inspect.isfunction(found):
            raise PluginError(f"the catalog names `{target}` for the {kind} `{name}`, and there is no such function")
        return cast("Function", found)

    def names(self, kind: str) -> Iterable[str]:
        return {name for table in _tables(kind) for name in table}


@cache
def _tables(kind: str) -> list[Mapping[str, str]]:
    tables = []
    for entry in entry_points(group=GROUP):
        try:
            catalog = entry.load()
        except (ImportError, AttributeError):  # whoever looks for types there says so
            continue
        table = getattr(catalog, f"{kind}s", None)
        if isinstance(table, Mapping):
            tables.append(table)
    return tables
