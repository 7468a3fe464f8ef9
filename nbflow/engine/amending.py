"""What may be changed of an execution that has ended, and of flows, by hand: labels, a state, a switch.

Also what would become of inputs, without an execution.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

from nbflow.clock import Clock
from nbflow.engine.flows import Flows
from nbflow.engine.handle import Execution
from nbflow.engine.loop import EngineLoop, in_thread
from nbflow.engine.ownership import Ownership
from nbflow.engine.starting import check_labels, try_inputs
from nbflow.errors import ConflictError
from nbflow.model import execution as records
from nbflow.model.flow import Flow
from nbflow.model.inputs import input_value
from nbflow.model.state import State
from nbflow.nearest import did_you_mean
from nbflow.store import SaveExecution, Store
from nbflow.types import JsonValue


class Amending(ABC):
    """The verbs of an engine that change what is kept, and run nothing."""

    store: Store
    loop: EngineLoop
    _clock: Clock
    _flows: Flows
    _owned: Ownership

    @abstractmethod
    def record(self, execution_id: str) -> records.Execution:
        """The record of an execution. Raises: ExecutionNotFoundError."""

    @abstractmethod
    def _handle(self, record: records.Execution) -> Execution:
        """What users hold of an execution."""

    def busy(self) -> int:
        """How many executions work in this very engine, so that they would be handed over if it ended now."""
        return self._owned.busy()

    def set_labels(self, execution_id: str, labels: Mapping[str, str]) -> Execution:
        """Give an execution that has ended labels beside those it has, or in place of them.

        Raises: ConflictError when it has not ended; InputError for labels that belong to the engine.
        """
        check_labels(labels)
        record = self._settled(execution_id)
        return self._save(replace(record, labels=tuple({**dict(record.labels), **labels}.items())))

    aset_labels = in_thread(set_labels)

    def change_status(self, execution_id: str, state: State | str) -> Execution:
        """Let an execution that has ended have ended in another state.

        Raises: ConflictError when it has not ended, or the state ends nothing.
        """
        name = str(state).upper()
        if name not in set(State):
            raise ConflictError(f"there is no state `{state}`", hint=did_you_mean(name, list(State)))
        wanted = State(name)
        if not wanted.is_terminal:
            raise ConflictError(f"an execution that has ended can be set to a state that ends it, not to {wanted}")
        return self._save(self._settled(execution_id).move(wanted, self._clock.now()))

    achange_status = in_thread(change_status)

    def switch_flow(self, namespace: str, flow_id: str, *, disabled: bool) -> Flow:
        """Switch a flow off or on, without a new revision. Raises: FlowNotFoundError."""
        flow = self._flows.get(namespace, flow_id)
        self.store.flows.set_disabled(namespace, flow_id, disabled)
        switched = flow.switched(disabled)
        if self._flows.on_change is not None:
            self._flows.on_change(namespace, flow_id, switched)
        return switched

    aswitch_flow = in_thread(switch_flow)

    def read_flow(self, text: str) -> Flow:
        """The flow that a text defines; it is not saved. Raises: FlowValidationError."""
        return self._flows.read(text)

    aread_flow = in_thread(read_flow)

    def try_inputs(self, flow: Flow, given: Mapping[str, object]) -> list[dict[str, JsonValue]]:
        """What would become of inputs: for each declared one its value, whether it is asked for, and what is wrong."""
        values, problems, is_asked = try_inputs(flow, given, self.store, self._clock)
        return [
            {
                "input": {"id": declared.id, "type": str(declared.type), "required": declared.required},
                **({} if declared.type == "SECRET" else {"value": input_value(values, declared.id)}),
                "enabled": is_asked(declared),
                "isDefault": declared.id not in given,
                "errors": [
                    {"message": problem.message} for problem in problems if problem.path == f"inputs.{declared.id}"
                ],
            }
            for declared in flow.inputs
        ]

    atry_inputs = in_thread(try_inputs)

    def _settled(self, execution_id: str) -> records.Execution:
        record = self.record(execution_id)
        if not record.state.is_terminal or self._owned.get(execution_id) is not None:
            raise ConflictError(
                f"execution {execution_id} is {record.state}: it has not ended", hint="wait for its end"
            )
        return record

    def _save(self, record: records.Execution) -> Execution:
        seq = self.store.executions.last_seq(record.id) + 1
        self.store.writer.defer(SaveExecution(record, seq, None))
        self.store.writer.flush()
        return self._handle(record)
