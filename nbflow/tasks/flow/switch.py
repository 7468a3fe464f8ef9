"""The flowable task type that picks a list of tasks by a value."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nbflow.plugins import Branch, Example, FlowableTask, Outcome, Scope, State, TaskField, Text, task_type
from nbflow.tasks.flow.values import text_of
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.flow.Switch",
    aliases=["switch"],
    old_names=["io.kestra.core.tasks.flows.Switch"],
    examples=[
        Example(
            """
            id: by_weather
            type: io.kestra.plugin.core.flow.Switch
            value: rain
            cases:
              sun:
                - id: walk
                  type: log
                  message: Let us walk.
              rain:
                - id: read
                  type: log
                  message: Let us read.
            defaults:
              - id: wait
                type: log
                message: Let us see.
            """,
            title="Different tasks for different values.",
        )
    ],
)
class Switch(FlowableTask):
    """Run the tasks of the case that equals a value; without one, the defaults; without these, fail."""

    class Output(FlowableTask.Output):
        value: str = Field(description="The value that decided.")
        defaults: bool = Field(description="Whether the defaults ran.")

    value: Text = Field(description="What decides.")
    cases: dict[Text, list[TaskField]] = Field(default_factory=dict, description="Tasks for each value.")
    defaults: list[TaskField] = Field(default_factory=list, description="Tasks for any other value.")

    @model_validator(mode="after")
    def _has_tasks(self) -> Self:
        if not any(self.cases.values()) and not self.defaults:
            raise ValueError("needs tasks, in `cases` or in `defaults`")
        return self

    async def run(self, scope: Scope) -> Outcome:
        value = text_of(scope.render(self.value))
        branch = self.cases.get(value, self.defaults)
        if value not in self.cases and not self.defaults:
            known = ", ".join(f"`{case}`" for case in self.cases) or "none"
            scope.log.error("no case for the value `%s` and no `defaults`; cases are %s", value, known)
            return Outcome(State.FAILED, {"value": value, "defaults": False})
        outputs: dict[str, JsonValue] = {"value": value, "defaults": value not in self.cases}
        scope.report(outputs)
        return Outcome(await scope.run_sequence(branch), outputs)

    def branches(self) -> list[Branch]:
        branches = [Branch(tasks, case) for case, tasks in self.cases.items()]
        return [*branches, *([Branch(self.defaults, "defaults")] if self.defaults else [])]
