"""What a task may ask about executions, flows and triggers, its own flow's and others'."""

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
from nbflow.plugins import FlowSource
from nbflow.store import Store
from nbflow.types import JsonValue

_MOST_CHILDREN = 100_000


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

    def find(
        self,
        *,
        namespace: str | None = None,
        flow_id: str | None = None,
        states: Sequence[State | str] = (),
        labels: Mapping[str, str] | None = None,
        start_after: datetime | None = None,
        start_before: datetime | None = None,
        parent_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[dict[str, JsonValue]]:
        self._store.writer.flush()
        found = self._store.executions.list(
            namespace_prefix=namespace,
            flow_id=flow_id,
            states=states,
            labels=dict(labels or {}),
            start_after=start_after,
            start_before=start_before,
            parent_id=parent_id,
            limit=limit,
            offset=offset,
        )
        return [record.to_dict(self._clock.now(), []) for record in found]

    def flow_of(self, execution_id: str) -> tuple[str, str]:
        record = self._record(execution_id)
        return record.namespace, record.flow_id

    def get(self, execution_id: str) -> dict[str, JsonValue]:
        record = self._record(execution_id)
        return record.to_dict(self._clock.now(), self._store.executions.task_runs(execution_id))

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

    def kill(self, execution_id: str, *, with_children: bool = True) -> None:
        record = self._record(execution_id)
        if not record.state.is_terminal:
            self._store.commands.send(execution_id, "kill", {}, self._clock.now())
        if with_children:
            for child in self._store.executions.list(parent_id=execution_id, limit=_MOST_CHILDREN):
                self.kill(child.id)

    def _record(self, execution_id: str) -> Execution:
        self._store.writer.flush()
        record = self._store.executions.get(execution_id)
        if record is None:
            raise ExecutionNotFoundError(f"there is no execution {execution_id}")
        return record


class OtherFlows:
    """The deployed flows of a home; implements `nbflow.plugins.FlowSources`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._flows = Flows(store, clock)

    def list(self, namespace: str, *, with_children: bool = False) -> Sequence[FlowSource]:
        found = self._store.flows.list(namespace, prefix=with_children)
        return [FlowSource(stored.namespace, stored.id, stored.revision, stored.source) for stored in found]

    def preview(self, source: str) -> FlowSource:
        flow = self._flows.read(source)
        newest = self._store.flows.get(flow.namespace, flow.id)
        is_new = newest is None or newest.source != source
        revisions = self._store.flows.revisions(flow.namespace, flow.id)
        revision = revisions[-1].revision + is_new if revisions else 1
        return FlowSource(flow.namespace, flow.id, revision, source)

    def deploy(self, source: str) -> FlowSource:
        flow = self._flows.deploy(source)
        return FlowSource(flow.namespace, flow.id, flow.revision or 1, source)

    def delete(self, namespace: str, flow_id: str) -> None:
        self._flows.delete(namespace, flow_id)


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
