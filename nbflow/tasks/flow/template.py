"""The flowable task type that runs the tasks of another flow in place, as if they stood in this one."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Example, FlowableTask, Outcome, Scope, State, Text, task_type
from nbflow.tasks.flow.values import text_of
from nbflow.types import JsonValue


@task_type(
    "io.kestra.plugin.core.flow.Template",
    aliases=["flow_template"],
    old_names=["io.kestra.core.tasks.flows.Template"],
    examples=[
        Example(
            """
            id: shared
            type: io.kestra.plugin.core.flow.Template
            namespace: nbflow.examples
            templateId: steps
            args:
              name: Ada
            """,
            title="Run the tasks of another flow here.",
            flows=(
                """
                id: steps
                namespace: nbflow.examples
                tasks:
                  - id: show
                    type: log
                    message: Hello {{ parent.outputs.args.name }}
                """,
            ),
        )
    ],
)
class Template(FlowableTask):
    """Run the tasks of a template in place: of a flow that is deployed under this namespace and id.

    They read what `args` hands over as `{{ parent.outputs.args.name }}`. The template is read anew in each execution;
    its `errors` run when one of its tasks has failed. Its inputs, triggers and outputs play no part.
    """

    class Output(FlowableTask.Output):
        args: dict[str, str] = Field(description="What was handed over.")

    namespace: Text = Field(description="Namespace of the template.")
    template_id: Text = Field(description="Id of the template.")
    args: dict[str, Text] = Field(default_factory=dict, description="Values for its tasks, by name.")

    async def run(self, scope: Scope) -> Outcome:
        tasks, errors = await scope.read_tasks(
            text_of(scope.render(self.namespace)), text_of(scope.render(self.template_id))
        )
        outputs: dict[str, JsonValue] = {}
        if self.args:
            outputs["args"] = {name: text_of(scope.render(value)) for name, value in self.args.items()}
            scope.report(outputs)
        state = await scope.run_sequence(tasks)
        if state is State.FAILED:
            await scope.run_sequence(errors)
        return Outcome(state, outputs)
