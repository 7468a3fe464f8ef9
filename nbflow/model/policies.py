"""Rules that govern how often, how long and how many at once: retry, concurrency, SLA."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import AliasChoices, Field, model_validator
from pydantic_core import PydanticCustomError

from nbflow.model.base import Duration, Model, yaml_name
from nbflow.model.durations import format_duration
from nbflow.model.labels import Labels


class RetryBehavior(StrEnum):
    """What a flow's retry makes: another try of the failed tasks, or a new execution."""

    RETRY_FAILED_TASK = "RETRY_FAILED_TASK"
    CREATE_NEW_EXECUTION = "CREATE_NEW_EXECUTION"


_SHORTER = {
    "constant": [("interval", "max_duration")],
    "exponential": [("interval", "max_duration"), ("interval", "max_interval")],
    "random": [("min_interval", "max_duration"), ("max_interval", "max_duration"), ("min_interval", "max_interval")],
}
"""For each type of retry the properties of which the first must be the shorter one."""


class Retry(Model):
    """When and how often to try again after a failure.

    `type` may be left out: a `multiplier` makes the retry exponential, otherwise it is constant.
    """

    type: Literal["constant", "exponential", "random"] = Field(
        default="constant", description="How the wait grows: always the same, by a factor, or random within bounds."
    )
    max_attempts: int | None = Field(
        default=None,
        ge=1,
        validation_alias=AliasChoices("maxAttempts", "maxAttempt"),
        description="Attempts in all, the first one counted.",
    )
    interval: Duration | None = Field(
        default=None,
        validation_alias=AliasChoices("interval", "delay"),
        description="Wait before the second attempt.",
    )
    max_duration: Duration | None = Field(default=None, description="No new attempt once this long has passed.")
    max_interval: Duration | None = Field(
        default=None,
        validation_alias=AliasChoices("maxInterval", "maxDelay"),
        description="The longest wait of an exponential or random retry.",
    )
    delay_factor: float | None = Field(
        default=None,
        gt=0,
        validation_alias=AliasChoices("delayFactor", "multiplier"),
        description="Factor by which an exponential wait grows; 2 unless said.",
    )
    min_interval: Duration | None = Field(default=None, description="The shortest wait of a random retry.")
    warning_on_retry: bool = Field(
        default=False, description="End in WARNING when an attempt after the first succeeds."
    )
    behavior: RetryBehavior = Field(
        default=RetryBehavior.RETRY_FAILED_TASK, description="Try the failed tasks again, or start a new execution."
    )

    @model_validator(mode="before")
    @classmethod
    def _read_older_forms(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        if kind is None:
            return {**value, "type": "exponential" if "multiplier" in value or "delayFactor" in value else "constant"}
        if isinstance(kind, str) and kind.startswith("io.kestra.") and ".retry" in kind:
            return {**value, "type": kind.rsplit(".", 1)[-1].lower()}
        return value

    @model_validator(mode="after")
    def _waits_fit_together(self) -> Self:
        for shorter, longer in _SHORTER[self.type]:
            low, high = getattr(self, shorter), getattr(self, longer)
            if low is not None and high is not None and low >= high:
                raise PydanticCustomError(
                    "retry_waits",
                    "must be less than `{longer}` ({high}), got {low}",
                    {
                        "longer": yaml_name(longer),
                        "high": format_duration(high),
                        "low": format_duration(low),
                        "at": yaml_name(shorter),
                    },
                )
        return self

    def wait_before(self, attempt: int, chance: float) -> timedelta:
        """How long to wait before attempt number `attempt` (the second is 2); `chance` in [0, 1) for a random wait."""
        if self.type == "random":
            low = self.min_interval or timedelta()
            high = max(self.max_interval or low, low)
            return low + (high - low) * chance
        interval = self.interval if self.interval is not None else timedelta(seconds=1)
        if self.type == "exponential":
            growth = (self.delay_factor or 2.0) ** (attempt - 2)
            longest = self.max_interval or timedelta(days=365)
            if growth * interval.total_seconds() >= longest.total_seconds():
                return longest
            return interval * growth
        return interval


class ConcurrencyBehavior(StrEnum):
    """What happens to an execution that finds all slots taken."""

    QUEUE = "QUEUE"
    CANCEL = "CANCEL"
    FAIL = "FAIL"


class Concurrency(Model):
    """How many executions of a flow may run at once."""

    limit: int = Field(ge=1, description="Executions that may run at once.")
    behavior: ConcurrencyBehavior = Field(
        default=ConcurrencyBehavior.QUEUE, description="What happens to one more: it waits, is cancelled or fails."
    )


class SlaType(StrEnum):
    """What an SLA watches."""

    MAX_DURATION = "MAX_DURATION"
    EXECUTION_ASSERTION = "EXECUTION_ASSERTION"


class SlaBehavior(StrEnum):
    """What happens to an execution that breaks its SLA."""

    FAIL = "FAIL"
    CANCEL = "CANCEL"
    NONE = "NONE"


class Sla(Model):
    """A promise about an execution, and what happens when it is broken."""

    id: str = Field(description="Name of the promise.")
    type: SlaType = Field(description="What is watched.")
    duration: Duration | None = Field(default=None, description="For MAX_DURATION: how long the execution may take.")
    assert_: str | None = Field(default=None, description="For EXECUTION_ASSERTION: must be true at all times.")
    behavior: SlaBehavior = Field(default=SlaBehavior.FAIL, description="What happens when it is broken.")
    labels: Labels = Field(default_factory=dict, description="Labels that a broken promise adds.")

    @property
    def label_map(self) -> dict[str, str]:
        """The labels; one without a value has the empty text."""
        assert isinstance(self.labels, dict)
        return {key: value or "" for key, value in self.labels.items()}

    @model_validator(mode="after")
    def _has_what_its_type_needs(self) -> Self:
        if self.type is SlaType.MAX_DURATION and self.duration is None:
            raise ValueError("an SLA of type MAX_DURATION needs a `duration`")
        if self.type is SlaType.EXECUTION_ASSERTION and self.assert_ is None:
            raise ValueError("an SLA of type EXECUTION_ASSERTION needs an `assert`")
        return self
