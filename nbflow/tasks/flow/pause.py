"""A task that waits for somebody, or for some time."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AliasChoices, Field

from nbflow.errors import TaskFailedError
from nbflow.model.base import Duration
from nbflow.model.durations import parse_duration
from nbflow.model.inputs import InputField
from nbflow.model.state import State, worst
from nbflow.plugins import Dynamic, Example, FlowableTask, Model, Outcome, Scope, TaskField, task_type
from nbflow.types import JsonValue


class PauseBehavior(StrEnum):
    """What becomes of the pause when its time is over."""

    RESUME = "RESUME"
    WARN = "WARN"
    FAIL = "FAIL"
    CANCEL = "CANCEL"


class Resumed(Model):
    """How a pause came to its end."""

    on: datetime = Field(description="When it was resumed.")


_ENDS = {
    PauseBehavior.RESUME: State.SUCCESS,
    PauseBehavior.WARN: State.WARNING,
    PauseBehavior.FAIL: State.FAILED,
    PauseBehavior.CANCEL: State.CANCELLED,
}


@task_type(
    "io.kestra.plugin.core.flow.Pause",
    aliases=["pause"],
    old_names=["io.kestra.core.tasks.flows.Pause"],
    examples=[
        Example(
            """
            id: wait
            type: io.kestra.plugin.core.flow.Pause
            pauseDuration: PT0.05S
            """,
            title="Go on after some time.",
        ),
        Example(
            """
            - id: approve
              type: io.kestra.plugin.core.flow.Pause
              onResume:
                - id: approved
                  type: BOOLEAN
                  defaults: true
                - id: reason
                  type: STRING
                  required: false
            - id: show
              type: log
              message: "approved: {{ outputs.approve.onResume.approved }}"
            """,
            title="Ask somebody, and use the answers.",
            needs="somebody who resumes it",
        ),
    ],
)
class Pause(FlowableTask):
    """Pause the execution until it is resumed by hand, or some time has passed."""

    class Output(FlowableTask.Output):
        """What it was resumed with."""

        on_resume: dict[str, JsonValue] = Field(default_factory=dict, description="Values of the inputs asked for.")
        resumed: Resumed | None = Field(default=None, description="How it was resumed, if somebody did.")

    pause_duration: Dynamic[Duration] | None = Field(
        default=None,
        validation_alias=AliasChoices("pauseDuration", "delay"),
        description="How long to pause; until somebody resumes it unless said.",
    )
    behavior: PauseBehavior = Field(
        default=PauseBehavior.RESUME, description="What becomes of it when that time is over."
    )
    on_pause: TaskField | None = Field(
        default=None, description="A task to run before, such as one that asks somebody to resume."
    )
    on_resume: list[InputField] = Field(default_factory=list, description="Inputs to ask for when it is resumed.")
    tasks: list[TaskField] = Field(default_factory=list, description="Older form: tasks to run after the pause.")

    async def run(self, scope: Scope) -> Outcome:
        if self.on_pause is not None:
            run = await scope.run(self.on_pause)
            if run is not None and run.state.is_failure:
                return Outcome(run.state)
        began = scope.task_run.start
        duration, timeout = self._length(scope, self.pause_duration), self._length(scope, self.timeout)
        ends: dict[datetime, State] = {}
        if duration is not None:
            ends[began + duration] = _ENDS[self.behavior]
        if timeout is not None and (duration is None or timeout < duration):
            ends = {began + timeout: State.FAILED}
        until = min(ends, default=None)
        run = await scope.pause(until, goes_on=until is None or not ends[until].is_failure)
        state = State.SUCCESS
        if until is not None and "resumed" not in run.outputs:
            state = ends[until]
            if state is State.FAILED:
                scope.log.error("nobody resumed it in time")
        if not state.is_failure and self.tasks:
            state = worst([state, await scope.run_sequence(self.tasks)])
        return Outcome(state, run.outputs)

    def _length(self, scope: Scope, value: object) -> timedelta | None:
        """A duration, rendered when it is an expression."""
        if value is None or isinstance(value, timedelta):
            return value
        rendered = scope.render(value)
        try:
            return parse_duration(str(rendered))
        except ValueError:
            raise TaskFailedError(f"must be an ISO 8601 duration such as PT5M, got {rendered!r}") from None
