"""What a package brings, as texts: type name or alias → where its class is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast


@dataclass(frozen=True, slots=True)
class Catalog:
    """What one package brings: type name or alias → `"module:Class"`, a mapping for each kind.

    `filters` and `functions` are those of expressions: name → `"module:function"`. An entry point of the group
    `nbflow.plugins` names a catalog. Importing it must be cheap: texts only.
    """

    tasks: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    runners: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: str) -> Mapping[str, str]:
        """The mapping of one kind: `task`, `trigger`, `condition`, `runner`, `filter`, `function`."""
        return cast("Mapping[str, str]", getattr(self, f"{kind}s"))
