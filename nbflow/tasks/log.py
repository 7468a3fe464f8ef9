"""The task type that writes lines into the execution's log."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Dynamic, Example, LogLevel, RunContext, RunnableTask, Text, task_type


@task_type(
    "io.kestra.plugin.core.log.Log",
    aliases=["log"],
    old_names=["io.kestra.core.tasks.log.Log"],
    examples=[
        Example(
            """
            id: hello
            type: io.kestra.plugin.core.log.Log
            message: Hello from {{ flow.namespace }}.{{ flow.id }}
            """,
            title="Write a line.",
        ),
        Example(
            """
            id: warn
            type: io.kestra.plugin.core.log.Log
            level: WARN
            message:
              - "execution {{ execution.id }}"
              - "started {{ execution.startDate }}"
            """,
            title="Write several lines that matter more.",
        ),
    ],
)
class Log(RunnableTask):
    """Write one or more lines into the log of the execution."""

    message: Dynamic[Text | list[Text]] = Field(description="Text to write, or a list of texts.")
    level: Dynamic[LogLevel] = Field(default=LogLevel.INFO, description="How much the lines matter.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        for line in [self.message] if isinstance(self.message, str) else self.message:
            ctx.log.write(self.level, line)
        return self.Output()
