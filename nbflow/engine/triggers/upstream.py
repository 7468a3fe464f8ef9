"""What one change of an execution's state makes of a Flow trigger."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial

from nbflow.clock import Clock
from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.engine.services import NamespaceServices
from nbflow.engine.starting import CORRELATION, Start
from nbflow.engine.triggers.asking import Asker, listened_states
from nbflow.engine.triggers.firing import Scene, fired
from nbflow.engine.triggers.windows import decide
from nbflow.engine.variables import execution_variables, label_tree, namespace_variables
from nbflow.errors import NbflowError
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.plugins import Facts, Trigger
from nbflow.store import Firing, NoteStateChange, Store
from nbflow.types import JsonValue, derived_id


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
        scene = self._scene(flow)
        facts = Facts(self._change.at, scene.text, self._execution, self._so_far.outputs.tree, self._task_runs)
        asker = Asker(flow, trigger, facts)
        if not asker.allows():
            return None
        waits = asker.waits()
        if waits and not any(wait.met for wait in waits):
            return None
        start = self._start(flow, trigger, scene)
        event = f"{self._execution.id}/{self._change.number}"
        execution = start.execution if isinstance(start, Start) else None
        later = partial(decide, waits, event, self._change.at) if waits else None
        return Firing(flow.namespace, flow.id, trigger.id, execution, later), start

    def _start(self, flow: Flow, trigger: Trigger, scene: Scene) -> Start | NbflowError:
        place = (flow.namespace, flow.id, trigger.id, str(self._change.number))
        try:
            return fired(
                flow,
                trigger,
                self._output,
                scene,
                self._store,
                self._clock,
                execution_id=derived_id(self._execution.id, "flow trigger", *place),
                correlation=dict(self._execution.labels).get(CORRELATION),
                requires_inputs=False,
            )
        except NbflowError as error:
            return error

    def _is_off(self, flow: Flow, trigger: Trigger) -> bool:
        state = self._store.triggers.get(flow.namespace, flow.id, trigger.id)
        return state is not None and state.disabled

    def _scene(self, flow: Flow) -> Scene:
        """The execution as an expression of the listening flow sees it, and `trigger` beside."""
        history = self._so_far
        variables: Mapping[str, object] = {
            **execution_variables(
                flow, self._execution, history.outputs.tree, history.states.tree, self._store.settings
            ),
            "namespace": namespace_variables(flow.namespace, self._store.namespaces.variables),
            "trigger": self._output,
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
