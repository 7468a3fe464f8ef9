"""What a task may ask about executions and triggers, its own flow's and others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from nbflow.clock import Clock
from nbflow.engine.flows import Flows
from nbflow.engine.resuming import resumption
from nbflow.errors import ConflictError, ExecutionNotFoundError, NotFoundError
from nbflow.model.execution import Execution
from nbflow.model.state import State
from nbflow.model.task import LogLevel
from nbflow.nearest import did_you_mean
from nbflow.store import Store
from nbflow.types import JsonValue


class OtherExecutions:
    """The executions of a home; implements `nbflow.plugins.Executions`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def count(
        self,
        namespace: str,
        flow_id: str | None = None,
        *,
        states: Sequence[State | str] = (),
        start_after: datetime | None = None,
        start_before: datetime | None = None,
    ) -> int:
        self._store.writer.flush()
        return self._store.executions.count(
            namespace=namespace,
            flow_id=flow_id,
            states=states,
            start_after=start_after,
            start_before=start_before,
        )

    def flow_of(self, execution_id: str) -> tuple[str, str]:
        record = self._record(execution_id)
        return record.namespace, record.flow_id

    def logs(
        self, execution_id: str, *, task_id: str | None = None, min_level: LogLevel = LogLevel.TRACE
    ) -> list[dict[str, JsonValue]]:
        record = self._record(execution_id)
        lines = self._store.logs.list(execution_id, min_level=min_level, task_id=task_id)
        return [line.to_dict(record) for line in lines]

    def resume(self, execution_id: str, inputs: Mapping[str, JsonValue]) -> None:
        record = self._record(execution_id)
        if record.state is not State.PAUSED:
            raise ConflictError(f"execution {execution_id} is {record.state}: there is nothing to resume")
        flow, runs = Flows(self._store, self._clock).of(record), self._store.executions.task_runs(execution_id)
        payload = resumption(flow, record, runs, inputs, self._store, self._clock)
        self._store.commands.send(execution_id, "resume", payload, self._clock.now())

    def _record(self, execution_id: str) -> Execution:
        self._store.writer.flush()
        record = self._store.executions.get(execution_id)
        if record is None:
            raise ExecutionNotFoundError(f"there is no execution {execution_id}")
        return record


class OtherTriggers:
    """The triggers of a home; implements `nbflow.plugins.Triggers`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def switch(self, namespace: str, flow_id: str, trigger_id: str, *, is_on: bool) -> None:
        flow = Flows(self._store, self._clock).get(namespace, flow_id)
        known = [trigger.id for trigger in flow.triggers]
        if trigger_id not in known:
            raise NotFoundError(
                f"the flow {flow.uid} has no trigger `{trigger_id}`", hint=did_you_mean(trigger_id, known)
            )
        self._store.triggers.switch(namespace, flow_id, trigger_id, disabled=not is_on)
