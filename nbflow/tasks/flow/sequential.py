"""Flowable task types that run their children one after another."""

from __future__ import annotations

from pydantic import Field

from nbflow.plugins import Example, FlowableTask, Outcome, Scope, State, TaskField, task_type


@task_type(
    "io.kestra.plugin.core.flow.Sequential",
    aliases=["sequential"],
    old_names=["io.kestra.core.tasks.flows.Sequential"],
    examples=[
        Example(
            """
            id: steps
            type: io.kestra.plugin.core.flow.Sequential
            tasks:
              - {id: first, type: log, message: first}
              - {id: second, type: log, message: second}
            """,
            title="One task after another, as a group.",
        )
    ],
)
class Sequential(FlowableTask):
    """Run tasks one after another, until one fails."""

    tasks: list[TaskField] = Field(min_length=1, description="Tasks to run.")

    async def run(self, scope: Scope) -> Outcome:
        return Outcome(await scope.run_sequence(self.tasks))


@task_type(
    "io.kestra.plugin.core.flow.AllowFailure",
    aliases=["allow_failure"],
    old_names=["io.kestra.core.tasks.flows.AllowFailure"],
    examples=[
        Example(
            """
            - id: try
              type: io.kestra.plugin.core.flow.AllowFailure
              tasks:
                - {id: broken, type: fail, errorMessage: not today}
                - {id: left_out, type: log, message: never}
            - id: after
              type: log
              message: the flow goes on, and ends in WARNING
            """,
            title="Go on although a task has failed.",
            state=State.WARNING,
        )
    ],
)
class AllowFailure(FlowableTask):
    """Run tasks one after another; when one fails, end in WARNING and let the flow go on."""

    tasks: list[TaskField] = Field(min_length=1, description="Tasks that may fail.")

    async def run(self, scope: Scope) -> Outcome:
        state = await scope.run_sequence(self.tasks)
        if state is not State.FAILED:
            return Outcome(state)
        # The engine runs `errors` for a flowable that ends in FAILED; this one never does.
        await scope.run_sequence(self.errors)
        return Outcome(State.WARNING)
