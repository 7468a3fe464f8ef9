"""The flowable task type that runs another flow."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from nbflow.errors import NbflowError
from nbflow.plugins import Example, FlowableTask, Outcome, Scope, State, task_type
from nbflow.tasks.flow.calling import FlowCall
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.flow.Subflow",
    aliases=["subflow"],
    old_names=["io.kestra.core.tasks.flows.Subflow", "io.kestra.core.tasks.flows.Flow"],
    examples=[
        Example(
            """
            - id: call
              type: io.kestra.plugin.core.flow.Subflow
              namespace: nbflow.examples
              flowId: greet
              inputs:
                name: Ada
              wait: true
              transmitFailed: true
            - id: show
              type: log
              message: "{{ outputs.call.outputs.greeting }}"
            """,
            title="Run another flow, and use what it puts out.",
            flows=(
                """
                id: greet
                namespace: nbflow.examples
                inputs:
                  - id: name
                    type: STRING
                tasks:
                  - id: greet
                    type: return
                    format: Hello {{ inputs.name }}
                outputs:
                  - id: greeting
                    type: STRING
                    value: "{{ outputs.greet.value }}"
                """,
            ),
        )
    ],
)
class Subflow(FlowCall):
    """Run another flow and, unless told otherwise, wait for its end."""

    is_attempted = True

    class Output(FlowableTask.Output):
        execution_id: str = Field(description="Id of the execution that was started.")
        state: State | None = Field(default=None, description="State it ended in, when it was waited for.")
        outputs: dict[str, JsonValue] = Field(default_factory=dict, description="Outputs of the flow.")

    outputs: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Values to take out of a flow that declares no outputs; rendered as if within it. Deprecated.",
    )

    async def run(self, scope: Scope) -> Outcome:
        child = await self.call(scope)
        outputs: dict[str, JsonValue] = {"executionId": child.id}
        if not self.wait:
            return Outcome(State.SUCCESS, outputs)
        outputs["state"] = str(child.state)
        taken = dict(child.outputs)
        if self.outputs and not taken:
            try:
                taken = cast("dict[str, JsonValue]", await scope.render_within(child, self.outputs))
            except NbflowError as error:
                scope.log.error("`outputs` cannot be taken from execution %s: %s", child.id, error)
                return Outcome(State.FAILED, outputs)
        return Outcome(self.state_after(scope, child), {**outputs, "outputs": taken})
