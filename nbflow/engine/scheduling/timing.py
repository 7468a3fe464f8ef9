"""What the verbs about time need done; the doing is loaded when the first of them is called, for most never are."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from nbflow.clock import Clock
from nbflow.engine.flows import Flows
from nbflow.engine.hub import Hub
from nbflow.engine.loop import EngineLoop
from nbflow.engine.ownership import Ownership
from nbflow.model.backfill import Backfill
from nbflow.model.flow import Flow
from nbflow.scheduler.backfill import Wish
from nbflow.scheduler.simulate import Simulation
from nbflow.store import Store


class Timing(Protocol):
    """Time, for one engine; `TimeService` does it."""

    def flow_changed(self, namespace: str, flow_id: str, flow: Flow | None) -> None: ...
    async def begin_scheduler(self) -> None: ...
    def nudge(self) -> None: ...
    def next_dates(self, flow: Flow, trigger_id: str | None, n: int, after: datetime) -> list[datetime]: ...
    def simulate(
        self, flow: Flow, start: datetime, end: datetime, trigger_id: str | None, *, is_deployed: bool
    ) -> Simulation: ...
    def plan_backfill(self, flow: Flow, trigger_id: str, wish: Wish) -> Backfill: ...
    def begin_backfill(self, planned: Backfill) -> Backfill: ...
    def go_on_with(self, backfill: Backfill) -> None: ...
    def look_at(self, backfill_id: str) -> None: ...
    def backfill_dates(self, flow: Flow, backfill: Backfill, limit: int | None = None) -> list[datetime]: ...
    def owner_now(self) -> str | None: ...


def timing_of(store: Store, clock: Clock, hub: Hub, loop: EngineLoop, flows: Flows, owned: Ownership) -> Timing:
    """The timing of an engine; this loads it."""
    from nbflow.engine.scheduling.service import TimeService

    return TimeService(store, clock, hub, loop, flows, owned)
