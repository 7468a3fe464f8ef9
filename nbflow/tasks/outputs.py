"""Task types that put out values without doing anything else."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nbflow.model.dynamic import AS_TEXT
from nbflow.plugins import Dynamic, Example, RunContext, RunnableTask, Text, task_type
from nbflow.plugins.truth import is_true
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.output.OutputValues",
    aliases=["output_values"],
    examples=[
        Example(
            """
            - id: values
              type: io.kestra.plugin.core.output.OutputValues
              values:
                day: "{{ execution.startDate | date('yyyy-MM-dd') }}"
                countries: [FR, "NO"]
            - id: show
              type: log
              message: "{{ outputs.values.values.day }}"
            """,
            title="Several values at once, each under its name.",
        )
    ],
)
class OutputValues(RunnableTask):
    """Render values and put them out under their names."""

    class Output(RunnableTask.Output):
        values: dict[str, JsonValue] = Field(description="The rendered values.")

    values: Annotated[Dynamic[dict[str, JsonValue]], AS_TEXT] = Field(
        description="Names and values; what an expression gives is text, as in Kestra."
    )

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(values=self.values)


@task_type(
    "io.kestra.plugin.core.condition.Expression",
    aliases=["expression"],
    examples=[
        Example(
            """
            - id: is_large
              type: io.kestra.plugin.core.condition.Expression
              expression: "{{ 7 > 5 }}"
            - id: tell
              type: log
              message: that is a lot
              runIf: "{{ outputs.is_large.value }}"
            """,
            title="Ask once, and let several tasks depend on the answer.",
        )
    ],
)
class Expression(RunnableTask):
    """Tell whether an expression is true, for conditions of later tasks."""

    class Output(RunnableTask.Output):
        value: bool = Field(description="Whether the expression is true.")

    expression: Dynamic[Text] = Field(description="Expression to evaluate.")

    async def run(self, ctx: RunContext) -> Output:
        return self.Output(value=is_true(self.expression))
