"""Namespaces: dotted homes of flows, each inside its parents."""

from __future__ import annotations


def lineage(namespace: str) -> list[str]:
    """A namespace and all its parents, the outermost first: `a.b.c` gives `a`, `a.b`, `a.b.c`."""
    parts = namespace.split(".")
    return [".".join(parts[: count + 1]) for count in range(len(parts))]
