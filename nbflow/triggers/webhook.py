"""The trigger that fires when somebody calls an address."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Text, Trigger, trigger_type


@trigger_type(
    "io.kestra.plugin.core.trigger.Webhook",
    aliases=["webhook"],
    old_names=["io.kestra.core.models.triggers.types.Webhook"],
)
class Webhook(Trigger):
    """Start the flow when its webhook address is called."""

    key: Text = Field(
        min_length=1, max_length=256, description="Last part of the address; hard to guess, or from `secret()`."
    )
    wait: bool = Field(default=False, description="Whether the caller gets its answer once the execution has ended.")
    return_outputs: bool = Field(default=False, description="Whether that answer holds the outputs of the flow.")
