"""Flowable task types that run their children once for each item of a list."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nbflow.model.state import worst
from nbflow.plugins import Branch, Example, FlowableTask, Order, Outcome, Scope, State, Task, TaskField, Text, task_type
from nbflow.tasks.flow.values import items_of
from nbflow.types import JsonValue


async def _one_after_another(scope: Scope, tasks: list[Task], items: list[str]) -> State:
    """A round that fails ends the loop."""
    states = []
    for number, item in enumerate(items):
        states.append(await scope.run_sequence(tasks, value=item, iteration=number))
        if states[-1].is_failure:
            break
    return worst(states)


@task_type(
    "io.kestra.plugin.core.flow.ForEach",
    aliases=["foreach", "for_each"],
    examples=[
        Example(
            """
            id: cities
            type: io.kestra.plugin.core.flow.ForEach
            values: [Paris, Oslo, Lima]
            concurrencyLimit: 2
            tasks:
              - id: measure
                type: return
                format: "{{ taskrun.value | length }} letters"
            """,
            title="A task for each value, two rounds at once.",
        ),
        Example(
            """
            - id: each
              type: io.kestra.plugin.core.flow.ForEach
              values: "{{ {'north': 1, 'south': 2} }}"
              tasks:
                - id: part
                  type: return
                  format: "{{ taskrun.iteration }}: {{ taskrun.value }}"
            - id: show
              type: log
              message: "{{ outputs.part | jq('length') | first }} rounds"
            """,
            title="The entries of a map, and what came out of the rounds.",
        ),
    ],
)
class ForEach(FlowableTask):
    """Run tasks once for each value; `{{ taskrun.value }}` and `{{ taskrun.iteration }}` tell the rounds apart."""

    is_loop: ClassVar[bool] = True

    values: list[JsonValue] | dict[str, JsonValue] | Text = Field(
        description="A list, a map (its entries become items with `key` and `value`), or JSON text of either."
    )
    concurrency_limit: int = Field(default=1, ge=0, description="Rounds at once; 1: one after another, 0: all.")
    tasks: list[TaskField] = Field(min_length=1, description="Tasks of one round; they run one after another.")

    @property
    def rounds_are_in_order(self) -> bool:
        return self.concurrency_limit == 1

    async def run(self, scope: Scope) -> Outcome:
        items = items_of(scope.render(self.values), "values")
        if self.concurrency_limit == 1:
            return Outcome(await _one_after_another(scope, self.tasks, items))
        rounds = [scope.run_sequence(self.tasks, value=item, iteration=number) for number, item in enumerate(items)]
        return Outcome(worst(await scope.run_together(rounds, limit=self.concurrency_limit)))


@task_type(
    "io.kestra.plugin.core.flow.EachSequential",
    aliases=["each_sequential"],
    old_names=["io.kestra.core.tasks.flows.EachSequential"],
    examples=[
        Example(
            """
            id: each
            type: io.kestra.plugin.core.flow.EachSequential
            value: '["a", "b"]'
            tasks:
              - id: show
                type: log
                message: "{{ task.id }} with {{ taskrun.value }}"
            """,
            title="Round after round; newer flows say ForEach.",
        )
    ],
)
class EachSequential(FlowableTask):
    """Run tasks for each value, one round after another; the older form of ForEach."""

    is_loop: ClassVar[bool] = True

    value: list[JsonValue] | dict[str, JsonValue] | Text = Field(description="A list, or JSON text of one.")
    tasks: list[TaskField] = Field(min_length=1, description="Tasks of one round; they run one after another.")

    async def run(self, scope: Scope) -> Outcome:
        return Outcome(await _one_after_another(scope, self.tasks, items_of(scope.render(self.value), "value")))


@task_type(
    "io.kestra.plugin.core.flow.EachParallel",
    aliases=["each_parallel"],
    old_names=["io.kestra.core.tasks.flows.EachParallel"],
    examples=[
        Example(
            """
            id: each
            type: io.kestra.plugin.core.flow.EachParallel
            value: [a, b, c]
            concurrent: 2
            tasks:
              - id: show
                type: log
                message: "{{ taskrun.value }}"
            """,
            title="All rounds at once; newer flows say ForEach with `concurrencyLimit: 0`.",
        )
    ],
)
class EachParallel(FlowableTask):
    """Run tasks for each value, all at once; the older form of ForEach."""

    is_loop: ClassVar[bool] = True

    concurrent: int | None = Field(default=None, ge=0, description="Tasks at once; 0, or nothing, for all.")
    value: list[JsonValue] | dict[str, JsonValue] | Text = Field(description="A list, or JSON text of one.")
    tasks: list[TaskField] = Field(min_length=1, description="Tasks of one round; they run at once, too.")

    @property
    def rounds_are_in_order(self) -> bool:
        return False

    async def run(self, scope: Scope) -> Outcome:
        jobs = [
            scope.run_sequence([task], value=item, iteration=number)
            for number, item in enumerate(items_of(scope.render(self.value), "value"))
            for task in self.tasks
        ]
        return Outcome(worst(await scope.run_together(jobs, limit=self.concurrent or 0)))

    def branches(self) -> list[Branch]:
        return [Branch(self.tasks, order=Order.PARALLEL)]
