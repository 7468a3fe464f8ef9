"""What every trigger declares."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from nbflow.model.base import Model, Text
from nbflow.model.condition import ConditionField
from nbflow.model.labels import LabelsToGive
from nbflow.model.plugin import Plugin, plugin_field
from nbflow.model.state import State
from nbflow.model.task import LogLevel, WorkerGroup
from nbflow.types import IDENTIFIER, JsonValue


class Trigger(Plugin):
    """What starts executions of a flow by itself."""

    class Output(Model):
        """What `{{ trigger.… }}` sees in the executions it starts."""

    plugin_kind: ClassVar[str] = "trigger"

    id: Text = Field(pattern=IDENTIFIER.pattern, description="Name of the trigger, once in a flow.")
    description: Text | None = Field(default=None, description="What the trigger is for.")
    disabled: bool = Field(default=False, description="Whether the trigger is switched off.")
    conditions: list[ConditionField] = Field(default_factory=list, description="Fires only when all of these hold.")
    when: Text | None = Field(default=None, description="Fires only when this expression is true.")
    inputs: dict[str, JsonValue] = Field(default_factory=dict, description="Inputs of the executions it starts.")
    labels: LabelsToGive = Field(default_factory=dict, description="Labels of the executions it starts.")
    stop_after: list[State] = Field(
        default_factory=list, description="Switch the trigger off after an execution ended in one of these states."
    )
    allow_concurrent: bool = Field(
        default=False, description="Whether it fires while an execution that it started still runs."
    )
    log_level: LogLevel | None = Field(
        default=None,
        validation_alias=AliasChoices("logLevel", "minLogLevel"),
        description="Least level of log lines that are kept.",
    )
    worker_group: WorkerGroup | None = Field(default=None, description="Accepted, without effect.")


TriggerField = Annotated[Trigger, plugin_field(Trigger)]
"""A trigger of any type, chosen by its `type`."""
