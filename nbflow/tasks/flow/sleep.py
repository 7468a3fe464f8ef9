"""The task type that waits."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from pydantic import Field

from nbflow.plugins import Duration, Dynamic, Example, RunContext, RunnableTask, task_type


@task_type(
    "io.kestra.plugin.core.flow.Sleep",
    aliases=["sleep"],
    examples=[
        Example(
            """
            id: nap
            type: io.kestra.plugin.core.flow.Sleep
            duration: PT0.1S
            """,
            title="Wait for a tenth of a second.",
        )
    ],
)
class Sleep(RunnableTask):
    """Wait for a while."""

    duration: Dynamic[Duration] = Field(description="How long to wait, such as PT5S.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await asyncio.sleep(max(self.duration, timedelta()).total_seconds())
        return self.Output()
