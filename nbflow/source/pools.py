"""Pools that tasks name: those there are, and no pool within itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nbflow.nearest import did_you_mean
from nbflow.source.document import Path
from nbflow.source.findings import Findings
from nbflow.source.resolving import Part


def unknown_pool(name: str, pools: Collection[str]) -> tuple[str, str]:
    """What to say of a pool that is not among those of the settings: the message and how to mend it."""
    setting = f"set `pools: {{{name}: 1}}` in the home's nbflow.yaml"
    there_are = f"there are {', '.join(sorted(pools))}" if pools else "none is set"
    return f"there is no pool `{name}`", did_you_mean(name, pools) or f"{setting}; {there_are}"


def check_pools(findings: Findings, parts: Sequence[Part], pools: Collection[str] | None) -> None:
    """Warn of pools that are not set, if it is known which are; refuse a task in a pool that one around it holds."""
    named: dict[Path, str] = {}
    for part in parts:
        path = findings.path_of(part.raw)
        pool = part.raw.get("pool")
        if part.kind != "task" or path is None or not isinstance(pool, str):
            continue
        if pools is not None and pool not in pools:
            findings.warning((*path, "pool"), *unknown_pool(pool, pools))
        outer = next((above for above in _around(path) if named.get(above) == pool), None)
        if outer is not None:
            line = findings.document.position((*outer, "pool")).line
            findings.error(
                (*path, "pool"),
                f"it would wait for the task around it, which holds a slot of the pool `{pool}` (line {line})",
                "name the pool in one of the two",
            )
        named[path] = pool


def _around(path: Path) -> list[Path]:
    """The paths of what something lies in, the nearest first."""
    return [path[:length] for length in range(len(path) - 1, 0, -1)]
