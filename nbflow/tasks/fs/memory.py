"""What triggers on files share: those that stay where they are, are remembered, and count again when they change."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field

from nbflow.plugins import Dynamic, PollingTrigger, RunContext, Text
from nbflow.types import JsonValue


class On(StrEnum):
    """What must have happened to a file that stays where it is."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    CREATE_OR_UPDATE = "CREATE_OR_UPDATE"


class Remembering(PollingTrigger):
    """A trigger that remembers files, by name, with a mark that changes when a file does."""

    on: Dynamic[On] = Field(
        default=On.CREATE_OR_UPDATE,
        description="Which files count that stay where they are: CREATE (new ones), UPDATE (changed ones) or both.",
    )
    state_key: Dynamic[Text] | None = Field(
        default=None, description="Key in the key-value store under which files are remembered that stay."
    )

    def fresh(self, ctx: RunContext, present: Mapping[str, str]) -> set[str]:
        """The files that count: of those that are there, with their marks. What does not count is noted at once."""
        known = self._known(ctx)
        wanted = {name for name, mark in present.items() if self._is_wanted(known.get(name), mark)}
        marks = {name: mark for name, mark in present.items() if name not in wanted}
        self._keep(ctx, known, marks | {name: known[name] for name in wanted if name in known})
        return wanted

    def remember(self, ctx: RunContext, marks: Mapping[str, str]) -> None:
        """Files that have started an execution."""
        known = self._known(ctx)
        self._keep(ctx, known, {**known, **marks})

    def _is_wanted(self, known: JsonValue, mark: str) -> bool:
        if known is None:
            return self.on is not On.UPDATE
        return self.on is not On.CREATE and known != mark

    def _known(self, ctx: RunContext) -> dict[str, JsonValue]:
        kept = ctx.kv.get(*self._place(ctx), ctx.now())
        return kept.value if kept is not None and isinstance(kept.value, dict) else {}

    def _keep(self, ctx: RunContext, known: Mapping[str, JsonValue], marks: Mapping[str, JsonValue]) -> None:
        if marks != known:
            ctx.kv.put(*self._place(ctx), dict(marks), ctx.now())

    def _place(self, ctx: RunContext) -> tuple[str, str]:
        """Namespace and key under which files are remembered."""
        flow = ctx.variables["flow"]
        assert isinstance(flow, Mapping)
        return str(flow["namespace"]), self.state_key or f"files_seen_{flow['id']}_{self.id}"
