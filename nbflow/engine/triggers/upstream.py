"""What one change of an execution's state makes of a Flow trigger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial

from nbflow.clock import Clock
from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.engine.services import NamespaceServices
from nbflow.engine.starting import CORRELATION, Start
from nbflow.engine.triggers.asking import Asker, listened_states
from nbflow.engine.triggers.firing import Scene, fired
from nbflow.engine.triggers.windows import Wait, decide, events_before
from nbflow.engine.variables import execution_variables, label_tree, namespace_variables
from nbflow.errors import ConflictError, NbflowError
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.plugins import Facts, Trigger
from nbflow.store import Firing, NoteStateChange, Store
from nbflow.types import JsonValue, derived_id

LONGEST = 100
"""Executions in a row that Flow triggers may start because of each other; Kestra knows no end."""


class Upstream:
    """An execution in one state, as the triggers of other flows see it."""

    def __init__(self, execution: Execution, change: NoteStateChange, store: Store, clock: Clock) -> None:
        self._execution = execution
        self._change = change
        self._store = store
        self._clock = clock

    def ask(self, flow: Flow, trigger: Trigger) -> tuple[Firing, Start | NbflowError] | None:
        """What a trigger makes of it, with the execution it starts or why there is none; None when it does not fire."""
        if self._execution.state not in listened_states(trigger) or self._is_off(flow, trigger):
            return None
        scene = self._scene(flow, self._output)
        facts = Facts(self._change.at, scene.text, self._execution, self._so_far.outputs.tree, self._task_runs)
        asker = Asker(flow, trigger, facts)
        if not asker.allows():
            return None
        waits = asker.waits()
        if waits and not any(wait.met for wait in waits):
            return None
        event = f"{self._execution.id}/{self._change.number}"
        output = self._output if not waits else self._together(flow, trigger, waits, event)
        start = self._start(flow, trigger, self._scene(flow, output), output)
        execution = start.execution if isinstance(start, Start) else None
        later = partial(decide, waits, event, self._change.at) if waits else None
        return Firing(flow.namespace, flow.id, trigger.id, execution, later), start

    def _together(self, flow: Flow, trigger: Trigger, waits: Sequence[Wait], event: str) -> dict[str, JsonValue]:
        """What a trigger puts out that has waited for several executions: the outputs of all, the newest on top."""
        state = self._store.triggers.get(flow.namespace, flow.id, trigger.id)
        outputs: dict[str, JsonValue] = {}
        for one in events_before(waits, event, self._change.at, state.data if state is not None else {}):
            execution = self._store.executions.get(one.partition("/")[0])
            outputs |= execution.outputs if execution is not None else {}
        return {**self._output, "outputs": {**outputs, **self._execution.outputs}}

    def _start(
        self, flow: Flow, trigger: Trigger, scene: Scene, output: Mapping[str, JsonValue]
    ) -> Start | NbflowError:
        if self._is_endless:
            return ConflictError(
                f"execution {self._execution.id} is the last of {LONGEST} that were started because of each other",
                hint="flows that listen to each other run for ever: let a condition end the circle",
            )
        place = (flow.namespace, flow.id, trigger.id, str(self._change.number))
        try:
            return fired(
                flow,
                trigger,
                output,
                scene,
                self._store,
                self._clock,
                execution_id=derived_id(self._execution.id, "flow trigger", *place),
                correlation=dict(self._execution.labels).get(CORRELATION),
                requires_inputs=False,
            )
        except NbflowError as error:
            return error

    @cached_property
    def _is_endless(self) -> bool:
        """Whether so many executions led to this one, each by a trigger or a call, that there is surely no end."""
        execution: Execution | None = self._execution
        for _ in range(LONGEST):
            variables = (execution.trigger or {}).get("variables") if execution is not None else None
            before = variables.get("executionId") if isinstance(variables, dict) else None
            if not isinstance(before, str):
                return False
            execution = self._store.executions.get(before)
        return True

    def _is_off(self, flow: Flow, trigger: Trigger) -> bool:
        state = self._store.triggers.get(flow.namespace, flow.id, trigger.id)
        return state is not None and state.disabled

    def _scene(self, flow: Flow, output: Mapping[str, JsonValue]) -> Scene:
        """The execution as an expression of the listening flow sees it, and `trigger` beside."""
        history = self._so_far
        variables: Mapping[str, object] = {
            **execution_variables(
                flow, self._execution, history.outputs.tree, history.states.tree, self._store.settings
            ),
            "namespace": namespace_variables(flow.namespace, self._store.namespaces.variables),
            "trigger": output,
        }
        return Scene(variables, NamespaceServices(flow.namespace, self._store, self._clock, lambda secret: None))

    @cached_property
    def _output(self) -> dict[str, JsonValue]:
        execution = self._execution
        labels: dict[str, JsonValue] = label_tree(execution.labels)  # type: ignore[assignment]  # texts, however deep
        return {
            "executionId": execution.id,
            "namespace": execution.namespace,
            "flowId": execution.flow_id,
            "flowRevision": execution.flow_revision,
            "state": str(execution.state),
            "executionLabels": labels,
            "outputs": dict(execution.outputs),
        }

    @cached_property
    def _so_far(self) -> History:
        runs = self._store.executions.task_runs(self._execution.id)
        return History(
            self._execution, runs, owner="", last_seq=0, writer=self._store.writer, hub=Hub(), clock=self._clock
        )

    @cached_property
    def _task_runs(self) -> tuple[TaskRun, ...]:
        return tuple(self._so_far.task_runs())
