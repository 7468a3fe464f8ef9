"""The flowable task type whose children say which of the others they wait for."""

from __future__ import annotations

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.model.dag import find_cycle
from nbflow.plugins import Branch, Example, FlowableTask, Model, Order, Outcome, Scope, TaskField, Text, task_type


class DagTask(Model):
    """A task of a Dag, and what it waits for."""

    task: TaskField = Field(description="The task.")
    depends_on: list[Text] = Field(default_factory=list, description="Ids of the tasks that must have succeeded.")


@task_type(
    "io.kestra.plugin.core.flow.Dag",
    aliases=["dag"],
    old_names=["io.kestra.core.tasks.flows.Dag"],
    examples=[
        Example(
            """
            id: parts
            type: io.kestra.plugin.core.flow.Dag
            tasks:
              - task: {id: north, type: return, format: "12"}
              - task: {id: south, type: return, format: "30"}
              - task:
                  id: sum
                  type: return
                  format: "{{ (outputs.north.value | int) + (outputs.south.value | int) }}"
                dependsOn: [north, south]
            """,
            title="Two tasks at once, and one that needs both.",
        )
    ],
)
class Dag(FlowableTask):
    """Run each task as soon as those it depends on have succeeded."""

    concurrent: int | None = Field(default=None, ge=0, description="Tasks at once; 0, or nothing, for all.")
    tasks: list[DagTask] = Field(min_length=1, description="Tasks to run, each with what it depends on.")

    @property
    def needs(self) -> dict[str, list[str]]:
        """Task id → ids of the tasks it waits for."""
        return {item.task.id: [*item.depends_on, *item.task.depends_on] for item in self.tasks}

    async def run(self, scope: Scope) -> Outcome:
        needs = self.needs
        unknown = next((name for wanted in needs.values() for name in wanted if name not in needs), None)
        if unknown is not None:
            raise TaskFailedError(f"there is no task `{unknown}` to depend on here")
        cycle = find_cycle(needs)
        if cycle:
            raise TaskFailedError(f"tasks depend on each other in a circle: {' → '.join(cycle)}")
        return Outcome(await scope.run_dag([item.task for item in self.tasks], needs, limit=self.concurrent or 0))

    def branches(self) -> list[Branch]:
        return [Branch([item.task for item in self.tasks], order=Order.DAG, needs=self.needs)]
