"""What the triggers of a flow are to the scheduler, and when their time comes first."""

from __future__ import annotations

from datetime import datetime

from nbflow.model.flow import Flow
from nbflow.model.trigger import Trigger
from nbflow.plugins import PollingTrigger, RealtimeTrigger
from nbflow.store import Enrolment
from nbflow.types import JsonValue

SCHEDULE = "SCHEDULE"
POLLING = "POLLING"
REALTIME = "REALTIME"
FLOW = "FLOW"
WEBHOOK = "WEBHOOK"
_CORE = "io.kestra.plugin.core.trigger"
_KINDS = {
    f"{_CORE}.Schedule": SCHEDULE,
    f"{_CORE}.ScheduleOnDates": SCHEDULE,
    f"{_CORE}.Flow": FLOW,
    f"{_CORE}.Webhook": WEBHOOK,
}


def kind_of(trigger: Trigger) -> str:
    """SCHEDULE, POLLING or REALTIME for what the scheduler looks after; FLOW, WEBHOOK or OTHER for the rest."""
    if isinstance(trigger, PollingTrigger):
        return POLLING
    return REALTIME if isinstance(trigger, RealtimeTrigger) else _KINDS.get(trigger.type_name, "OTHER")


def enrolments(flow: Flow, now: datetime) -> list[Enrolment]:
    """The triggers of a flow; those that are switched off, and those that wait for no clock, have no next date."""
    found = []
    for trigger in flow.triggers:
        kind, timing = kind_of(trigger), ""
        next_date: datetime | None = None
        is_off = flow.disabled or flow.draft or trigger.disabled
        if kind == SCHEDULE:
            from nbflow.scheduler.schedules import table_of, timing_of  # most flows have no schedule

            table = table_of(trigger)
            assert table is not None
            timing, next_date = timing_of(trigger), table.after(now)
        elif kind == POLLING:
            next_date = now
        if is_off:
            timing, next_date = f"off {timing}", None
        facts: dict[str, JsonValue] = {
            "type": trigger.type,
            "off": trigger.disabled,
            "stopAfter": [str(state) for state in trigger.stop_after],
        }
        found.append(Enrolment(trigger.id, kind, timing, next_date, facts))
    return found
