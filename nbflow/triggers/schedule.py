"""Triggers that fire by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from nbflow.model.base import Duration
from nbflow.model.condition import ConditionField
from nbflow.model.labels import LabelsToGive
from nbflow.plugins import Example, Model, Text, Trigger, trigger_type
from nbflow.triggers.cron import check_cron, check_timezone
from nbflow.triggers.moments import Instant
from nbflow.types import JsonValue


class MissedSchedules(StrEnum):
    """What happens to dates that passed while nothing was there to fire."""

    ALL = "ALL"
    LAST = "LAST"
    NONE = "NONE"


class Backfill(Model):
    """Past dates to run once the flow is saved."""

    start: Instant = Field(description="First date, as ISO 8601.")
    end: Instant | None = Field(default=None, description="Last date; now unless said.")
    inputs: dict[str, JsonValue] = Field(default_factory=dict, description="Inputs of these executions.")
    labels: LabelsToGive = Field(default_factory=dict, description="Labels of these executions.")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.end is not None and _aware(self.end) < _aware(self.start):
            raise ValueError(f"`end` ({self.end.isoformat()}) must not be before `start` ({self.start.isoformat()})")
        return self


class Dates(Trigger.Output):
    """What `{{ trigger.… }}` sees of a date that fired."""

    date: datetime = Field(description="The date it fires for.")
    next: datetime | None = Field(default=None, description="The date after that.")
    previous: datetime | None = Field(default=None, description="The date before that.")


@trigger_type(
    "io.kestra.plugin.core.trigger.Schedule",
    old_names=["io.kestra.core.models.triggers.types.Schedule", "schedule"],  # both were written in older lessons
    examples=[
        Example(
            """
            id: daily_report
            namespace: nbflow.examples
            tasks:
              - id: report
                type: log
                message: "report for {{ trigger.date | date('yyyy-MM-dd') }}"
            triggers:
              - id: mornings
                type: io.kestra.plugin.core.trigger.Schedule
                cron: "0 9 * * 1-5"
                timezone: Europe/Paris
                inputs: {}
            """,
            title="On weekdays at nine.",
        ),
        Example(
            """
            id: monthly
            type: io.kestra.plugin.core.trigger.Schedule
            cron: "@monthly"
            backfill:
              start: 2024-01-01T00:00:00Z
              end: 2024-04-01T00:00:00Z
            """,
            title="Every month, and three months of the past.",
        ),
    ],
)
class Schedule(Trigger):
    """Start the flow at the dates of a cron expression."""

    class Output(Dates):
        """What `{{ trigger.… }}` sees in the executions it starts."""

    with_seconds: bool = Field(default=False, description="Whether `cron` has a field for seconds in front.")
    cron: Text = Field(
        description="Minute, hour, day of month, month, day of week: `0 9 * * MON-FRI`; or `@daily`, `@hourly` …"
    )
    timezone: Text = Field(default="UTC", description="Time zone of `cron`, such as `Europe/Paris`.")
    recover_missed_schedules: MissedSchedules = Field(
        default=MissedSchedules.ALL, description="Dates to run that passed while nothing was there to fire."
    )
    late_maximum_delay: Duration | None = Field(
        default=None, description="A date that is later than this when it could fire is left out."
    )
    schedule_conditions: list[ConditionField] = Field(default_factory=list, description="Older form of `conditions`.")
    backfill: Backfill | None = Field(default=None, description="Past dates to run once the flow is saved.")

    @field_validator("backfill", mode="before")
    @classmethod
    def _asks_for_past_dates(cls, value: object) -> object:
        return None if value == {} else value  # older exports of a flow hold an empty one

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, value: str) -> str:
        return check_timezone(value)

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str, others: ValidationInfo) -> str:
        if "with_seconds" not in others.data:  # it is wrong itself, so how many fields are right is not known
            return value
        return check_cron(value, others.data["with_seconds"])


@trigger_type(
    "io.kestra.plugin.core.trigger.ScheduleOnDates",
    aliases=["schedule_on_dates"],
    examples=[
        Example(
            """
            id: holidays
            type: io.kestra.plugin.core.trigger.ScheduleOnDates
            timezone: Europe/Oslo
            dates:
              - 2030-05-17T09:00:00
              - 2030-12-24T12:00:00
            """,
            title="On two dates.",
        )
    ],
)
class ScheduleOnDates(Trigger):
    """Start the flow at given dates."""

    class Output(Dates):
        """What `{{ trigger.… }}` sees in the executions it starts."""

    dates: list[Instant] = Field(min_length=1, description="Dates to fire at, as ISO 8601.")
    timezone: Text = Field(default="UTC", description="Time zone of dates that name none.")
    recover_missed_schedules: MissedSchedules = Field(
        default=MissedSchedules.ALL, description="Dates to run that passed while nothing was there to fire."
    )

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, value: str) -> str:
        return check_timezone(value)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
