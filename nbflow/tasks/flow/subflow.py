"""The flowable task type that runs another flow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import Field

from nbflow.errors import TaskFailedError
from nbflow.model.execution import Execution
from nbflow.plugins import FlowableTask, Outcome, Scope, State, Text, task_type
from nbflow.tasks.flow.values import text_of
from nbflow.types import JsonValue

_SYSTEM = "system."


@task_type(
    "io.kestra.plugin.core.flow.Subflow",
    aliases=["subflow"],
    old_names=["io.kestra.core.tasks.flows.Subflow", "io.kestra.core.tasks.flows.Flow"],
)
class Subflow(FlowableTask):
    """Run another flow and, unless told otherwise, wait for its end."""

    class Output(FlowableTask.Output):
        execution_id: str = Field(description="Id of the execution that was started.")
        state: State | None = Field(default=None, description="State it ended in, when it was waited for.")
        outputs: dict[str, JsonValue] = Field(default_factory=dict, description="Outputs of the flow.")

    namespace: Text = Field(description="Namespace of the flow.")
    flow_id: Text = Field(description="Id of the flow.")
    revision: int | None = Field(default=None, ge=1, description="Revision to run; the latest unless said.")
    inputs: dict[str, JsonValue] = Field(default_factory=dict, description="Inputs to start it with.")
    labels: dict[str, Text | None] | list[dict[str, Text | None]] = Field(
        default_factory=dict, description="Labels of its execution."
    )
    inherit_labels: bool = Field(default=False, description="Whether it gets the labels of this execution, too.")
    wait: bool = Field(default=True, description="Whether to wait for its end.")
    transmit_failed: bool = Field(default=True, description="Whether this task fails when the flow fails.")

    async def run(self, scope: Scope) -> Outcome:
        namespace, flow_id = text_of(scope.render(self.namespace)), text_of(scope.render(self.flow_id))
        child = await scope.call_flow(
            namespace,
            flow_id,
            inputs=cast("Mapping[str, JsonValue]", scope.render(self.inputs)),
            labels=self._labels(scope),
            revision=self.revision,
            wait=self.wait,
        )
        outputs: dict[str, JsonValue] = {"executionId": child.id}
        if not self.wait:
            return Outcome(State.SUCCESS, outputs)
        outputs.update(state=str(child.state), outputs=dict(child.outputs))
        return Outcome(self._state(scope, child), outputs)

    def _state(self, scope: Scope, child: Execution) -> State:
        if child.state in (State.SUCCESS, State.WARNING, State.SKIPPED):
            return State.WARNING if child.state is State.WARNING and self.transmit_failed else State.SUCCESS
        if not self.transmit_failed:
            return State.SUCCESS
        name = f"{child.namespace}.{child.flow_id}"
        scope.log.error("the subflow %s ended in %s: execution %s", name, child.state, child.id)
        return State.FAILED

    def _labels(self, scope: Scope) -> dict[str, str]:
        labels: dict[str, str] = {}
        if self.inherit_labels:
            own = scope.render("{{ labels }}")
            labels.update((key, value) for key, value in _flat(own, "") if not key.startswith(_SYSTEM))
        given = scope.render(self.labels)
        if isinstance(given, list):
            given = {item.get("key"): item.get("value") for item in given}
        if not isinstance(given, Mapping):
            raise TaskFailedError(f"`labels` must be a map or a list, got {given!r}")
        labels.update({str(key): text_of(value) for key, value in given.items() if key is not None})
        return labels


def _flat(tree: object, prefix: str) -> Iterator[tuple[str, str]]:
    """The labels of a tree: `{"a": {"b": "c"}}` holds the label `a.b`."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, text_of(tree)
