"""The condition that collects several executions until all it waits for have come."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from nbflow.model.base import Duration
from nbflow.model.condition import Condition, ConditionField
from nbflow.plugins import Text, condition_type
from nbflow.triggers.flow import TimeWindow


@condition_type(
    "io.kestra.plugin.core.condition.MultipleCondition",
    old_names=["io.kestra.core.models.conditions.types.MultipleCondition"],
)
class MultipleCondition(Condition):
    """Whether each of some conditions has held, within a time window; the older form of a trigger's preconditions."""

    id: Text = Field(description="Name of the condition, once in a flow.")
    description: Text | None = Field(default=None, description="What it is for.")
    conditions: dict[str, ConditionField] = Field(min_length=1, description="Name → condition; all must have held.")
    time_window: TimeWindow = Field(
        default_factory=TimeWindow,
        validation_alias=AliasChoices("timeWindow", "timeSLA", "sla"),
        description="The time in which they count together.",
    )
    window: Duration | None = Field(default=None, description="Older form of `timeWindow`: its length.")
    window_advance: Duration | None = Field(default=None, description="Older form of `timeWindow`: its beginning.")
    reset_on_success: bool = Field(default=True, description="Whether it all must happen again after it fired.")
