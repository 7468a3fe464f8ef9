"""What the flowable task types share that run another flow: how it is named, started and judged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import cast

from pydantic import Field, PositiveInt

from nbflow.errors import TaskFailedError
from nbflow.model.dynamic import render_model
from nbflow.model.execution import Execution
from nbflow.plugins import Dynamic, FlowableTask, Scope, State, Text
from nbflow.tasks.flow.values import text_of
from nbflow.types import JsonValue

_SYSTEM = "system."


class RestartBehavior(StrEnum):
    """What a restart of an execution does with the flows that it ran."""

    RETRY_FAILED = "RETRY_FAILED"
    NEW_EXECUTION = "NEW_EXECUTION"


class FlowCall(FlowableTask):
    """The properties of a task that runs another flow."""

    namespace: Text = Field(description="Namespace of the flow.")
    flow_id: Text = Field(description="Id of the flow.")
    revision: Dynamic[PositiveInt] | None = Field(default=None, description="Revision to run; the latest unless said.")
    inputs: dict[str, JsonValue] = Field(default_factory=dict, description="Inputs to start it with.")
    labels: dict[str, Text | None] | list[dict[str, Text | None]] = Field(
        default_factory=dict, description="Labels of its execution: a map, or a list of `key` and `value`."
    )
    inherit_labels: Dynamic[bool] = Field(
        default=False,
        description="Whether it gets the labels of this execution, too. It has the correlation id in any case.",
    )
    wait: bool = Field(default=True, description="Whether to wait for its end.")
    transmit_failed: bool = Field(
        default=True, description="Whether this task fails when the flow fails; only where it is waited for."
    )
    schedule_date: Dynamic[datetime] | None = Field(
        default=None,
        description="Start it at this instant (ISO 8601; UTC unless it says otherwise), and be under way until then.",
    )
    restart_behavior: RestartBehavior = Field(
        default=RestartBehavior.RETRY_FAILED,
        description="Whether a restart of this task goes on with the execution that failed, or starts a new one.",
    )

    async def call(self, scope: Scope, *, key: str = "", taskrun: Mapping[str, object] | None = None) -> Execution:
        """Start the flow, or find the execution started before, and wait for it as the properties say.

        Raises: FlowNotFoundError, InputError, TaskFailedError.
        """
        restarts = sum(state is State.RESTARTED for state, _ in scope.task_run.history.moves)
        if restarts and self.restart_behavior is RestartBehavior.NEW_EXECUTION:
            key = f"{key} restart {restarts}"
        said = render_model(self, lambda value, _: scope.render(value, taskrun=taskrun))
        if isinstance(said.schedule_date, datetime):
            await scope.wait_until(_aware(said.schedule_date))
        return await scope.call_flow(
            text_of(scope.render(self.namespace, taskrun=taskrun)),
            text_of(scope.render(self.flow_id, taskrun=taskrun)),
            inputs=cast("Mapping[str, JsonValue]", scope.render(self.inputs, taskrun=taskrun)),
            labels={
                **(scope.labels if said.inherit_labels else {}),
                **_read_labels(scope.render(self.labels, taskrun=taskrun)),
            },
            revision=said.revision,
            wait=self.wait,
            key=key,
        )

    def state_after(self, scope: Scope, child: Execution) -> State:
        """The state of this task once it has called a flow; tells in the log what went wrong."""
        if not self.wait or not self.transmit_failed or child.state in (State.SUCCESS, State.SKIPPED):
            return State.SUCCESS
        name = f"{child.namespace}.{child.flow_id}"
        if child.state is State.WARNING:
            scope.log.warning("the subflow %s ended in WARNING: execution %s", name, child.id)
            return State.WARNING
        scope.log.error("the subflow %s ended in %s: execution %s", name, child.state, child.id)
        return State.KILLED if child.state is State.KILLED else State.FAILED


def _read_labels(given: object) -> dict[str, str]:
    if isinstance(given, list):
        given = {item.get("key"): item.get("value") for item in given}
    if not isinstance(given, Mapping):
        raise TaskFailedError(f"`labels` must be a map or a list, got {given!r}")
    labels = {str(key): text_of(value) for key, value in given.items() if key is not None}
    refused = next((key for key in labels if key.startswith(_SYSTEM)), None)
    if refused is not None:
        raise TaskFailedError(
            f"the label `{refused}` cannot be set: `{_SYSTEM}*` belongs to nbflow", hint="choose another key"
        )
    return labels


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
