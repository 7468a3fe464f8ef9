"""Finds the catalogs of installed packages: entry points of the group `nbflow.plugins`."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points

from nbflow.plugins.catalog import Catalog

GROUP = "nbflow.plugins"

_log = logging.getLogger(__name__)


def installed_catalogs() -> list[Catalog]:
    """The catalogs that installed packages name. One that cannot be loaded is logged and left out."""
    catalogs = []
    for entry in entry_points(group=GROUP):
        try:
            catalog = entry.load()
        except (ImportError, AttributeError) as broken:
            _log.warning("plugin %s cannot be loaded: %s", entry.name, broken, extra={"action": "plugin_left_out"})
            continue
        if isinstance(catalog, Catalog):
            catalogs.append(catalog)
        else:
            _log.warning("plugin %s names no Catalog: %r", entry.name, catalog, extra={"action": "plugin_left_out"})
    return catalogs
