"""What one execution may ask of the engine about another: start a subflow, wait for it and look into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from nbflow.engine.history import History
from nbflow.engine.hub import Hub
from nbflow.model.execution import Execution, TaskRun
from nbflow.model.flow import Flow
from nbflow.store import Writer
from nbflow.types import JsonValue


class FlowCalls(Protocol):
    """Starts executions on behalf of task runs; the engine implements it."""

    async def call(
        self,
        caller: Execution,
        task_run: TaskRun,
        namespace: str,
        flow_id: str,
        inputs: Mapping[str, JsonValue],
        labels: Mapping[str, str],
        revision: int | None,
        wait: bool,
        key: str,
        schedule_date: datetime | None = None,
    ) -> Execution:
        """The execution that this task run started under this key, ended if `wait`; a new one if there is none."""
        ...

    async def again(self, flow: Flow, execution: Execution) -> None:
        """Start an execution that takes the place of one that failed: the same inputs, the next attempt."""
        ...

    def flow(self, namespace: str, flow_id: str, revision: int | None = None) -> Flow:
        """A deployed flow. Raises: FlowNotFoundError."""
        ...


class CalledHistory(History):
    """The history of an execution that another one has called, to be read; its secrets are the caller's, too."""

    def __init__(self, execution: Execution, task_runs: Iterable[TaskRun], caller: History, writer: Writer) -> None:
        super().__init__(execution, task_runs, owner="", last_seq=0, writer=writer, hub=Hub(), clock=caller.clock)
        self._caller = caller

    def mask(self, secrets: Iterable[str]) -> None:
        hidden = list(secrets)
        super().mask(hidden)
        self._caller.mask(hidden)
