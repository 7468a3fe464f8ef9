"""The flowable task type that runs its children once for each item, each round by itself: Kestra 2's ForEach."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from nbflow.errors import NbflowError, TaskFailedError
from nbflow.model.outputs import FlowOutput
from nbflow.model.state import worst
from nbflow.plugins import Example, FlowableTask, Outcome, Scope, State, TaskField, Text, task_type
from nbflow.plugins.truth import is_true
from nbflow.tasks.flow.values import Item, read_items
from nbflow.tasks.working_files import is_stored
from nbflow.types import JsonValue


class FetchType(StrEnum):
    """Where the outputs of a Loop go."""

    AUTO = "AUTO"
    FETCH = "FETCH"
    STORE = "STORE"


@dataclass(slots=True)
class _Rounds:
    """The rounds of one Loop: those not begun, and how the others ended."""

    waiting: Iterator[tuple[int, Item]]
    states: dict[int, State] = field(default_factory=dict)
    outputs: dict[int, JsonValue] = field(default_factory=dict)

    def stop(self) -> None:
        """Begin no further round."""
        self.waiting = iter(())


@task_type(
    "io.kestra.plugin.core.flow.Loop",
    aliases=["loop"],
    examples=[
        Example(
            """
            - id: rounds
              type: io.kestra.plugin.core.flow.Loop
              values: [1, 2, 3]
              tasks:
                - id: double
                  type: return
                  format: "{{ (item.value | int) * 2 }}"
              outputs:
                - id: doubled
                  type: INT
                  value: "{{ outputs.double.value }}"
            - id: show
              type: log
              message: "{{ outputs.rounds.outputs[2].outputs.doubled }}"
            """,
            title="Take a value out of each round.",
        )
    ],
)
class Loop(FlowableTask):
    """Run tasks once for each value; `{{ item.value }}` and `{{ item.index }}` tell the rounds apart.

    A round sees its own outputs as `outputs.child`, and the item of the loop around as `item.parent`. What follows
    the loop sees what is declared under `outputs`: `outputs.id.outputs[0].outputs.name`.
    """

    class Output(FlowableTask.Output):
        iteration_count: int = Field(description="Number of rounds that were run.")
        terminated_iterations: dict[str, int] = Field(description="State → how many rounds ended in it.")
        outputs: list[dict[str, JsonValue]] = Field(
            default_factory=list, description="For each round its `item` (`value`, `iteration`, `key`) and `outputs`."
        )

    is_loop: ClassVar[bool] = True

    values: list[JsonValue] | dict[str, JsonValue] | Text = Field(
        description="A list, a map (each item has a `key` then), or JSON text of either."
    )
    concurrency_limit: int = Field(default=0, ge=0, description="Rounds at once; 1: one after another, 0: all.")
    transmit_failed: bool = Field(default=True, description="Whether this task fails when a round fails.")
    outputs: list[FlowOutput] = Field(default_factory=list, description="Values to take out of each round.")
    fetch_type: FetchType = Field(
        default=FetchType.AUTO, description="STORE puts the outputs of each round into a stored file of its own."
    )
    break_when: Text | None = Field(
        default=None, description="Looked at after each round: when it is true, no further one begins."
    )
    tasks: list[TaskField] = Field(min_length=1, description="Tasks of one round; they run one after another.")

    @property
    def rounds_are_in_order(self) -> bool:
        return self.concurrency_limit == 1

    async def run(self, scope: Scope) -> Outcome:
        values = scope.render(self.values)
        if isinstance(values, str) and is_stored(values.strip()):
            raise TaskFailedError(
                "`values` is a stored file, which Loop cannot read yet",
                hint="run a flow for its lines with ForEachItem",
            )
        items = read_items(values, "values")
        rounds = _Rounds(iter(enumerate(items)))
        workers = min(self.concurrency_limit or len(items), len(items))
        await scope.run_together([self._work(scope, rounds) for _ in range(workers)])
        ended = Counter(str(state) for state in rounds.states.values())
        outputs: dict[str, JsonValue] = {
            "iterationCount": len(rounds.states),
            "terminatedIterations": dict(ended),
        }
        if self.outputs:
            outputs["outputs"] = [rounds.outputs[number] for number in sorted(rounds.outputs)]
        return Outcome(worst(rounds.states.values()) if self.transmit_failed else State.SUCCESS, outputs)

    async def _work(self, scope: Scope, rounds: _Rounds) -> State:
        """Take one round after the other until there are no more."""
        while (taken := next(rounds.waiting, None)) is not None:
            number, item = taken
            try:
                state = await self._round(scope, rounds, number, item)
            except (NbflowError, ValueError) as error:
                scope.log.error("round %d: %s", number, error)
                state = State.FAILED
            rounds.states[number] = state
            if state.is_failure and self.transmit_failed and self.concurrency_limit == 1:
                rounds.stop()
        return State.SUCCESS

    async def _round(self, scope: Scope, rounds: _Rounds, number: int, item: Item) -> State:
        iteration: dict[str, object] = {}
        names = {"item": _item_names(scope, number, item), "iteration": iteration}
        inside = scope.round(item.text, number, names)
        state = await inside.run_sequence(self.tasks)
        outputs = {} if state.is_failure else self._take(inside)
        if outputs:
            about: dict[str, JsonValue] = {"value": item.value, "iteration": number}
            if item.key is not None:
                about["key"] = item.key
            kept = await self._kept(scope, number, outputs)
            rounds.outputs[number] = {"item": about, "outputs": kept}
        if self.break_when is not None:
            iteration.update(state=str(state), outputs=outputs, executionId=inside.render("{{ execution.id }}"))
            if is_true(inside.render(self.break_when)):
                rounds.stop()
        return state

    def _take(self, inside: Scope) -> dict[str, JsonValue]:
        """The declared outputs of a round. Raises: NbflowError, ValueError when one is missing that is required."""
        outputs: dict[str, JsonValue] = {}
        for declared in self.outputs:
            try:
                outputs[declared.id] = declared.read(inside.render(declared.value))
            except (NbflowError, ValueError):
                if declared.required:
                    raise
        return outputs

    async def _kept(self, scope: Scope, number: int, outputs: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if self.fetch_type is not FetchType.STORE:
            return outputs
        content = json.dumps(outputs, ensure_ascii=False, separators=(",", ":"))
        return {"uri": await scope.store(f"{number}/outputs.ion", f"{content}\n".encode())}


def _item_names(scope: Scope, number: int, item: Item) -> dict[str, object]:
    """What `{{ item.… }}` sees in a round; `parents` are the items of the loops around, the nearest first."""
    names: dict[str, object] = {"value": item.value, "index": number}
    if item.key is not None:
        names["key"] = item.key
    around = scope.names.get("item")
    if isinstance(around, dict):
        names["parent"] = around
        names["parents"] = [around, *around.get("parents", [])]
    return names
