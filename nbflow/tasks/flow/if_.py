"""The flowable task type that runs one of two lists of tasks."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Branch, Example, FlowableTask, Outcome, Scope, State, TaskField, Text, task_type
from nbflow.plugins.truth import is_true
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.flow.If",
    aliases=["if"],
    old_names=["io.kestra.core.tasks.flows.If"],
    examples=[
        Example(
            """
            id: check
            type: io.kestra.plugin.core.flow.If
            condition: "{{ 3 > 2 }}"
            then:
              - id: "yes"
                type: log
                message: It is.
            else:
              - id: "no"
                type: log
                message: It is not.
            """,
            title="One way or the other.",
        )
    ],
)
class If(FlowableTask):
    """Run some tasks when a condition is true, and others when it is not."""

    class Output(FlowableTask.Output):
        evaluation_result: bool = Field(description="Whether the condition was true.")

    condition: Text = Field(description="False when it renders to `false`, `0`, `-0`, nothing or null; else true.")
    then: list[TaskField] = Field(min_length=1, description="Tasks to run when it is true.")
    else_: list[TaskField] = Field(default_factory=list, description="Tasks to run when it is false.")

    async def run(self, scope: Scope) -> Outcome:
        holds = is_true(scope.render(self.condition))
        outputs: dict[str, JsonValue] = {"evaluationResult": holds}
        scope.report(outputs)
        branch = self.then if holds else self.else_
        state = await scope.run_sequence(branch) if branch else State.SUCCESS
        return Outcome(state, outputs)

    def branches(self) -> list[Branch]:
        return [Branch(self.then, "then"), *([Branch(self.else_, "else")] if self.else_ else [])]
