"""The trigger that fires when somebody calls an address."""

from __future__ import annotations

from pydantic import Field, field_validator

from nbflow.model.condition import Condition
from nbflow.plugins import Example, Text, Trigger, trigger_type
from nbflow.triggers.conditions.multiple import MultipleCondition
from nbflow.types import JsonValue


@trigger_type(
    "io.kestra.plugin.core.trigger.Webhook",
    aliases=["webhook"],
    old_names=["io.kestra.core.models.triggers.types.Webhook"],
    examples=[
        Example(
            """
            id: on_call
            namespace: nbflow.examples
            tasks:
              - id: show
                type: log
                message: "{{ trigger.body }}"
            triggers:
              - id: hook
                type: io.kestra.plugin.core.trigger.Webhook
                key: 4wjtkzwVGBM9yKnjm3yv8r
            """,
            title="When its address is called; the body is there in the flow.",
        )
    ],
)
class Webhook(Trigger):
    """Start the flow when its webhook address is called."""

    class Output(Trigger.Output):
        body: JsonValue = Field(default=None, description="What was sent; parsed when it is JSON.")
        headers: dict[str, list[str]] = Field(default_factory=dict, description="Headers of the call.")
        parameters: dict[str, list[str]] = Field(default_factory=dict, description="Query parameters of the call.")

    key: Text = Field(
        min_length=1, max_length=256, description="Last part of the address; hard to guess, or from `secret()`."
    )
    wait: bool = Field(default=False, description="Whether the caller gets its answer once the execution has ended.")
    return_outputs: bool = Field(default=False, description="Whether that answer holds the outputs of the flow.")

    @field_validator("conditions")
    @classmethod
    def _look_at_one_call(cls, conditions: list[Condition]) -> list[Condition]:
        if any(isinstance(condition, MultipleCondition) for condition in conditions):
            raise ValueError("a webhook cannot wait for several executions: `MultipleCondition` is for Flow triggers")
        return conditions
