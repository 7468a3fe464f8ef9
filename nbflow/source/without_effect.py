"""What a flow may say that this version of nbflow checks and does not act on: told, so that nobody counts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nbflow.source.findings import Findings
from nbflow.source.resolving import Part
from nbflow.types import JsonValue

MESSAGE = "has no effect yet"
"""How these warnings end."""

_OF_FLOWS = ("retry", "sla", "checks", "listeners")
_OF_TASKS = ("taskCache", "logToFile")


def note_without_effect(findings: Findings, raw: Mapping[str, JsonValue], parts: Sequence[Part]) -> None:
    """Warn of what is read and not acted on."""
    for name in _OF_FLOWS:
        if raw.get(name):
            findings.warning((name,), f"`{name}` of a flow {MESSAGE}", at_key=True)
    for part in parts:
        path = findings.path_of(part.raw)
        if part.kind != "task" or path is None:
            continue
        for name in _OF_TASKS:
            if part.raw.get(name):
                findings.warning((*path, name), f"`{name}` {MESSAGE}", at_key=True)
