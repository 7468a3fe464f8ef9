"""Task types that act on the execution they run in: fail it, check it, label it, set its variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.plugins import Dynamic, Example, Model, RunContext, RunnableTask, State, Text, task_type
from nbflow.plugins.truth import is_true
from nbflow.tasks.flow.values import text_of
from nbflow.types import JsonValue

_SYSTEM = "system."


@task_type(
    "io.kestra.plugin.core.execution.Fail",
    aliases=["fail"],
    old_names=["io.kestra.core.tasks.executions.Fail"],
    examples=[
        Example(
            """
            - id: rows
              type: return
              format: "0"
            - id: check
              type: io.kestra.plugin.core.execution.Fail
              condition: "{{ outputs.rows.value | int == 0 }}"
              errorMessage: there are no rows
            """,
            title="Fail when something is missing.",
            state=State.FAILED,
        )
    ],
)
class Fail(RunnableTask):
    """End in FAILED: always, or when a condition is true."""

    condition: Dynamic[Text] | None = Field(default=None, description="Fail only when this is true.")
    error_message: Dynamic[Text] = Field(default="Task failure", description="What to write into the log.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        if self.condition is None or is_true(self.condition):
            raise TaskFailedError(self.error_message)
        return self.Output()


class ExitState(StrEnum):
    """What an execution may be ended in."""

    SUCCESS = "SUCCESS"
    WARNING = "WARNING"
    FAILED = "FAILED"
    KILLED = "KILLED"
    CANCELED = "CANCELED"
    CANCELLED = "CANCELLED"

    @property
    def state(self) -> State:
        """The state of the execution; `CANCELED` is Kestra's spelling here."""
        return State.CANCELLED if self is ExitState.CANCELED else State(self.value)


@task_type(
    "io.kestra.plugin.core.execution.Exit",
    aliases=["exit"],
    examples=[
        Example(
            """
            - id: is_empty
              type: io.kestra.plugin.core.flow.If
              condition: "{{ 0 == 0 }}"
              then:
                - id: nothing_to_do
                  type: io.kestra.plugin.core.execution.Exit
                  state: WARNING
            - id: load
              type: log
              message: never reached
            """,
            title="End early when there is nothing to do.",
            state=State.WARNING,
        )
    ],
)
class Exit(RunnableTask):
    """End the execution here, in a state of your choice; tasks that run beside this one are stopped.

    The tasks of `errors` run when the state is FAILED, those of `finally` always.
    """

    ends_execution: ClassVar[bool] = True

    state: Dynamic[ExitState] = Field(default=ExitState.SUCCESS, description="State to end in.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        await ctx.end_execution(self.state.state)
        return self.Output().ending_in(self.state.state)


@task_type(
    "io.kestra.plugin.core.execution.Assert",
    aliases=["assert"],
    examples=[
        Example(
            """
            - id: rows
              type: return
              format: "3"
            - id: check
              type: io.kestra.plugin.core.execution.Assert
              conditions:
                - "{{ outputs.rows.value | int > 0 }}"
                - "{{ outputs.rows.value | int < 1000 }}"
              errorMessage: that is not a sensible number of rows
            """,
            title="Hold a result to what is expected of it.",
        )
    ],
)
class Assert(RunnableTask):
    """Fail unless all conditions are true."""

    conditions: Dynamic[list[Text]] = Field(  # type: ignore[assignment]  # of this type, a text; elsewhere, a part
        description="Expressions that must all be true."
    )
    error_message: Dynamic[Text] | None = Field(default=None, description="What to write when one is not.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        wrong = [number for number, condition in enumerate(self.conditions, start=1) if not is_true(condition)]
        if wrong:
            which = ", ".join(map(str, wrong))
            raise TaskFailedError(self.error_message or f"not true: condition {which} of {len(self.conditions)}")
        return self.Output()


class LabelEntry(Model):
    """A label written as an item of a list."""

    key: Dynamic[Text] = Field(description="Key of the label.")
    value: Dynamic[Text] | None = Field(default=None, description="Value of the label.")


@task_type(
    "io.kestra.plugin.core.execution.Labels",
    aliases=["labels"],
    old_names=["io.kestra.core.tasks.executions.Labels"],
    examples=[
        Example(
            """
            id: mark
            type: io.kestra.plugin.core.execution.Labels
            labels:
              country: FR
              year: "{{ execution.startDate | date('yyyy') }}"
            """,
            title="Label the execution, to find it again.",
        ),
        Example(
            """
            id: mark
            type: io.kestra.plugin.core.execution.Labels
            labels:
              - key: "{{ 'country' }}"
                value: FR
            """,
            title="Labels whose keys are rendered.",
        ),
    ],
)
class Labels(RunnableTask):
    """Add labels to the running execution; one of the same key is replaced."""

    labels: Dynamic[dict[str, Text | None] | list[LabelEntry] | Text] = Field(
        description="Keys and values: a map, a list of `key` and `value`, or JSON text of either."
    )

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        labels = _read_labels(self.labels)
        refused = [key for key in labels if key.startswith(_SYSTEM)]
        if refused:
            raise TaskFailedError(
                f"the label `{refused[0]}` cannot be set: `{_SYSTEM}*` belongs to nbflow", hint="choose another key"
            )
        ctx.add_labels(labels)
        return self.Output()


def _read_labels(labels: dict[str, str | None] | list[LabelEntry] | str) -> dict[str, str]:
    if isinstance(labels, str):
        try:
            read = json.loads(labels)
        except ValueError as cause:
            raise TaskFailedError(f"`labels` is text that is no JSON: {labels!r}", hint="write a map") from cause
        if isinstance(read, list):
            labels = [LabelEntry.model_validate(item) for item in read]
        elif isinstance(read, dict):
            labels = {str(key): None if value is None else text_of(value) for key, value in read.items()}
        else:
            raise TaskFailedError(f"`labels` must be a map or a list, got {labels!r}")
    if isinstance(labels, list):
        return {entry.key: entry.value or "" for entry in labels}
    return {key: value or "" for key, value in labels.items()}


@task_type(
    "io.kestra.plugin.core.execution.SetVariables",
    aliases=["set_variables"],
    examples=[
        Example(
            """
            - id: set
              type: io.kestra.plugin.core.execution.SetVariables
              variables:
                table: "orders_{{ execution.startDate | date('yyyy') }}"
            - id: show
              type: log
              message: "{{ vars.table }}"
            """,
            title="Set a variable for the tasks that follow.",
        )
    ],
)
class SetVariables(RunnableTask):
    """Set variables of the running execution, for the tasks that follow."""

    variables: Dynamic[dict[str, JsonValue]] = Field(description="Names and values.")
    overwrite: Dynamic[bool] = Field(default=True, description="Whether a variable that exists is replaced; else fail.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        known = ctx.variables.get("vars")
        taken = [name for name in self.variables if isinstance(known, Mapping) and name in known]
        if taken and not self.overwrite:
            raise TaskFailedError(
                f"the variable `{taken[0]}` exists already", hint="set `overwrite: true` to replace it"
            )
        ctx.set_variables(self.variables)
        return self.Output()


@task_type(
    "io.kestra.plugin.core.execution.UnsetVariables",
    aliases=["unset_variables"],
    examples=[
        Example(
            """
            - {id: set, type: set_variables, variables: {token: abc}}
            - id: unset
              type: io.kestra.plugin.core.execution.UnsetVariables
              variables: [token]
            """,
            title="Take a variable back.",
        )
    ],
)
class UnsetVariables(RunnableTask):
    """Take back variables that were set in the running execution."""

    variables: Dynamic[list[Text]] = Field(description="Names of the variables.")
    ignore_missing: Dynamic[bool] = Field(default=False, description="Whether a variable may be missing; else fail.")

    async def run(self, ctx: RunContext) -> RunnableTask.Output:
        ctx.unset_variables(self.variables, ignore_missing=self.ignore_missing)
        return self.Output()
