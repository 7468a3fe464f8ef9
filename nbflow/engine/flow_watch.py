"""What has changed among the deployed flows since the last look; of thousands, only those that are new are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from nbflow.store import FlowMark, Store

Place = tuple[str, str]
"""Namespace and id of a flow."""


@dataclass(frozen=True, slots=True)
class FlowChanges:
    """The flows that have another newest revision or were switched, and those that are gone."""

    changed: dict[Place, FlowMark] = field(default_factory=dict)
    gone: frozenset[Place] = frozenset()


class FlowWatch:
    """Looks at the flows of a history, from one thread at a time. The first look finds them all."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fingerprint: tuple[int | None, ...] = ()
        self._found: tuple[tuple[int | None, ...], FlowChanges] | None = None
        self.marks: dict[Place, FlowMark] = {}
        """The newest revision of every flow, as of the last look that was acted on."""

    def look(self) -> FlowChanges | None:
        """What has changed since the last look that was acted on; None when nothing has. Raises: StoreError."""
        fingerprint = self._store.flows.fingerprint()
        if fingerprint == self._fingerprint:
            return None
        changes = self._added(self._fingerprint, fingerprint) or self._compared()
        self._found = (fingerprint, changes)
        return changes

    def acted(self) -> None:
        """What the last look has found is dealt with; until then, the next look finds it again."""
        if self._found is not None:
            self._fingerprint, changes = self._found
            self._found = None
            self.marks |= changes.changed
            for place in changes.gone:
                self.marks.pop(place, None)

    def _compared(self) -> FlowChanges:
        marks = {(one.namespace, one.id): one for one in self._store.schedules.marks()}
        changed = {place: one for place, one in marks.items() if self.marks.get(place) != one}
        return FlowChanges(changed, frozenset(self.marks.keys() - marks.keys()))

    def _added(self, before: tuple[int | None, ...], now: tuple[int | None, ...]) -> FlowChanges | None:
        """The changes if new revisions account for all of them; None if they do not."""
        if not before or before[2:4] != now[2:4]:
            return None
        (count, newest, *_, off), (count_now, *_, off_now) = before, now
        found = [one for one in self._store.schedules.saved_since(newest or 0) if self._is_new(one)]
        if len(found) != (count_now or 0) - (count or 0):
            return None
        if sum(one.disabled for one in found) != (off_now or 0) - (off or 0):
            return None
        return FlowChanges({(one.namespace, one.id): one for one in found})

    def _is_new(self, mark: FlowMark) -> bool:
        known = self.marks.get((mark.namespace, mark.id))
        return known is None or mark.revision > known.revision
