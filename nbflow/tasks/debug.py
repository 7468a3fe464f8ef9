"""Task types that show a rendered text: as an output, or in the log."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Dynamic, Example, LogLevel, RunContext, RunnableTask, Text, task_type


@task_type(
    "io.kestra.plugin.core.debug.Return",
    aliases=["return"],
    old_names=["io.kestra.core.tasks.debugs.Return"],
    examples=[
        Example(
            """
            - id: name
              type: io.kestra.plugin.core.debug.Return
              format: "{{ 'ada' | capitalize }}"
            - id: show
              type: log
              message: "{{ outputs.name.value }}"
            """,
            title="Make a value for later tasks.",
        )
    ],
)
class Return(RunnableTask):
    """Render a text and put it out."""

    class Output(RunnableTask.Output):
        value: Text | None = Field(default=None, description="The rendered text.")

    format: Dynamic[Text] | None = Field(default=None, description="Text to render.")

    async def run(self, ctx: RunContext) -> Output:
        ctx.log.write(LogLevel.DEBUG, self.format or "")
        return self.Output(value=self.format)


@task_type(
    "io.kestra.plugin.core.debug.Echo",
    aliases=["echo"],
    old_names=["io.kestra.core.tasks.debugs.Echo"],
    examples=[
        Example(
            """
            id: say
            type: io.kestra.plugin.core.debug.Echo
            format: "{{ task.id }} of {{ flow.id }}"
            level: INFO
            """,
            title="Write a line; newer flows say Log.",
        )
    ],
)
class Echo(RunnableTask):
    """Write a rendered text into the log; the older form of Log."""

    format: Dynamic[Text] = Field(description="Text to write.")
    level: Dynamic[LogLevel] = Field(default=LogLevel.INFO, description="How much the line matters.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        ctx.log.write(self.level, self.format)
        return self.Output()
