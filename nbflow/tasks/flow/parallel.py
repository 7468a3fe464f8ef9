"""The flowable task type that runs its children at once."""

from __future__ import annotations

from pydantic import Field

from nbflow.model.state import worst
from nbflow.plugins import Branch, Example, FlowableTask, Order, Outcome, Scope, TaskField, task_type


@task_type(
    "io.kestra.plugin.core.flow.Parallel",
    aliases=["parallel"],
    old_names=["io.kestra.core.tasks.flows.Parallel"],
    examples=[
        Example(
            """
            id: together
            type: io.kestra.plugin.core.flow.Parallel
            concurrent: 2
            tasks:
              - {id: one, type: sleep, duration: PT0.01S}
              - {id: two, type: sleep, duration: PT0.01S}
              - {id: three, type: sleep, duration: PT0.01S}
            """,
            title="Three tasks, two at a time.",
        )
    ],
)
class Parallel(FlowableTask):
    """Run tasks at once; one that fails does not stop the others."""

    concurrent: int | None = Field(default=None, ge=0, description="Tasks at once; 0, or nothing, for all.")
    tasks: list[TaskField] = Field(min_length=1, description="Tasks to run.")

    async def run(self, scope: Scope) -> Outcome:
        jobs = [scope.run_sequence([task]) for task in self.tasks]
        return Outcome(worst(await scope.run_together(jobs, limit=self.concurrent or 0)))

    def branches(self) -> list[Branch]:
        return [Branch(self.tasks, order=Order.PARALLEL)]
