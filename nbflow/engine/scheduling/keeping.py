"""Keeping the agenda as the deployed flows and the switches of triggers have it, whoever changes them.

Called from threads; what is found is put on the agenda by the loop.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Set
from dataclasses import dataclass

from nbflow.clock import Clock
from nbflow.engine.flow_watch import FlowWatch, Place
from nbflow.engine.flows import Flows
from nbflow.engine.scheduling.agenda import Key
from nbflow.engine.scheduling.enrolling import enrolments
from nbflow.model.flow import Flow
from nbflow.model.trigger import Trigger
from nbflow.store import Store, TriggerState

_MAY_HAVE_TRIGGERS = re.compile(r"triggers[\"']?\s*:")
_MOST_PREPARED = 2_000
_FRESH_SECONDS = 60.0
_FEW = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changes:
    """Triggers that stand otherwise or are new, flows that were switched off or on, and triggers that have gone."""

    states: list[TriggerState]
    switched: set[Place]
    gone: set[Key]


class Registrar:
    """Enrols the triggers of flows, and says what has changed since the last look."""

    def __init__(self, store: Store, clock: Clock, flows: Flows) -> None:
        self._store = store
        self._clock = clock
        self._flows = flows
        self._watch = FlowWatch(store)
        self._mark = (0, 0)
        self._keys: set[Key] = set()
        self._off: set[Place] = set()
        self._prepared: OrderedDict[Place, tuple[float, Flow]] = OrderedDict()
        self._lock = threading.Lock()

    def flow_changed(self, namespace: str, flow_id: str, flow: Flow | None) -> list[TriggerState]:
        """Enrol the triggers of a flow that was deployed here, or forget those of one that was deleted."""
        now = self._clock.now()
        wanted = enrolments(flow, now) if flow is not None and flow.triggers else []
        if not wanted and not any(state.kind for state in self._store.triggers.list(namespace, flow_id)):
            return []
        revision = flow.revision or 1 if flow is not None else 0
        return self._store.schedules.enrol(namespace, flow_id, revision, wanted, now)

    def everything(self) -> list[TriggerState]:
        """All triggers that are looked after, those of flows that nobody has enrolled yet included."""
        self._watch = FlowWatch(self._store)
        self._watch.look()
        self._watch.acted()
        self._mark = self._store.schedules.mark()
        states = {state.key: state for state in self._store.schedules.enrolled()}
        revisions = {state.key[:2]: state.revision for state in states.values()}
        marks = self._watch.marks
        stale = {place for place, mark in marks.items() if revisions.get(place, 0) != mark.revision}
        gone = revisions.keys() - marks.keys()
        for state in self._enrol_again(stale, gone):
            states[state.key] = state
        kept = [state for state in states.values() if state.key[:2] not in gone]
        self._keys = {state.key for state in kept}
        self._off = {place for place, mark in marks.items() if mark.disabled}
        return kept

    def is_off(self, key: Key) -> bool:
        """Whether the flow of a trigger is switched off, as of the last look."""
        return key[:2] in self._off

    def changes(self) -> Changes | None:
        """What has changed since the last look; None when nothing has."""
        flows, mark = self._watch.look(), self._store.schedules.mark()
        if flows is None and mark == self._mark:
            return None
        switched = set[Place]()
        if flows is not None:
            self.forget([*flows.changed, *flows.gone])
            switched = {place for place, one in flows.changed.items() if one.disabled != (place in self._off)}
            # Whoever deploys a flow enrols its triggers, unless it is an older nbflow.
            revisions = {one.key[:2]: one.revision for one in self._store.schedules.enrolled(self._mark[1])}
            enrolled = {place for place, one in flows.changed.items() if revisions.get(place) == one.revision}
            self._enrol_again(flows.changed.keys() - (enrolled - switched), flows.gone)
            self._off = (self._off ^ switched) - flows.gone
            self._watch.acted()
            mark = self._store.schedules.mark()
        states = self._store.schedules.enrolled(self._mark[1])
        self._keys |= {state.key for state in states}
        gone = set[Key]()
        if mark[0] != len(self._keys):
            present = self._store.schedules.keys()
            gone, self._keys = self._keys - present, present
        self._mark = mark
        return Changes(states, switched, gone)

    def prepared(self, state: TriggerState) -> tuple[Flow, Trigger] | None:
        """The flow and the trigger of a state, kept for the next time; None when the flow has no such trigger.

        Raises: NbflowError when the flow cannot be read.
        """
        place = state.key[:2]
        flow = self._kept(state)
        if flow is None:
            flow = self._flows.get(*place)
            with self._lock:
                self._prepared.pop(place, None)
                self._prepared[place] = (time.monotonic(), flow)
                while len(self._prepared) > _MOST_PREPARED:
                    self._prepared.popitem(last=False)
        trigger = next((one for one in flow.triggers if one.id == state.trigger_id), None)
        return None if trigger is None else (flow, trigger)

    def is_prepared(self, state: TriggerState) -> bool:
        """Whether the flow of a state is at hand."""
        return self._kept(state) is not None

    def _kept(self, state: TriggerState) -> Flow | None:
        with self._lock:
            kept = self._prepared.get(state.key[:2])
        # Defaults of its namespace may change what a flow is without a new revision.
        is_fresh = kept is not None and time.monotonic() - kept[0] < _FRESH_SECONDS
        return kept[1] if kept is not None and is_fresh and kept[1].revision == state.revision else None

    def forget(self, places: Iterable[Place]) -> None:
        """Read flows anew when they are needed next."""
        with self._lock:
            for place in places:
                self._prepared.pop(place, None)

    def _enrol_again(self, places: Set[Place], gone: Set[Place]) -> list[TriggerState]:
        found: list[TriggerState] = []
        for namespace, flow_id in gone:
            self.flow_changed(namespace, flow_id, None)
        if not places:
            return found
        few = len(places) <= _FEW
        stored = [self._store.flows.get(*place) for place in places] if few else self._store.flows.list()
        for one in stored:
            if one is None or (one.namespace, one.id) not in places or not _MAY_HAVE_TRIGGERS.search(one.source):
                continue
            try:
                flow = self._flows.get(one.namespace, one.id)
                found += self.flow_changed(one.namespace, one.id, flow)
            except Exception as error:  # one flow must not keep those of others from their time
                message = "the triggers of %s.%s are left out: %s"
                _log.warning(message, one.namespace, one.id, error, extra={"action": "enrolment_failed"})
        return found
