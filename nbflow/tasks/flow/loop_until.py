"""The flowable task type that runs its children again and again until a condition is true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PositiveInt

from nbflow.model.durations import format_duration
from nbflow.model.dynamic import render_model
from nbflow.model.state import worst
from nbflow.plugins import (
    Duration,
    Dynamic,
    Example,
    FlowableTask,
    Model,
    Outcome,
    Scope,
    State,
    TaskField,
    Text,
    task_type,
)
from nbflow.plugins.truth import is_true
from nbflow.types import JsonValue


def _some_time(length: timedelta) -> timedelta:
    if length <= timedelta():
        raise ValueError(f"must be longer than nothing, got {format_duration(length)}: give PT1S or more")
    return length


_Time = Annotated[Duration, AfterValidator(_some_time)]


class CheckFrequency(Model):
    """How often a LoopUntil goes round, and for how long."""

    interval: Dynamic[_Time] = Field(
        default=timedelta(seconds=1), description="Time between the end of a round and the start of the next."
    )
    max_duration: Dynamic[_Time] | None = Field(
        default=None, description="No round starts later than this after the task has; without it, there is no end."
    )
    max_iterations: Dynamic[PositiveInt] | None = Field(
        default=None, description="Most rounds there are; any number unless said."
    )

    def reached(self, begun: datetime, ended: datetime, rounds: int) -> str:
        """Why there is no further round after one that ended then; nothing when there is one."""
        if self.max_iterations is not None and rounds >= self.max_iterations:
            return f"the condition is not true after round {rounds}, the last that `maxIterations` allows"
        if self.max_duration is not None and ended + self.interval > begun + self.max_duration:
            allowed = format_duration(self.max_duration)
            return f"the condition is not true after round {rounds}, the last that `maxDuration` ({allowed}) allows"
        return ""


@task_type(
    "io.kestra.plugin.core.flow.LoopUntil",
    aliases=["loop_until"],
    old_names=[
        "io.kestra.plugin.core.flow.WaitFor",
        "io.kestra.core.tasks.flows.WaitFor",
        "io.kestra.core.tasks.flows.LoopUntil",
    ],
    examples=[
        Example(
            """
            id: poll
            type: io.kestra.plugin.core.flow.LoopUntil
            condition: "{{ outputs.count.value | int >= 3 }}"
            checkFrequency:
              interval: PT0.01S
              maxIterations: 10
            tasks:
              - id: count
                type: return
                format: "{{ outputs.poll.iterationCount }}"
            """,
            title="Ask again and again until an answer is right.",
        )
    ],
)
class LoopUntil(FlowableTask):
    """Run tasks in rounds until a condition is true after one of them.

    `outputs.child` is what a child put out in the newest round, `outputs.id.iterationCount` the number of the round,
    from 1. When the engine stops, the time between two rounds goes on: it is counted from the end of the last one.
    """

    class Output(FlowableTask.Output):
        iteration_count: int = Field(description="Rounds so far, the present one included.")

    is_loop: ClassVar[bool] = True

    condition: Text = Field(description="Looked at after each round; ends the loop unless false, 0, nothing or null.")
    check_frequency: CheckFrequency = Field(
        default_factory=CheckFrequency, description="How long to wait between rounds, and how many there may be."
    )
    fail_on_max_reached: Dynamic[bool] = Field(
        default=False, description="Whether to fail when there may be no more rounds; otherwise the flow goes on."
    )
    tasks: list[TaskField] = Field(min_length=1, description="Tasks of one round; they run one after another.")

    async def run(self, scope: Scope) -> Outcome:
        frequency = render_model(self.check_frequency, lambda value, _: scope.render(value))
        fails = render_model(self, lambda value, _: scope.render(value)).fail_on_max_reached
        begun = _begun(scope)
        # The round that was under way in an earlier life; what had ended of it is not run again.
        rounds = _reported(scope)
        while True:
            scope.report({"iterationCount": rounds})
            state, ended = await self._round(scope, rounds - 1, begun + rounds * frequency.interval)
            outcome = Outcome(state, {"iterationCount": rounds})
            if state.is_failure or is_true(scope.render(self.condition)):
                return outcome
            reached = frequency.reached(begun, ended, rounds)
            if reached and fails:
                scope.log.error("%s", reached)
                return Outcome(State.FAILED, outcome.outputs)
            if reached:
                scope.log.warning("%s", reached)
                return outcome
            await scope.wait_until(ended + frequency.interval)
            rounds += 1

    def rewound(self, outputs: Mapping[str, JsonValue], iteration: int) -> Mapping[str, JsonValue]:
        return {**outputs, "iterationCount": iteration + 1}

    async def _round(self, scope: Scope, number: int, planned: datetime) -> tuple[State, datetime]:
        """Run the children once: how that ended, and when; `planned` when no child ran at all."""
        states: list[State] = []
        ended = planned
        for child in self.tasks:
            run = await scope.run(child, iteration=number)
            if run is not None:
                states.append(run.state)
                ended = run.end or planned
                if run.state.is_failure:
                    break
        return worst(states), ended


def _begun(scope: Scope) -> datetime:
    """Since when rounds are counted as late: a restart by hand begins anew."""
    moves = scope.task_run.history.moves
    return next(since for state, since in reversed(moves) if state in (State.CREATED, State.RESTARTED))


def _reported(scope: Scope) -> int:
    rounds = scope.task_run.outputs.get("iterationCount")
    return rounds if isinstance(rounds, int) else 1
