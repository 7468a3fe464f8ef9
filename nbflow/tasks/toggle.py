"""The task type that switches a trigger on or off."""

from __future__ import annotations

import asyncio

from pydantic import Field

from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type


@task_type(
    "io.kestra.plugin.core.trigger.Toggle",
    aliases=["toggle"],
    old_names=["io.kestra.core.tasks.trigger.Toggle"],
    examples=[
        Example(
            """
            id: once
            namespace: nbflow.examples
            tasks:
              - id: off
                type: io.kestra.plugin.core.trigger.Toggle
                trigger: nightly
                enabled: false
            triggers:
              - id: nightly
                type: io.kestra.plugin.core.trigger.Schedule
                cron: "0 3 * * *"
            """,
            title="A flow that switches its own trigger off.",
        )
    ],
)
class Toggle(RunnableTask):
    """Switch a trigger on or off, of this flow or of another one."""

    trigger: Dynamic[Text] = Field(description="Id of the trigger.")
    enabled: Dynamic[bool] = Field(default=False, description="Whether it is switched on; off unless said.")
    namespace: Dynamic[Text] | None = Field(default=None, description="Namespace of its flow; this one's unless said.")
    flow_id: Dynamic[Text] | None = Field(default=None, description="Id of its flow; this one unless said.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        namespace, flow_id = self.namespace or ctx.namespace, self.flow_id or ctx.flow_id
        await asyncio.to_thread(ctx.triggers.switch, namespace, flow_id, self.trigger, is_on=self.enabled)
        return self.Output()
