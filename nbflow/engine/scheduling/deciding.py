"""What is to be done about schedules whose time has come: decided in a thread, from flows that are at hand.

Nothing is written here: each decision is a step for the history, with the execution that goes with it.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.scheduling.dating import Dating
from nbflow.engine.scheduling.keeping import Registrar
from nbflow.engine.starting import Start
from nbflow.errors import NbflowError, StoreError
from nbflow.expressions import default_environment
from nbflow.model.flow import Flow
from nbflow.model.state import State
from nbflow.scheduler.due import LeftOut, decide
from nbflow.scheduler.schedules import rules_of, table_of
from nbflow.store import Step, Store, TriggerState
from nbflow.types import JsonValue

_MOST_REFUSED = 500
"""Dates that conditions refuse, one after another, within one step."""

_PORTION = 100
"""Flows that are read ahead at one go: reading takes some milliseconds each, and others wait."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be done about a schedule. Without a step it waits, or has no date any more."""

    step: Step | None = None
    start: Start | None = None
    flow: Flow | None = None
    waits: bool = False
    is_watched: bool = False
    """Whether the end of its execution matters though the schedule does not wait for it."""


class Decider:
    """Decides about schedules."""

    def __init__(self, store: Store, clock: Clock, registrar: Registrar) -> None:
        self._store = store
        self._clock = clock
        self._registrar = registrar

    def decide(self, states: Sequence[TriggerState], now: datetime, watched_since: datetime) -> list[Move]:
        """What to do about each schedule. Raises: StoreError when the history cannot be read."""
        return [self._decide(state, now, watched_since) for state in states]

    def first_date(self, state: TriggerState, now: datetime) -> datetime | None:
        """The first date of a schedule from now on; None when it is switched off, or has none."""
        found = self._registrar.prepared(state)
        if found is None:
            return None
        flow, trigger = found
        table = table_of(trigger)
        if table is None or trigger.disabled or flow.disabled or flow.draft:
            return None
        return table.after(now)

    def stop_after(self, ended: Sequence[tuple[TriggerState, State]]) -> list[bool]:
        """Of triggers, each with how an execution of it has ended, which ones are to be switched off."""
        return [self._stops_after(state, how) for state, how in ended]

    def _stops_after(self, state: TriggerState, ended: State) -> bool:
        try:
            found = self._registrar.prepared(state)
        except StoreError:
            raise
        except Exception:  # the flow cannot be read any more: it stops nothing
            return False
        return found is not None and ended in found[1].stop_after

    def prepare(self, states: Sequence[TriggerState]) -> None:
        """Have the flows at hand that are needed soon, a portion of them at a time."""
        missing = (state for state in states if not self._registrar.is_prepared(state))
        for state in itertools.islice(missing, _PORTION):
            try:
                self._registrar.prepared(state)
            except NbflowError:  # it is said when its time has come
                continue

    def warm_up(self) -> None:
        """Load what the first firing needs, before it is needed."""
        default_environment().render("{{ 1 + 1 }}", {})

    def _decide(self, state: TriggerState, now: datetime, watched_since: datetime) -> Move:
        try:
            found = self._registrar.prepared(state)
        except StoreError:
            raise
        except Exception as error:  # whatever a flow has: its trigger waits until the flow is mended
            self._say(state, f"its flow cannot be read: {error}")
            return Move(waits=True)
        if found is None:
            return Move(waits=True)
        flow, trigger = found
        if flow.disabled or flow.draft or trigger.disabled or table_of(trigger) is None:
            return Move(Step(state.key, state.next_date, None))
        dating = Dating(flow, trigger, self._store, self._clock)
        is_running = state.execution_id is not None
        decision = decide(dating.table, rules_of(trigger), state.next_date, now, watched_since, is_running=is_running)
        notes = self._left_out(state, decision.left_out)
        if decision.fire is None:
            if decision.waits and not notes:
                return Move(waits=True)
            return Move(Step(state.key, state.next_date, decision.next_date, notes=notes))
        date, next_date = decision.fire, decision.next_date
        for _ in range(_MOST_REFUSED):
            if dating.allows(date):
                break
            if next_date is None or next_date > now:
                return Move(Step(state.key, state.next_date, next_date, evaluated=now, notes=notes))
            date, next_date = next_date, dating.table.after(next_date)
        else:
            return Move(Step(state.key, state.next_date, date, evaluated=now, notes=notes))
        start = dating.start(date)
        step = Step(
            state.key,
            state.next_date,
            next_date,
            start.execution,
            locks=not trigger.allow_concurrent,
            evaluated=now,
            notes=notes,
        )
        return Move(step, start, flow, is_watched=bool(trigger.stop_after))

    def _left_out(self, state: TriggerState, left_out: Sequence[LeftOut]) -> dict[str, JsonValue]:
        """The note of the dates that were left out last; nothing when none were."""
        if not left_out:
            return {}
        for one in left_out:
            self._say(state, f"dates from {one.first.isoformat()} to {one.last.isoformat()} are left out: {one.reason}")
        last = left_out[-1]
        noted: dict[str, JsonValue] = {
            "first": left_out[0].first.isoformat(),
            "last": last.last.isoformat(),
            "reason": str(last.reason),
        }
        return {"leftOut": noted}

    def _say(self, state: TriggerState, message: str) -> None:
        names = {"namespace": state.namespace, "flow_id": state.flow_id, "trigger_id": state.trigger_id}
        text = "trigger %s of %s.%s: %s"
        _log.warning(
            text, state.trigger_id, state.namespace, state.flow_id, message, extra={"action": "dates_left_out", **names}
        )
