"""The trigger that fires when executions of other flows change their state."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from nbflow.model.base import Duration, yaml_name
from nbflow.plugins import Example, Model, State, Text, Trigger, trigger_type
from nbflow.triggers.cron import check_timezone
from nbflow.triggers.moments import TimeOfDay
from nbflow.types import IDENTIFIER, JsonValue

_ENDED = [State.SUCCESS, State.WARNING, State.FAILED, State.KILLED, State.CANCELLED, State.SKIPPED, State.RETRIED]


class UpstreamFlow(Model):
    """A flow whose execution is waited for."""

    namespace: Text = Field(description="Its namespace.")
    flow_id: Text | None = Field(default=None, description="Its id; any flow of the namespace unless said.")
    states: list[State] = Field(default_factory=list, description="States that count; any unless said.")
    labels: dict[str, Text] = Field(default_factory=dict, description="Labels its execution must have.")


class Dependency(Model):
    """A flow whose execution is waited for, in the newer form."""

    namespace: Text | None = Field(default=None, description="Its namespace; any unless said.")
    flow_id: Text | None = Field(default=None, description="Its id; any flow unless said.")
    states: list[State] = Field(default_factory=list, description="States that count; any unless said.")
    labels: dict[str, Text] = Field(default_factory=dict, description="Labels its execution must have.")
    when: Text | None = Field(default=None, description="Counts only when this expression is true.")


class FilterField(StrEnum):
    """What of an execution a filter looks at."""

    NAMESPACE = "NAMESPACE"
    FLOW_ID = "FLOW_ID"
    STATE = "STATE"
    EXPRESSION = "EXPRESSION"


class FilterType(StrEnum):
    """How a filter compares."""

    EQUAL_TO = "EQUAL_TO"
    NOT_EQUAL_TO = "NOT_EQUAL_TO"
    IN = "IN"
    NOT_IN = "NOT_IN"
    IS_TRUE = "IS_TRUE"
    IS_FALSE = "IS_FALSE"
    IS_NULL = "IS_NULL"
    IS_NOT_NULL = "IS_NOT_NULL"
    STARTS_WITH = "STARTS_WITH"
    ENDS_WITH = "ENDS_WITH"
    CONTAINS = "CONTAINS"
    REGEX = "REGEX"


class Filter(Model):
    """A comparison."""

    field: FilterField = Field(description="What to look at.")
    type: FilterType = Field(description="How to compare.")
    value: Text | None = Field(default=None, description="What to compare with; the expression, for EXPRESSION.")
    values: list[Text] = Field(default_factory=list, description="For IN and NOT_IN.")

    @model_validator(mode="after")
    def _has_what_its_type_compares_with(self) -> Self:
        needed, other = ("values", "value") if self.type in (FilterType.IN, FilterType.NOT_IN) else ("value", "values")
        if needed not in self.model_fields_set or other in self.model_fields_set:
            raise ValueError(f"a filter of type {self.type} needs `{needed}`, and not `{other}`")
        return self


class ExecutionFilter(Model):
    """Comparisons that an execution must pass."""

    id: Text = Field(description="Name of the filter.")
    operand: Text = Field(default="AND", pattern="^(AND|OR)$", description="AND: all must hold; OR: one.")
    filters: list[Filter] = Field(min_length=1, description="The comparisons.")


class WindowType(StrEnum):
    """How the time in which preconditions count is bounded."""

    DAILY_TIME_DEADLINE = "DAILY_TIME_DEADLINE"
    DAILY_TIME_WINDOW = "DAILY_TIME_WINDOW"
    DURATION_WINDOW = "DURATION_WINDOW"
    SLIDING_WINDOW = "SLIDING_WINDOW"


_BOUNDS: dict[WindowType, tuple[tuple[str, ...], tuple[str, ...]]] = {
    WindowType.DAILY_TIME_DEADLINE: (("deadline",), ()),
    WindowType.DAILY_TIME_WINDOW: (("start_time", "end_time"), ()),
    WindowType.DURATION_WINDOW: ((), ("window", "window_advance")),
    WindowType.SLIDING_WINDOW: (("window",), ()),
}
"""For each type of window what it needs, and what it may have beside."""


class TimeWindow(Model):
    """The time in which executions count together."""

    type: WindowType = Field(default=WindowType.DURATION_WINDOW, description="How it is bounded.")
    deadline: TimeOfDay | None = Field(default=None, description="For DAILY_TIME_DEADLINE: the end, from midnight on.")
    start_time: TimeOfDay | None = Field(default=None, description="For DAILY_TIME_WINDOW: the beginning.")
    end_time: TimeOfDay | None = Field(default=None, description="For DAILY_TIME_WINDOW: the end.")
    window: Duration | None = Field(default=None, description="Length; a day unless said.")
    window_advance: Duration | None = Field(default=None, description="How far the beginning is moved.")
    timezone: Text = Field(default="UTC", description="Time zone of the times of day, such as `Europe/Paris`.")

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, value: str) -> str:
        return check_timezone(value)

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        names = {name: yaml_name(name) for name in ("deadline", "start_time", "end_time", "window", "window_advance")}
        needed, allowed = _BOUNDS[self.type]
        for name, written in names.items():
            is_there = getattr(self, name) is not None
            if name in needed and not is_there:
                raise ValueError(f"a window of type {self.type} needs `{written}`")
            if name not in (*needed, *allowed) and is_there:
                raise ValueError(f"a window of type {self.type} has no `{written}`")
        return self


class Window(Model):
    """The time in which dependencies count together: the newer form, whose properties tell its type."""

    deadline: TimeOfDay | None = Field(default=None, description="Each day from midnight until then.")
    from_: TimeOfDay | None = Field(default=None, description="Each day from then until `to`.")
    to: TimeOfDay | None = Field(default=None, description="Each day from `from` until then.")
    lookback: Duration | None = Field(default=None, description="So long before the newest execution.")
    every: Duration | None = Field(default=None, description="Again and again so long; a day unless said.")
    offset: Duration | None = Field(default=None, description="How far the beginning of `every` is moved.")
    timezone: Text = Field(default="UTC", description="Time zone of the times of day, such as `Europe/Paris`.")
    fire_once: bool = Field(default=False, description="Whether it fires at most once in a window.")

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, value: str) -> str:
        return check_timezone(value)

    @model_validator(mode="after")
    def _is_of_one_type(self) -> Self:
        forms = (("deadline",), ("from_", "to"), ("lookback",), ("every", "offset"))
        written = [
            f"`{name.rstrip('_')}`"
            for name in (next((name for name in form if getattr(self, name) is not None), None) for form in forms)
            if name is not None
        ]
        if len(written) > 1:
            raise ValueError(f"{' and '.join(written)} do not go together: they bound the window in different ways")
        if (self.from_ is None) != (self.to is None):
            there, missing = ("`from`", "`to`") if self.to is None else ("`to`", "`from`")
            raise ValueError(f"a window with {there} needs {missing}")
        return self


class Mode(StrEnum):
    """How many of the dependencies must have come."""

    ALL = "ALL"
    ANY = "ANY"
    AT_LEAST = "AT_LEAST"


class Preconditions(Model):
    """What must have happened within a time window before the trigger fires."""

    id: Text = Field(pattern=IDENTIFIER.pattern, description="Name of the preconditions, once in a flow.")
    flows: list[UpstreamFlow] = Field(default_factory=list, description="Flows that must have run.")
    where: list[ExecutionFilter] = Field(default_factory=list, description="Filters executions must pass.")
    time_window: TimeWindow = Field(default_factory=TimeWindow, description="The time in which they count together.")
    reset_on_success: bool = Field(default=True, description="Whether it all must happen again after it fired.")

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.flows and not self.where:
            raise ValueError("preconditions need `flows` or `where`")
        return self


@trigger_type(
    "io.kestra.plugin.core.trigger.Flow",
    aliases=["flow"],
    old_names=["io.kestra.core.models.triggers.types.Flow"],
    examples=[
        Example(
            """
            id: after_load
            type: io.kestra.plugin.core.trigger.Flow
            preconditions:
              id: both
              flows:
                - namespace: company.team
                  flowId: load_orders
                  states: [SUCCESS]
                - namespace: company.team
                  flowId: load_customers
                  states: [SUCCESS]
            """,
            title="When two flows have both ended well.",
        ),
        Example(
            """
            id: on_failure
            type: io.kestra.plugin.core.trigger.Flow
            states: [FAILED]
            conditions:
              - type: io.kestra.plugin.core.condition.ExecutionNamespace
                namespace: company
                comparison: PREFIX
            """,
            title="When any flow of a company has failed.",
        ),
    ],
)
class Flow(Trigger):
    """Start the flow when executions of other flows change their state."""

    class Output(Trigger.Output):
        execution_id: Text = Field(description="The execution whose change made it fire.")
        namespace: Text = Field(description="The namespace of its flow.")
        flow_id: Text = Field(description="Its flow.")
        flow_revision: int = Field(description="The revision of its flow.")
        state: State = Field(description="The state it came to.")
        execution_labels: dict[str, JsonValue] = Field(default_factory=dict, description="Its labels.")
        outputs: dict[str, JsonValue] = Field(default_factory=dict, description="Its outputs.")

    states: list[State] = Field(default_factory=lambda: list(_ENDED), description="States that it fires on.")
    preconditions: Preconditions | None = Field(default=None, description="What must have happened together.")
    depends_on: list[Dependency] = Field(
        default_factory=list, description="Flows that must have run; the newer form of `preconditions.flows`."
    )
    window: Window | None = Field(
        default=None, description="The time in which they count together; the newer form of `timeWindow`."
    )
    mode: Mode = Field(default=Mode.ALL, description="How many of `dependsOn` must have come.")
    min_satisfied: int | None = Field(default=None, ge=1, description="How many, for AT_LEAST.")

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if (self.mode is Mode.AT_LEAST) != (self.min_satisfied is not None):
            raise ValueError("`mode: AT_LEAST` and `minSatisfied` need each other")
        return self
