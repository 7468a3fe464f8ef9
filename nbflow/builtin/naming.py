"""How the catalog is written: names of one target, and where Kestra keeps its types."""

from __future__ import annotations


def named(target: str, *names: str) -> dict[str, str]:
    """Each of the names → the class they all mean, as `module:Class`."""
    return dict.fromkeys(names, target)


CORE = "io.kestra.plugin.core"
OLD = "io.kestra.core.tasks"
SCRIPTS = "io.kestra.plugin.scripts"
